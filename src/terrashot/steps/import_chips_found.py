"""What `terrashot import geetiles | m3leo` has found: chips with split and group, their tiles, and what holds for all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import shapely

from terrashot.areas.partition_columns import read_columns
from terrashot.areas.partitions import read_partitions
from terrashot.domain.tables import Chips
from terrashot.errors import InputError, UsageError
from terrashot.ingest.geetiles.labels import shares_told
from terrashot.ingest.geetiles.layout import PublishedArea, Tiles, find_areas, find_tiles, sets_in
from terrashot.ingest.geetiles.names import split_told
from terrashot.ingest.geetiles.plan import ChipJob, Choices, ImportPlan
from terrashot.ingest.geetiles.survey import imagery_jobs, plan_import
from terrashot.steps.progress import Said, Work

PROPORTIONS = "_proportions"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """All that is known before a pixel is read."""

    chips: Chips
    """With an image, in the order of their ids; footprints as published."""
    jobs: tuple[ChipJob, ...]
    """Row by row those of `chips`."""
    plan: ImportPlan
    shares: Mapping[str, Mapping[int, float]]
    """Share by class of WorldCover, by chip, where the GeoJSON tells."""


def find_chips(
    source: Path, origin: Path, out: Path, choices: Choices, splits: str | None, group: str | None
) -> Work[Found]:
    """The chips of all areas that have an image.

    Args:
        source: where tiles lie.
        origin: where the GeoJSON lies.

    Raises:
        InputError, UsageError: the layout is not theirs, or a choice does not fit it.
    """
    parts: list[tuple[Chips, tuple[ChipJob, ...]]] = []
    all_tiles: list[Tiles] = []
    shares: dict[str, Mapping[int, float]] = {}
    taken: set[str] = set()
    for area in find_areas(origin, splits):
        chips, notes = read_partitions(area.geojson, area.splits, area.name)
        for note in (*notes, *_told(area, chips)):
            yield Said(note)
        here = area if source == origin else _moved(area, source)
        tiles = find_tiles(here, set(chips.ids), source)
        jobs = tuple(job for job in imagery_jobs(chips.ids, _bounds(chips), tiles) if job.id not in taken)
        for note in _told_of_tiles(here, chips, tiles, jobs):
            yield Said(note)
        columns = read_columns(area.geojson, lambda name: name == group or _is_shares(name))
        shares.update(_shares(area.geojson, columns))
        taken.update(job.id for job in jobs)
        parts.append((_grouped(_of(chips, jobs), columns, group, area.geojson), jobs))
        all_tiles += tiles
    chips, jobs = _together(parts, origin)
    return Found(chips, jobs, plan_import(source, out, choices, all_tiles, jobs), shares)


def _moved(area: PublishedArea, source: Path) -> PublishedArea:
    """The area with its tiles where they were unpacked."""
    folder = source / area.geojson.stem
    sets, others = sets_in(folder)
    return replace(area, folder=folder, sets=sets, others=others)


def _bounds(chips: Chips) -> list[tuple[float, float, float, float]]:
    return [tuple(map(float, row)) for row in shapely.bounds(chips.footprint)]  # type: ignore[misc]


def _of(chips: Chips, jobs: tuple[ChipJob, ...]) -> Chips:
    row_of = {chip_id: row for row, chip_id in enumerate(chips.ids)}
    return chips.take(np.array([row_of[job.id] for job in jobs], dtype=np.int64))


def _grouped(chips: Chips, columns: Mapping[str, Mapping[str, object]], group: str | None, path: Path) -> Chips:
    if group is None:
        return chips
    if group not in columns:
        raise UsageError(f"--group {group}: no feature of {path} has such a column")
    told = columns[group]
    return replace(chips, group=tuple(str(told[chip_id]) if chip_id in told else None for chip_id in chips.ids))


def _is_shares(name: str) -> bool:
    return name.startswith("esaworldcover-") and name.endswith(PROPORTIONS)


def _shares(path: Path, columns: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[int, float]]:
    name = next((name for name in sorted(columns) if _is_shares(name)), None)
    found: dict[str, Mapping[int, float]] = {}
    for chip_id, text in (columns[name] if name else {}).items():
        try:
            found[chip_id] = shares_told(text)
        except InputError as error:
            raise InputError(f"{path}: '{chip_id}': {name}: {error}") from None
    return found


def _together(parts: list[tuple[Chips, tuple[ChipJob, ...]]], source: Path) -> tuple[Chips, tuple[ChipJob, ...]]:
    jobs = tuple(chain.from_iterable(own for _, own in parts))
    if not jobs:
        raise InputError(f"{source}: no chip has a tile of s2rgbm-YEAR, s1grdm-YEAR-asc|des or gunw-...")
    every = [chips for chips, own in parts if own]
    footprint, lon_deg, lat_deg = (
        np.concatenate([getattr(one, name) for one in every]) for name in ("footprint", "lon_deg", "lat_deg")
    )
    ids, area, group, split = (
        tuple(chain.from_iterable(getattr(one, name) for one in every)) for name in ("ids", "area", "group", "split")
    )
    order = sorted(range(len(jobs)), key=ids.__getitem__)
    together = Chips(ids, area, group, split, footprint, lon_deg, lat_deg)
    return together.take(order), tuple(jobs[row] for row in order)


def _told(area: PublishedArea, chips: Chips) -> list[str]:
    if not any(chips.split):
        return [f"{area.name}: no split, in the GeoJSON or beside it; a study makes its own"]
    label = "" if area.splits is None else area.splits.stem.partition("_splits_")[2]
    made = split_told(label)
    return [
        f"{area.name}: split of {area.splits.name if area.splits else area.geojson.name}{f': {made}' if made else ''}"
    ]


def _told_of_tiles(area: PublishedArea, chips: Chips, tiles: tuple[Tiles, ...], jobs: tuple[ChipJob, ...]) -> list[str]:
    notes = [
        f"{area.name}: {one.chip_set.name}: {len(one.files)} of {len(chips)} chips"
        f"{f', {len(one.skipped)} skipped with a reason' if one.skipped else ''}"
        f"{f', {one.strangers} files of no chip' if one.strangers else ''}"
        for one in tiles
    ]
    if area.others:
        notes.append(f"{area.name}: not read: {', '.join(area.others)[:300]}")
    left = len(chips) - len(jobs)
    return (
        [*notes, f"{area.name}: {left} chips have no image here, or belong to an area before, and are left out"]
        if left
        else notes
    )
