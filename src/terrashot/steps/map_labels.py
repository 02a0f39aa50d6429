"""Labels of a study's chips from its reference maps."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from terrashot.domain.tables import Chips, Labels
from terrashot.durable.spool import Spool
from terrashot.errors import InputError
from terrashot.labels.from_maps import MapRead, Shares, shares_of
from terrashot.steps.answer import Answer
from terrashot.steps.chips import foreseen_chips
from terrashot.steps.map_ground import ground_of_study
from terrashot.steps.map_tiles import Wanted, reference_map, wanted_maps
from terrashot.steps.plan import Context
from terrashot.steps.progress import Progress, Said, Work, relay

TIDIED_EVERY = 64
"""Windows of a far map, after which what was fetched and has no more room goes."""


def labels_of_maps(context: Context, chips: Chips) -> Work[Labels]:
    """The targets of [labels.maps], in the order of the chips, with the share of each that its map knows.

    Raises:
        InputError: a chip without a place, a map that cannot be read or lies elsewhere.
        NetworkError: a map cannot be fetched; what came is kept for the next run.
    """
    targets: dict[str, np.ndarray] = {}
    fractions: dict[str, np.ndarray] = {}
    ground = ground_of_study(context, chips)
    for wanted in wanted_maps(context):
        source = reference_map(context, wanted, ground)
        readers = context.config.ingest.readers
        work = shares_of(source, ground, workers=context.workers, is_far=wanted.is_far, readers=readers)
        found = yield from relay(work, partial(_tell, context, wanted))
        for number, (target, section) in enumerate(zip(wanted.targets, wanted.sections, strict=True)):
            targets[target] = found.labels(section.min_valid_fraction, number)
            fractions[target] = found.valid
            yield Said(_sentence(target, section.min_valid_fraction, wanted, found))
    return Labels(chips.ids, targets, fractions)


def side_by_side(labels: Labels | None, derived: Labels, section: str) -> Labels:
    """Labels of a table and those derived from elsewhere, in the order of the latter's chips; without a row it has none of the table.

    Args:
        section: of the study file, that tells of the derived ones.

    Raises:
        InputError: both have a target of one name.
    """
    if labels is None:
        return derived
    twice = [target for target in labels.targets if target in derived.targets]
    if twice:
        raise InputError(f"[{section}.{twice[0]}]: the label table has a column of that name too; rename one of them")
    row_of = {chip_id: row for row, chip_id in enumerate(labels.chip_ids)}
    rows = np.array([row_of.get(chip_id, -1) for chip_id in derived.chip_ids], dtype=np.int64)
    return Labels(
        derived.chip_ids,
        {**{name: _taken(values, rows) for name, values in labels.targets.items()}, **derived.targets},
        {**{name: _taken(values, rows) for name, values in labels.valid_fraction.items()}, **derived.valid_fraction},
    )


def maps_to_read(context: Context) -> Answer:
    """Which maps step `labels` will read, and how much of them; of none a pixel is read.

    Raises:
        InputError, NetworkError: as `labels_of_maps`.
    """
    chips = foreseen_chips(context)
    ground = ground_of_study(context, chips)
    facts: dict[str, Mapping[str, object]] = {}
    lines = ["maps that labels will be read from:"]
    for wanted in wanted_maps(context):
        tiles = reference_map(context, wanted, ground).tiles
        named = ", ".join(tile.name for tile in tiles[:3]) + (", ..." if len(tiles) > 3 else "")
        where = "over the network" if wanted.is_far else "on this disk"
        lines.append(f"  {', '.join(wanted.targets)}: {wanted.title}, {len(tiles)} tiles {where}: {named}")
        facts |= {target: {"map": wanted.title, "tiles": [tile.name for tile in tiles]} for target in wanted.targets}
    return Answer(tuple(lines), {"maps": facts})


def _taken(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of these rows; nothing where a row is -1."""
    found = (
        values[rows] if len(values) else np.full(len(rows), None if values.dtype == object else np.nan, values.dtype)
    )
    found[rows < 0] = None if values.dtype == object else np.nan
    return found


def _tell(context: Context, wanted: Wanted, read: MapRead) -> list[Progress]:
    if wanted.is_far and read.done % TIDIED_EVERY == 0:
        Spool(context.study.fetched_maps).keep_at_most(int(context.config.ingest.fetched_gb * 1e9))
    return [Progress("labels", read.done, read.total, f"{wanted.title}: {read.chips} chips")]


def _sentence(target: str, least: float, wanted: Wanted, found: Shares) -> str:
    below = int((found.valid < least).sum())
    absent = f"; {len(found.absent_tiles)} tiles that its maker does not have" if found.absent_tiles else ""
    return f"label '{target}' from {wanted.title}: {below} of {len(found.valid)} chips are known to less than {least:g}{absent}"
