"""Polygons of a GeoJSON file.

Source: RFC 7946; of the older form (2008) the member `crs`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from jaxtyping import Float64

from terrashot.areas.drawn import MAX_VERTICES, POLYGONS, Drawn
from terrashot.errors import InputError, one_line

MAX_DEPTH = 20
MAX_NUMBERS = 4 * MAX_VERTICES
"""A vertex has two or three, and a comma a number; parsed, each takes ten times its bytes."""


def read_geojson(text: str, path: Path) -> Drawn:
    """Every polygon in it.

    Raises:
        InputError: no GeoJSON, another geometry than polygons, or coordinates that are no rings.
    """
    if text.count(",") > MAX_NUMBERS or text.count("[") > 2 * MAX_VERTICES:
        raise InputError(f"{path}: over {MAX_VERTICES} vertices; simplify the outline")
    content = parsed(text, path)
    features = [_shape(geometry, path) for geometry in _geometries(content, path)]
    shapes = [shape for shape, _ in features]
    return Drawn(np.array(shapes, dtype=object), crs_of(content, path), any(has_height for _, has_height in features))


def parsed(text: str, path: Path) -> Any:
    """The JSON of a text.

    Raises:
        InputError: it is none, too deep, or names a key twice in one object.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as GeoJSON: {one_line(error)}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _geometries(content: Any, path: Path, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every geometry in it, collections unpacked; a feature without a geometry adds none."""
    if not isinstance(content, dict) or not isinstance(content.get("type"), str):
        raise InputError(f"{path}: no GeoJSON: found {str(content)[:40]!r} where an object with a 'type' belongs")
    if depth > MAX_DEPTH:
        raise InputError(f"{path}: collections nested over {MAX_DEPTH} deep; flatten them")
    match content["type"]:
        case "FeatureCollection":
            parts = listed(content, "features", path)
        case "GeometryCollection":
            parts = listed(content, "geometries", path)
        case "Feature":
            parts = [content["geometry"]] if content.get("geometry") is not None else []
        case _:
            yield content
            return
    for part in parts:
        yield from _geometries(part, path, depth + 1)


def listed(content: Mapping[str, Any], key: str, path: Path) -> list[Any]:
    """The list under this key of a collection.

    Raises:
        InputError: there is none.
    """
    parts = content.get(key)
    if not isinstance(parts, list):
        raise InputError(f"{path}: a {content['type']} without a list of {key}; write the file anew from a GIS")
    return parts


def _shape(geometry: dict[str, Any], path: Path) -> tuple[shapely.MultiPolygon, bool]:
    """The polygon, and whether heights stood beside its coordinates."""
    if geometry["type"] not in POLYGONS:
        raise InputError(f"{path}: holds a {geometry['type'][:40]}; an outline is a Polygon or a MultiPolygon")
    try:
        rings = rings_of(geometry)
        has_height = any(len(position) > 2 for part in _parts(geometry) for ring in part for position in ring)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise InputError(f"{path}: a {geometry['type']} whose coordinates are no rings: {one_line(error)}") from None
    if not all(np.isfinite(ring).all() for part in rings for ring in part):
        raise InputError(f"{path}: a coordinate is no finite number; write the file anew from a GIS")
    return shapely.MultiPolygon([shapely.Polygon(part[0], part[1:]) for part in rings if part]), has_height


def rings_of(geometry: Mapping[str, Any]) -> list[list[Float64[np.ndarray, "P 2"]]]:
    """The rings of each part of a Polygon or a MultiPolygon, the outer one first.

    Raises:
        ValueError, TypeError, KeyError, IndexError, OverflowError: the coordinates are no rings.
    """
    return [[_ring(ring) for ring in part] for part in _parts(geometry)]


def _parts(geometry: Mapping[str, Any]) -> list[Any]:
    coordinates = geometry["coordinates"]
    return [coordinates] if geometry["type"] == "Polygon" else coordinates


def _ring(positions: Any) -> Float64[np.ndarray, "P 2"]:
    """A ring's points, longitude and latitude; heights are left out. P is its number of points."""
    if not isinstance(positions, list) or len(positions) < 3:
        raise ValueError(f"found {str(positions)[:40]!r} where a list of three positions or more belongs")
    pairs = [(lon, lat) for lon, lat, *_ in positions]
    if not {type(value) for pair in pairs for value in pair} <= {int, float}:
        raise ValueError(f"found {str(positions[0])[:40]!r} among positions of two numbers")
    return np.array(pairs, dtype=np.float64)


def crs_of(content: Any, path: Path) -> pyproj.CRS | None:
    """What the older form says of its coordinates; the newer one knows degrees alone, and says nothing."""
    member = content.get("crs")
    if member is None:
        return None
    try:
        return pyproj.CRS.from_user_input(member["properties"]["name"])
    except (pyproj.exceptions.CRSError, TypeError, KeyError) as error:
        raise InputError(f"{path}: its 'crs' names no coordinates that are known ({one_line(error)})") from None
