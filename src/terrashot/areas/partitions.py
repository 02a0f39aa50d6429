"""Chips of a partitions file, as geetiles writes them: GeoJSON, a polygon a chip, with its `identifier` and by choice its `split`.

Source: geetiles, commands `grid`, `random`, `select` and `split`; RFC 7946. Their identifiers are digests of the corners as they are
printed, and are taken as they stand. Their `area_km2` is measured in one UTM zone, and is not read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from terrashot.areas.drawn import POLYGONS
from terrashot.areas.geojson import crs_of, listed, parsed, rings_of
from terrashot.areas.partition_places import drawn_elsewhere, placed
from terrashot.areas.partition_splits import NO_SPLIT, SPLITS, Told, splits_of
from terrashot.domain.tables import ID, Chips
from terrashot.errors import InputError, one_line
from terrashot.store.csvfile import BadRows, refuse_rows, repeated

MAX_BYTES = 512 << 20
MAX_CHIPS = 1_000_000
MAX_PARTS = 32
"""Lists, and four times as many commas, that a chip may take in the text: its outline has some 20 corners at most."""
FEATURE = "feature"


@dataclass(frozen=True, slots=True)
class _Row:
    """One feature as it was found."""

    identifier: Any
    shape: shapely.Geometry | None
    split: Told
    wrong: str | None
    """Of its form; None where there is nothing."""


def read_partitions(path: Path, splits: Path | None, area: str) -> tuple[Chips, tuple[str, ...]]:
    """The file's chips, all of this area, and what a person must be told. Chips of our own grid have their place on it.

    Args:
        splits: the CSV beside it, which counts more than a column `split`; None where there is none.

    Raises:
        InputError: missing, too large, no GeoJSON of chips, not in EPSG:4326, or bad features or rows; counts them and names
            the first: an identifier that is none or stands twice, no valid polygon, no such split, a chip in one file alone.
    """
    content = partition_content(path)
    rows = [_row(feature) for feature in listed(content, "features", path)]
    if not rows:
        raise InputError(f"{path}: no feature in it; each is a chip")
    refuse_rows(path, [(number, row.wrong) for number, row in enumerate(rows, 1) if row.wrong], FEATURE)
    ids, shapes = tuple(row.identifier for row in rows), np.array([row.shape for row in rows], dtype=object)
    numbers = range(1, len(rows) + 1)
    refuse_rows(path, [*repeated(ids, numbers, FEATURE), *_bad_shapes(shapes)], FEATURE)
    lon_deg, lat_deg, utm = placed(ids, shapes)
    refuse_rows(path, drawn_elsewhere(ids, shapes, utm), FEATURE)
    told, notes = splits_of(path, ids, [row.split for row in rows], splits)
    unknown = (None,) * len(ids)
    return Chips(ids, (area,) * len(ids), unknown, told, shapes, lon_deg, lat_deg, utm), notes


def partition_content(path: Path) -> Mapping[str, Any]:
    """The FeatureCollection of a partitions file, its size and coordinate system checked.

    Raises:
        InputError: missing, too large, no GeoJSON of chips, or not in EPSG:4326.
    """
    text = _text(path)
    n_features = text.count('"Feature"')
    if n_features > MAX_CHIPS:
        raise InputError(f"{path}: over {MAX_CHIPS:,} chips; cut it into several areas")
    if text.count("[") > MAX_PARTS * (n_features + 1) or text.count(",") > 4 * MAX_PARTS * (n_features + 1):
        raise InputError(f"{path}: outlines of over {MAX_PARTS} corners a feature, or no GeoJSON of chips at all")
    content = parsed(text, path)
    if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
        raise InputError(f"{path}: no FeatureCollection; partitions are GeoJSON, as geetiles writes them")
    crs = crs_of(content, path)
    if crs is not None and not crs.equals(pyproj.CRS(4326), ignore_axis_order=True):
        raise InputError(
            f"{path}: coordinates in {crs.name}; partitions are in EPSG:4326, longitude first: reproject it"
        )
    return content


def _text(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path}: {'is no file' if path.exists() else 'no such partitions file'}")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: over {MAX_BYTES >> 20} MiB; cut it into several areas")
    try:
        return path.read_text("utf-8-sig")
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read as GeoJSON: {one_line(error)}") from None


def _row(feature: Any) -> _Row:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return _Row(None, None, NO_SPLIT, f"found {str(feature)[:40]!r} where a Feature belongs")
    told = feature.get("properties")
    columns: Mapping[str, Any] = told if isinstance(told, dict) else {}
    identifier, split = columns.get("identifier"), columns.get("split", NO_SPLIT)
    shape = _shape(feature.get("geometry"))
    wrong = _wrong_identifier(identifier, columns) or _wrong_split(split)
    return _Row(
        identifier,
        None if isinstance(shape, str) else shape,
        split,
        wrong or (shape if isinstance(shape, str) else None),
    )


def _wrong_identifier(identifier: Any, columns: Mapping[str, Any]) -> str | None:
    if identifier is None:
        return f"no 'identifier'; its columns are {', '.join(map(str, columns))[:80] or 'none'}"
    if not isinstance(identifier, str) or not ID.fullmatch(identifier):
        return f"identifier {identifier!r:.50} must be text, 1 to 128 of A-Z a-z 0-9 . _ -"
    return None


def _wrong_split(split: Any) -> str | None:
    if split is None or split is NO_SPLIT or split in SPLITS:
        return None
    return f"split {split!r:.40} is none of {', '.join(SPLITS)}"


def _shape(geometry: Any) -> shapely.Geometry | str:
    """The polygon or multi-polygon, or what is wrong with it."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in POLYGONS:
        return f"geometry of type {kind!r:.40}; a chip is a Polygon"
    try:
        rings = rings_of(geometry)
        if not all(np.isfinite(ring).all() for part in rings for ring in part):
            return f"a {kind} with a coordinate that is no finite number"
        parts = [shapely.Polygon(part[0], part[1:]) for part in rings]
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        return f"a {kind} whose coordinates are no rings: {one_line(error, 80)}"
    return parts[0] if kind == "Polygon" else shapely.MultiPolygon(parts)


def _bad_shapes(shapes: np.ndarray) -> BadRows:
    """Number and reason of each outline that covers no ground, crosses itself or is not in degrees."""
    west, south, east, north = shapely.bounds(shapes).T
    is_inside = (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90)
    is_whole = shapely.is_valid(shapes) & (shapely.area(shapes) > 0)
    bad = [(int(row) + 1, "coordinates are no degrees of longitude and latitude") for row in np.flatnonzero(~is_inside)]
    return bad + [
        (int(row) + 1, f"no valid polygon: {shapely.is_valid_reason(shapes[row])[:60]}")
        for row in np.flatnonzero(is_inside & ~is_whole)
    ]
