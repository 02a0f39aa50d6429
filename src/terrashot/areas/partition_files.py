"""Chips and their split as partitions files, so that geetiles and what is built on it can take them."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyproj
import shapely.geometry

from terrashot.areas.partition_splits import SPLITS
from terrashot.domain.tables import SPLIT_NAMES, Chips
from terrashot.errors import InputError

ELLIPSOID = pyproj.Geod(ellps="WGS84")
MARK, HEAD_BYTES = b"_partitions_aschips_", 300
"""Stands in the name of each set of chips, and that at the beginning of its file."""
AREA_NAME = re.compile(r"(?=.*[^.])[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class PartitionFiles:
    """The two files of one area."""

    geojson: str
    """Name of the GeoJSON."""
    features: bytes
    csv: str
    """Name of the CSV."""
    rows: bytes


def partition_files(chips: Chips) -> tuple[PartitionFiles, ...]:
    """A GeoJSON and a CSV for each area, by name; the same bytes whatever the order of the chips.

    A chip of the buffer has no row in the CSV, and `split` null in the GeoJSON.

    Raises:
        InputError: chips without outline or split, or an area whose name fits no file.
    """
    for chip_id, split in zip(chips.ids, chips.split, strict=True):
        if split not in SPLIT_NAMES:
            raise InputError(
                f"chip '{chip_id}': split '{split}' is none of {', '.join(SPLIT_NAMES)}; run the step chips"
            )
    return tuple(_of_area(area, own) for area, own in _by_area(chips))


def partition_outlines(chips: Chips) -> Mapping[str, bytes]:
    """The GeoJSON alone of each area, by the area's name, of chips of which nobody has said who trains.

    Raises:
        InputError: chips without outline, or an area whose name fits no file.
    """
    return {area: _geojson(_stem(area, own), own) for area, own in _by_area(chips)}


def is_partitions(path: Path) -> bool:
    """Whether a file begins as a GeoJSON of ours does."""
    with path.open("rb") as file:
        return MARK in file.read(HEAD_BYTES)


def _by_area(chips: Chips) -> Iterator[tuple[str, Chips]]:
    """The chips of each area, by name, in the order of their ids."""
    if chips.footprint is None:
        raise InputError("chips have no outline; partitions are polygons, which only georeferenced chips have")
    for area in dict.fromkeys(chips.area):
        if not AREA_NAME.fullmatch(area):
            raise InputError(f"area '{area[:60]}': a file is named after it; use 1 to 64 of A-Z a-z 0-9 . _ -")
    areas = np.array(chips.area, dtype=object)
    by_id = np.array(sorted(range(len(chips)), key=chips.ids.__getitem__), dtype=np.int64)
    for area in sorted(set(chips.area)):
        yield area, chips.take(by_id[areas[by_id] == area])


def _stem(area: str, chips: Chips) -> str:
    digest = sha256("\n".join(chips.ids).encode()).hexdigest()[:13]
    return f"{area}{MARK.decode()}{digest}"


def _of_area(area: str, chips: Chips) -> PartitionFiles:
    stem = _stem(area, chips)
    label = _shares(chips)
    return PartitionFiles(f"{stem}.geojson", _geojson(stem, chips), f"{stem}_splits_{label}.csv", _csv(chips))


def _shares(chips: Chips) -> str:
    """Whole percents of the chips that train, validate and test, as `60-20-20`."""
    counts = Counter(chips.split)
    total = max(1, sum(counts[name] for name in SPLITS))
    return "-".join(f"{100 * counts[name] / total:.0f}" for name in SPLITS)


def _geojson(stem: str, chips: Chips) -> bytes:
    assert chips.footprint is not None, "asked before"
    rows = zip(chips.ids, chips.split, chips.footprint, strict=True)
    features = ",\n".join(json.dumps(_feature(chip_id, split, shape)) for chip_id, split, shape in rows)
    head = json.dumps({"type": "FeatureCollection", "name": stem})
    return f'{head[:-1]}, "features": [\n{features}\n]}}\n'.encode()


def _feature(chip_id: str, split: str | None, shape: shapely.Geometry) -> Mapping[str, object]:
    area_m2, _ = ELLIPSOID.geometry_area_perimeter(shape)
    columns = {
        "area_km2": round(abs(area_m2) / 1e6, 6),
        "identifier": chip_id,
        "split": split if split in SPLITS else None,
    }
    return {"type": "Feature", "properties": columns, "geometry": shapely.geometry.mapping(shape)}


def _csv(chips: Chips) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("identifier", "split"))
    rows.writerows((chip_id, split) for chip_id, split in zip(chips.ids, chips.split, strict=True) if split in SPLITS)
    return text.getvalue().encode()
