"""Step `labels`: target values of every chip."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from terrashot.complaints import nearest_of
from terrashot.domain.label_summary import LabelSummary, summary_sentences
from terrashot.domain.tables import Chips, Labels
from terrashot.errors import ConfigError, InputError
from terrashot.ingest.harvest import gather_labels
from terrashot.steps.artefacts import digest_of_given
from terrashot.steps.label_origin import circular_sentences
from terrashot.steps.label_summary import label_summaries
from terrashot.steps.listed_chips import folder_path
from terrashot.steps.map_labels import labels_of_maps, side_by_side
from terrashot.steps.map_tiles import map_digests
from terrashot.steps.own_labels import own_label_inputs, own_labels
from terrashot.steps.plan import Context
from terrashot.steps.progress import Said, Work
from terrashot.steps.sources import label_source
from terrashot.store.parquet import write_rows
from terrashot.store.tables import read_chips, write_labels


def make_labels(context: Context) -> Work[None]:
    """Writes labels.parquet, in the order of the chips."""
    chips = read_chips(context.study.chips)
    if not len(chips.rows_in("test")):
        raise InputError(
            f"{context.study.chips}: no chip is in test, so labels would tell nothing; split the chips anew"
        )
    labels = _wanted((yield from _all_labels(context, chips)), context.config.labels.targets)
    _refuse_strange_tasks(labels, context)
    for target, values in labels.targets.items():
        unknown = sum(value is None or value != value for value in values.tolist())
        yield Said(f"label '{target}': {len(values) - unknown} chips, {unknown} unknown")
    for sentence in circular_sentences(context.config, list(labels.targets)):
        yield Said(sentence)
    summaries = label_summaries(chips, labels, context)
    for sentence in summary_sentences(summaries):
        yield Said(sentence)
    write_rows(context.study.label_summary, summaries, LabelSummary)
    write_labels(context.study.labels, labels)


def label_outputs(context: Context) -> Sequence[Path]:
    """labels.parquet and what is told of it."""
    study = context.study
    rejected = [study.rejected_labels] if context.config.labels.own else []
    return [study.labels, study.label_summary, *rejected]


def label_inputs(context: Context) -> Mapping[str, str]:
    """Digests of the label table of a chip folder, of the files that the study file names, and of the files of maps on this disk."""
    path = context.config.labels.file and context.study.resolve(context.config.labels.file)
    if context.config.source.kind == "folder":
        path = folder_path(context) / "labels.csv"
    table = {path.name: digest_of_given(path)} if path is not None and path.is_file() else {}
    return {**table, **own_label_inputs(context), **map_digests(context)}


def _all_labels(context: Context, chips: Chips) -> Work[Labels]:
    """What the study file names, side by side; where it names no maps and no own labels, those of the source.

    Raises:
        InputError: two of them have a target of one name.
    """
    source = label_source(context, chips.ids)
    labels = source if isinstance(source, Labels | None) else gather_labels(source, chips.ids, workers=context.workers)
    if context.config.labels.maps:
        labels = side_by_side(labels, (yield from labels_of_maps(context, chips)), "labels.maps")
    if context.config.labels.own:
        labels = side_by_side(labels, (yield from own_labels(context, chips)), "labels.own")
    assert labels is not None, "the study file was checked: labels come from a table, maps, own files or are simulated"
    return labels


def _refuse_strange_tasks(labels: Labels, context: Context) -> None:
    for target in context.config.tasks:
        if target not in labels.targets:
            hint = nearest_of(target, list(labels.targets), "targets")
            raise ConfigError(f"{context.study.config_path}: [tasks.{target}]: no target of that name; {hint}")


def _wanted(labels: Labels, targets: tuple[str, ...]) -> Labels:
    absent = [target for target in targets if target not in labels.targets]
    if absent:
        raise InputError(f"[labels]: no target '{absent[0]}'; targets are {', '.join(labels.targets)}")
    if not labels.targets:
        raise InputError("labels.csv has no target column; add one beside 'id'")
    kept = targets or tuple(labels.targets)
    fractions: dict[str, np.ndarray] = {t: labels.valid_fraction[t] for t in kept if t in labels.valid_fraction}
    return Labels(labels.chip_ids, {target: labels.targets[target] for target in kept}, fractions)
