"""What step `labels` tells of the labels that it made."""

from terrashot.domain.label_summary import LabelSummary
from terrashot.domain.tables import Chips, Labels
from terrashot.evaluate.answers.label_summary import summarize_labels
from terrashot.steps.map_labels import side_by_side
from terrashot.steps.plan import Context
from terrashot.steps.task_rules import rules_of


def label_summaries(chips: Chips, labels: Labels, context: Context) -> list[LabelSummary]:
    """By target, area and split, as the study file cuts them."""
    whole = side_by_side(labels, Labels(chips.ids, {}, {}), "labels")
    return summarize_labels(chips, whole, rules_of(context.config, labels.targets), context.config.study.seed)
