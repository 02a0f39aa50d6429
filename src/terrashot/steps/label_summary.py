"""What step `labels` tells of the labels that it made."""

from terrashot.domain.label_summary import LabelSummary
from terrashot.domain.tables import Chips, Labels
from terrashot.domain.tasks import TaskRule
from terrashot.evaluate.answers.label_summary import summarize_labels
from terrashot.steps.map_labels import side_by_side
from terrashot.steps.plan import Context
from terrashot.steps.task_rules import task_rules


def label_summaries(chips: Chips, labels: Labels, context: Context) -> list[LabelSummary]:
    """By target, area and split, as the study file cuts them."""
    whole = side_by_side(labels, Labels(chips.ids, {}, {}), "labels")
    config = context.config
    rules = {target: TaskRule(config.labels.threshold) for target in labels.targets} | task_rules(config)
    return summarize_labels(chips, whole, rules, config.study.seed)
