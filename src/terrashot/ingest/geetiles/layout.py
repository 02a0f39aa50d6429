"""What lies where in a folder of published chips: areas, their splits, their data sets, a tile a chip.

`AREA_partitions_KIND_DIGEST.geojson`, `..._splits*.csv` beside it, and the folder of the same name with a folder a data set. The
GeoJSON may lie in the folder that is named or one below. `NAME.dataset_def.py`, the code that made a data set, is never looked into.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from terrashot.errors import InputError, UsageError
from terrashot.ingest.geetiles.names import ChipSet, area_of, chip_set
from terrashot.ingest.inside import refuse_outside
from terrashot.ingest.skipped import SKIPPED

SPLITS_MARK: Final = "_splits"
PARQUET_MARK: Final = "_parquet"
"""Ends the name of M3LEO's copy of a splits file, which also says in which Parquet file a chip lies."""
ENDINGS: Final = (".tif", ".nc")


@dataclass(frozen=True, slots=True)
class PublishedArea:
    """One area's files."""

    name: str
    geojson: Path
    splits: Path | None
    folder: Path
    """Holds a folder a data set; need not be there."""
    sets: tuple[ChipSet, ...]
    others: tuple[str, ...]
    """Data sets that are not read."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The files of one data set."""

    chip_set: ChipSet
    folder: Path
    files: Mapping[str, str]
    """Name of the tile by chip."""
    skipped: Mapping[str, str]
    """Name of the file that says why there is none, by chip."""
    strangers: int
    """Files of no chip of the area."""


def find_areas(source: Path, splits: str | None = None) -> tuple[PublishedArea, ...]:
    """Every area, by name.

    Args:
        splits: the end of the name of the splits file to take, where an area has several: `60bands_angle09_60-20-20`.

    Raises:
        InputError: there is none, or a file leads out of the folder.
        UsageError: an area has two partitions files, or several splits files and none is named.
    """
    if not source.is_dir():
        raise InputError(f"{source}: no such folder; give the one that holds AREA_partitions_KIND_DIGEST.geojson")
    found = sorted([*source.glob("*.geojson"), *source.glob("*/*.geojson")])
    named = {path: area for path in found if (area := area_of(path.stem)) is not None}
    if not named:
        raise InputError(
            f"{source}: no AREA_partitions_KIND_DIGEST.geojson in it or one folder below"
            f"{f'; {found[0].name} has another name' if found else ''}"
        )
    areas: dict[str, PublishedArea] = {}
    for path, name in named.items():
        if name in areas:
            raise UsageError(
                f"{areas[name].geojson} and {path} are both of area {name}; import each into its own folder"
            )
        refuse_outside(path, source)
        areas[name] = _area(source, path, name, splits)
    return tuple(areas[name] for name in sorted(areas))


def sets_in(folder: Path) -> tuple[tuple[ChipSet, ...], tuple[str, ...]]:
    """The data sets in an area's folder that are read, and the names of the others."""
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()) if folder.is_dir() else []
    sets = tuple(found for entry in names if (found := chip_set(entry)) is not None)
    return sets, tuple(entry for entry in names if chip_set(entry) is None)


def find_tiles(area: PublishedArea, chips: set[str], source: Path) -> tuple[Tiles, ...]:
    """The tiles of every data set of an area that is read.

    Raises:
        InputError: two tiles of one chip, a data set whose tiles are of no chip, or a folder that leads out of the source.
    """
    return tuple(_tiles(area.folder / found.name, found, chips, source) for found in area.sets)


def _area(source: Path, path: Path, name: str, splits: str | None) -> PublishedArea:
    folder = path.with_suffix("")
    refuse_outside(folder, source)
    sets, others = sets_in(folder)
    chosen = _splits(path, splits)
    if chosen is not None:
        refuse_outside(chosen, source)
    return PublishedArea(name, path, chosen, folder, sets, others)


def _splits(geojson: Path, wanted: str | None) -> Path | None:
    """The CSV beside it; of two that differ in M3LEO's ending alone the plain one."""
    start = f"{geojson.stem}{SPLITS_MARK}"
    by_label: dict[str, Path] = {}
    for path in sorted(geojson.parent.glob("*.csv")):
        if path.name.startswith(start):
            label = path.stem.removeprefix(start).strip("_")
            by_label.setdefault(label.removesuffix(PARQUET_MARK), path)
    if wanted is not None:
        if wanted not in by_label:
            raise UsageError(f"--splits {wanted}: no {start}_{wanted}.csv; there are {', '.join(by_label) or 'none'}")
        return by_label[wanted]
    if len(by_label) > 1:
        raise UsageError(
            f"{geojson.parent}: several splits of {geojson.stem}; say which with --splits {next(iter(by_label))}"
        )
    return next(iter(by_label.values()), None)


def _tiles(folder: Path, chip_set: ChipSet, chips: set[str], source: Path) -> Tiles:
    refuse_outside(folder, source)
    files: dict[str, str] = {}
    skipped: dict[str, str] = {}
    strangers: list[str] = []
    for name in sorted(entry.name for entry in os.scandir(folder)):
        stem, dot, last = name.rpartition(".")
        ending = dot + last
        if ending not in (*ENDINGS, SKIPPED) or name.startswith("."):
            continue
        if stem not in chips:
            strangers.append(name)
            continue
        into = skipped if ending == SKIPPED else files
        if stem in into:
            raise InputError(f"{folder / name}: chip '{stem}' has {into[stem]} too; keep one of them")
        into[stem] = name
    if strangers and not files and not skipped:
        raise InputError(
            f"{folder}: none of its {len(strangers)} tiles is of a chip of the area, the first "
            f"{strangers[0]}; it belongs to other partitions"
        )
    return Tiles(chip_set, folder, files, {k: v for k, v in skipped.items() if k not in files}, len(strangers))


def spread(names: Sequence[str], most: int) -> Sequence[str]:
    """At most so many, spread evenly over all."""
    return names[:: -(-len(names) // most)] if names else ()
