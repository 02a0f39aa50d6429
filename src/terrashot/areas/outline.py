"""Outlines from files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from jaxtyping import Float64

from terrashot.domain.area import Outline
from terrashot.errors import InputError

MAX_BYTES = 50 << 20
MAX_VERTICES = 1_000_000
MAX_DEPTH = 20
MAX_NUMBERS = 4 * MAX_VERTICES
"""A vertex has two or three, and a comma a number; parsed, each takes ten times its bytes."""
POLYGONS = ("Polygon", "MultiPolygon")


def read_outline(path: Path) -> Outline:
    """The union of all polygons of a GeoJSON file, in degrees.

    Raises:
        InputError: missing, too large, no GeoJSON, no polygon, invalid, or not in degrees; says which.
    """
    shapes = [_shape(part, path) for part in _geometries(_content(path), path)]
    if not shapes:
        raise InputError(f"{path}: no polygon in it; an outline is a Polygon or a MultiPolygon")
    outline = shapely.union_all(shapes)
    if shapely.is_empty(outline) or shapely.area(outline) == 0:
        raise InputError(f"{path}: the outline is empty; draw an area, not a line or a point")
    return outline


def _content(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: over {MAX_BYTES >> 20} MiB; simplify the outline")
        text = path.read_text("utf-8-sig") if path.is_file() or not path.exists() else ""
        if text.count(",") > MAX_NUMBERS or text.count("[") > 2 * MAX_VERTICES:
            raise InputError(f"{path}: over {MAX_VERTICES} vertices; simplify the outline")
        return json.loads(text, object_pairs_hook=_object)
    except FileNotFoundError:
        raise InputError(f"{path}: no such outline file") from None
    except (ValueError, RecursionError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as GeoJSON: {_one_line(error)}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _geometries(content: Any, path: Path, depth: int = 0) -> list[dict[str, Any]]:
    """Every geometry in it, collections unpacked; a feature without a geometry adds none."""
    if not isinstance(content, dict) or not isinstance(content.get("type"), str):
        raise InputError(f"{path}: no GeoJSON: found {str(content)[:40]!r} where an object with a 'type' belongs")
    if depth > MAX_DEPTH:
        raise InputError(f"{path}: collections nested over {MAX_DEPTH} deep; flatten them")
    match content["type"]:
        case "FeatureCollection":
            parts = _listed(content, "features", path)
        case "GeometryCollection":
            parts = _listed(content, "geometries", path)
        case "Feature":
            parts = [content["geometry"]] if content.get("geometry") is not None else []
        case _:
            return [content]
    return [geometry for part in parts for geometry in _geometries(part, path, depth + 1)]


def _listed(content: dict[str, Any], key: str, path: Path) -> list[Any]:
    parts = content.get(key)
    if not isinstance(parts, list):
        raise InputError(f"{path}: a {content['type']} without a list of {key}; write the file anew from a GIS")
    return parts


def _shape(geometry: dict[str, Any], path: Path) -> Outline:
    if geometry["type"] not in POLYGONS:
        raise InputError(f"{path}: holds a {geometry['type'][:40]}; an outline is a Polygon or a MultiPolygon")
    try:
        coordinates = geometry["coordinates"]
        parts = [coordinates] if geometry["type"] == "Polygon" else coordinates
        rings = [[_ring(ring) for ring in part] for part in parts]
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise InputError(f"{path}: a {geometry['type']} whose coordinates are no rings: {_one_line(error)}") from None
    points = np.concatenate([np.empty((0, 2)), *(ring for part in rings for ring in part)])
    if len(points) > MAX_VERTICES:
        raise InputError(f"{path}: over {MAX_VERTICES} vertices; simplify the outline")
    _refuse_unless_degrees(points, path)
    return _valid(shapely.MultiPolygon([shapely.Polygon(part[0], part[1:]) for part in rings if part]), path)


def _valid(shape: Outline, path: Path) -> Outline:
    """The shape, or the one that is meant where a ring only touches itself, as in real coastlines: same ground."""
    if shapely.is_valid(shape):
        return shape
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shape)))
    mended = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    drawn, kept = shapely.area(shape), shapely.area(mended)
    if drawn == 0 or abs(kept - drawn) > 1e-6 * drawn:
        raise InputError(f"{path}: an invalid polygon ({shapely.is_valid_reason(shape)[:80]}); mend it in a GIS")
    return mended


def _ring(positions: Any) -> Float64[np.ndarray, "P 2"]:
    """A ring's points, longitude and latitude; heights are left out. P is its number of points."""
    if not isinstance(positions, list) or len(positions) < 3:
        raise ValueError(f"found {str(positions)[:40]!r} where a list of three positions or more belongs")
    pairs = [(lon, lat) for lon, lat, *_ in positions]
    if not {type(value) for pair in pairs for value in pair} <= {int, float}:
        raise ValueError(f"found {str(positions[0])[:40]!r} among positions of two numbers")
    points = np.array(pairs, dtype=np.float64)
    # Real files overshoot the antimeridian and the poles by a rounding of the last digit.
    inside = np.clip(points, (-180, -90), (180, 90))
    return np.where(np.abs(points - inside) < 1e-6, inside, points)


def _refuse_unless_degrees(points: Float64[np.ndarray, "P 2"], path: Path) -> None:
    if not np.isfinite(points).all():
        raise InputError(f"{path}: a coordinate is no finite number; write the file anew from a GIS")
    if not len(points) or (np.abs(points) <= (180, 90)).all():
        return
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    found = f"{path}: coordinates from {west:.6g}, {south:.6g} to {east:.6g}, {north:.6g}"
    if np.abs(points[:, 0]).max() <= 360 and np.abs(points[:, 1]).max() <= 90:
        raise InputError(f"{found} pass the antimeridian; cut the polygon in two there (RFC 7946, section 3.1.9)")
    raise InputError(f"{found} are no degrees of longitude and latitude; reproject to EPSG:4326, longitude first")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
