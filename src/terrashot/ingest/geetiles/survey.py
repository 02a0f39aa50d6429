"""What the tiles of all areas have in common: their months and sizes. Headers of some files tell, spread evenly."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from terrashot.errors import InputError, UsageError
from terrashot.ingest.geetiles.lattice import coherence_px
from terrashot.ingest.geetiles.layout import Tiles, spread
from terrashot.ingest.geetiles.monthly_tiles import POLARISATIONS, bands_by_month
from terrashot.ingest.geetiles.names import IMAGERY
from terrashot.ingest.geetiles.plan import ChipJob, Choices, ImportPlan, TileFile, radar_sets
from terrashot.ingest.inside import refuse_outside
from terrashot.ingest.monthly import RGB
from terrashot.raster.tile import TileHead, read_tile_head

SAMPLED: Final = 25
"""Headers of each data set, so that one odd file accuses no other."""


def plan_import(
    source: Path, out: Path, choices: Choices, tiles: Sequence[Tiles], jobs: Sequence[ChipJob]
) -> ImportPlan:
    """What holds for every chip.

    Raises:
        InputError: no readable optical or radar tile in a data set, or none of any sensor.
        UsageError: a month that no data set has.
    """
    heads = [(found, _heads(found, source)) for found in tiles if found.chip_set.sensor in ("s2rgbm", "s1grdm")]
    optical, radar = (
        _months([own for own in heads if own[0].chip_set.sensor == sensor], bands)
        for sensor, bands in (("s2rgbm", RGB), ("s1grdm", POLARISATIONS))
    )
    absent = [month for month in choices.months if month not in (*optical, *radar)]
    if absent and (optical or radar):
        raise UsageError(f"--months {absent[0]}: no such month; there are {', '.join(sorted({*optical, *radar}))}")
    sizes = Counter(head.place.height_px for _, found in heads for head in found)
    months = choices.months or (*optical, *radar)
    return ImportPlan(
        source, out, choices, _wanted(optical, choices), _wanted(radar, choices), radar_sets(choices.orbits),
        side_px=max(sorted(sizes), key=sizes.__getitem__) if sizes else 448,
        coherence_px=int(np.median([coherence_px(job.bounds_deg) for job in jobs])),
        label_year=int(min(months)[:4]) if months else 2020,
    )  # fmt: skip


def _wanted(months: Sequence[str], choices: Choices) -> tuple[str, ...]:
    return tuple(month for month in months if not choices.months or month in choices.months)


def _heads(tiles: Tiles, source: Path) -> list[TileHead]:
    """Headers that can be read; one bad file among good ones is its own chip's failure."""
    heads, first_error = [], None
    for name in spread(tuple(tiles.files.values()), SAMPLED):
        path = tiles.folder / name
        try:
            refuse_outside(path, source)
            heads.append(read_tile_head(path))
        except InputError as error:
            first_error = first_error or error
    if first_error is not None and not heads:
        raise first_error
    return heads


def _months(own: Sequence[tuple[Tiles, list[TileHead]]], bands: Sequence[str]) -> tuple[str, ...]:
    """Every month that a header tells, in order."""
    found: set[str] = set()
    first_error = None
    for one, heads in own:
        for head in heads:
            try:
                found |= set(bands_by_month(head, one.chip_set, bands))
            except InputError as error:
                first_error = first_error or InputError(f"{one.folder}: {error}")
    if first_error is not None and not found:
        raise first_error
    return tuple(sorted(found))


def imagery_jobs(
    ids: Sequence[str], bounds: Sequence[tuple[float, float, float, float]], tiles: Sequence[Tiles]
) -> tuple[ChipJob, ...]:
    """The chips that have an image of any sensor, with their files."""
    jobs = []
    for chip_id, rectangle in zip(ids, bounds, strict=True):
        files = tuple(TileFile(t.chip_set, t.folder / t.files[chip_id]) for t in tiles if chip_id in t.files)
        if any(file.chip_set.sensor in IMAGERY for file in files):
            skipped: dict[str, Path] = {
                t.chip_set.sensor: t.folder / t.skipped[chip_id] for t in tiles if chip_id in t.skipped
            }
            jobs.append(ChipJob(chip_id, rectangle, files, skipped))
    return tuple(jobs)
