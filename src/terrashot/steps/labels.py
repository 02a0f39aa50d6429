"""Step `labels`: target values of every chip."""

from collections.abc import Mapping

import numpy as np

from terrashot.domain.tables import Labels
from terrashot.errors import InputError
from terrashot.ingest.harvest import gather_labels
from terrashot.steps.artefacts import digest_of_given
from terrashot.steps.listed_chips import folder_path
from terrashot.steps.map_labels import labels_of_maps, with_maps
from terrashot.steps.map_tiles import map_digests
from terrashot.steps.plan import Context
from terrashot.steps.progress import Said, Work
from terrashot.steps.sources import label_source
from terrashot.store.tables import read_chips, write_labels


def make_labels(context: Context) -> Work[None]:
    """Writes labels.parquet, in the order of the chips."""
    chips = read_chips(context.study.chips)
    if not len(chips.rows_in("test")):
        raise InputError(
            f"{context.study.chips}: no chip is in test, so labels would tell nothing; split the chips anew"
        )
    source = label_source(context, chips.ids)
    labels = source if isinstance(source, Labels | None) else gather_labels(source, chips.ids, workers=context.workers)
    if context.config.labels.maps:
        labels = with_maps(labels, (yield from labels_of_maps(context, chips)))
    assert labels is not None, "the study file was checked: labels come from a table, from maps or are simulated"
    labels = _wanted(labels, context.config.labels.targets)
    for target, values in labels.targets.items():
        unknown = sum(value is None or value != value for value in values.tolist())
        yield Said(f"label '{target}': {len(values) - unknown} chips, {unknown} unknown")
    write_labels(context.study.labels, labels)


def label_inputs(context: Context) -> Mapping[str, str]:
    """Digests of the label table of a chip folder, or of the one that the study file names, and of the files of maps on this disk."""
    path = context.config.labels.file and context.study.resolve(context.config.labels.file)
    if context.config.source.kind == "folder":
        path = folder_path(context) / "labels.csv"
    table = {path.name: digest_of_given(path)} if path is not None and path.is_file() else {}
    return {**table, **map_digests(context)}


def _wanted(labels: Labels, targets: tuple[str, ...]) -> Labels:
    absent = [target for target in targets if target not in labels.targets]
    if absent:
        raise InputError(f"[labels]: no target '{absent[0]}'; targets are {', '.join(labels.targets)}")
    if not labels.targets:
        raise InputError("labels.csv has no target column; add one beside 'id'")
    kept = targets or tuple(labels.targets)
    fractions: dict[str, np.ndarray] = {t: labels.valid_fraction[t] for t in kept if t in labels.valid_fraction}
    return Labels(labels.chip_ids, {target: labels.targets[target] for target in kept}, fractions)
