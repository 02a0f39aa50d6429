"""Chips that stand in a table, rather than in an outline: chips.csv of a chip folder, or partitions files."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from terrashot.areas.partitions import read_partitions
from terrashot.chip_sections import AreaSection
from terrashot.config import StudyConfig
from terrashot.domain.grid import chip_from_id
from terrashot.domain.tables import Chips
from terrashot.errors import InputError
from terrashot.ingest.folder import read_chip_table
from terrashot.steps.plan import Context
from terrashot.store.geoparquet import hilbert_order


def listed_chips(context: Context) -> Chips | None:
    """The chips of the study's table; None where outlines hold them.

    Raises:
        InputError: the table cannot be used.
    """
    if context.config.has_partitions:
        return partition_chips(context)[0]
    if context.config.source.kind == "folder":
        return read_chip_table(folder_path(context) / "chips.csv")
    return None


def folder_path(context: Context) -> Path:
    """Where the chip folder lies, of a study of kind `folder`."""
    path = context.config.source.path
    assert path is not None, "the study file was checked: a folder study has a path"
    return context.study.resolve(path)


def partition_chips(context: Context) -> tuple[Chips, tuple[str, ...]]:
    """The chips of all partitions files along a Hilbert curve, whatever their order, and what a person must be told.

    Raises:
        InputError: a file cannot be used, a chip is in two of them, or the simulated Earth has no such chip.
    """
    found = {name: _of_area(context, name, section) for name, section in context.config.areas.items()}
    chips = _together([chips for chips, _ in found.values()])
    if context.config.source.kind == "simulated":
        _refuse_other_grids(chips, context.config)
    return chips.take(hilbert_order(chips)), tuple(chain.from_iterable(notes for _, notes in found.values()))


def partition_paths(context: Context) -> Mapping[str, Path]:
    """Every partitions file and every CSV of splits, by what it is of."""
    files = {
        f"{what} of {name}": path
        for name, area in context.config.areas.items()
        for what, path in (("partitions", area.partitions), ("splits", area.splits))
    }
    return {name: context.study.resolve(path) for name, path in files.items() if path is not None}


def _of_area(context: Context, name: str, section: AreaSection) -> tuple[Chips, tuple[str, ...]]:
    assert section.partitions is not None, "the study file was checked: all areas have partitions, or none"
    splits = None if section.splits is None else context.study.resolve(section.splits)
    return read_partitions(context.study.resolve(section.partitions), splits, name)


def _together(parts: Sequence[Chips]) -> Chips:
    area_of: dict[str, str] = {}
    for chip_id, area in chain.from_iterable(zip(part.ids, part.area, strict=True) for part in parts):
        if chip_id in area_of:
            raise InputError(
                f"[areas]: chip '{chip_id}' is in the partitions of {area_of[chip_id]} and of {area}; each chip belongs to one area"
            )
        area_of[chip_id] = area
    is_on_grid = all(part.utm is not None for part in parts)
    lon_deg, lat_deg, footprint = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("lon_deg", "lat_deg", "footprint")
    )
    return Chips(
        tuple(area_of),
        tuple(area_of.values()),
        (None,) * len(area_of),
        tuple(chain.from_iterable(part.split for part in parts)),
        footprint,
        lon_deg,
        lat_deg,
        np.concatenate([part.utm for part in parts if part.utm is not None]) if is_on_grid else None,
    )


def _refuse_other_grids(chips: Chips, config: StudyConfig) -> None:
    size_m = config.grid.chip_px * config.grid.pixel_m
    odd = next((chip_id for chip_id in chips.ids if not _is_of(chip_id, size_m)), None)
    if odd is not None:
        raise InputError(
            f"[areas]: partitions hold chip '{odd}'; the simulated Earth knows the chips of our own grid of {size_m:g} m alone, by "
            'their identifiers; give images of these chips in a folder, with [source] kind = "folder", or set [grid] to their size'
        )


def _is_of(chip_id: str, size_m: float) -> bool:
    try:
        return chip_from_id(chip_id).size_m == size_m
    except InputError:
        return False
