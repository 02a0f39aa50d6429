"""Outlines from files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from terrashot.domain.area import Outline
from terrashot.errors import InputError

MAX_BYTES = 50 << 20
MAX_VERTICES = 1_000_000
POLYGONS = ("Polygon", "MultiPolygon")


def read_outline(path: Path) -> Outline:
    """The union of all polygons of a GeoJSON file, in degrees.

    Raises:
        InputError: missing, too large, no GeoJSON, no polygon, invalid, or not in degrees; says which.
    """
    shapes = [_shape(part, path) for part in _geometries(_content(path), path)]
    if not shapes:
        raise InputError(f"{path}: no polygon in it; an outline is a Polygon or a MultiPolygon")
    outline = shapely.force_2d(shapely.union_all(shapes))
    if shapely.is_empty(outline) or shapely.area(outline) == 0:
        raise InputError(f"{path}: the outline is empty; draw an area, not a line or a point")
    return outline


def _content(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: over {MAX_BYTES >> 20} MiB; simplify the outline")
        return json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such outline file") from None
    except (ValueError, RecursionError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as GeoJSON: {' '.join(str(error).split())[:120]}") from None


def _geometries(content: Any, path: Path) -> list[Any]:
    if not isinstance(content, dict) or "type" not in content:
        raise InputError(f"{path}: no GeoJSON: the top must be an object with a 'type'")
    match content["type"]:
        case "FeatureCollection":
            return [geometry for feature in content.get("features") or [] for geometry in _geometries(feature, path)]
        case "Feature":
            return _geometries(content.get("geometry"), path)
        case "GeometryCollection":
            return [part for geometry in content.get("geometries") or [] for part in _geometries(geometry, path)]
        case _:
            return [content]


def _shape(geometry: dict[str, Any], path: Path) -> Outline:
    if geometry["type"] not in POLYGONS:
        raise InputError(f"{path}: holds a {geometry['type']}; an outline is a Polygon or a MultiPolygon")
    try:
        shape = shapely.geometry.shape(geometry)
    except (ValueError, TypeError, KeyError, IndexError, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"{path}: a {geometry['type']} with coordinates that make no polygon: {str(error)[:80]}"
        ) from None
    if shapely.get_num_coordinates(shape) > MAX_VERTICES:
        raise InputError(f"{path}: over {MAX_VERTICES} vertices; simplify the outline")
    if not shapely.is_valid(shape):
        raise InputError(f"{path}: an invalid polygon ({shapely.is_valid_reason(shape)[:80]}); mend it in a GIS")
    return _in_degrees(shape, path)


def _in_degrees(shape: Outline, path: Path) -> Outline:
    points = shapely.get_coordinates(shape)
    if len(points) and (not np.isfinite(points).all() or (np.abs(points) > (180, 90)).any()):
        west, south, east, north = shapely.bounds(shape)
        raise InputError(
            f"{path}: coordinates from {west:.6g}, {south:.6g} to {east:.6g}, {north:.6g} are no degrees of longitude "
            "and latitude; reproject to EPSG:4326, longitude first"
        )
    return shape
