"""The land of the Earth, where the package was built with it: Natural Earth at 1:50 million.

Source: Natural Earth (public domain) as TopoJSON of `world-atlas` (ISC), taken in by `hatch_build.py`; the form is that of
the TopoJSON specification 1.0, sections 2.1.2 (transforms) and 2.1.4 (arcs).
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import shapely
from jaxtyping import Float64

PACKAGE, FILE = "terrashot_coastlines", "land-50m.json"
WORLD = shapely.box(-180, -90, 180, 90)


@cache
def land_of_the_earth() -> shapely.MultiPolygon | None:
    """Land in degrees, cut at the antimeridian; None where the package was built without it."""
    try:
        text = (resources.files(PACKAGE) / FILE).read_text("utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        return None
    return land_of_topology(json.loads(text))


def land_of_topology(topology: dict[str, Any]) -> shapely.MultiPolygon:
    """Every polygon of the object `land`, cut at the antimeridian; a ring around a pole reaches to the pole."""
    arcs = [_in_degrees(arc, topology["transform"]) for arc in topology["arcs"]]
    polygons = [polygon for shape in topology["objects"]["land"]["geometries"] for polygon in _polygons(shape)]
    drawn = np.array([shapely.Polygon(*_rings(arcs, polygon)) for polygon in polygons], dtype=object)
    parts = shapely.get_parts([_cut(shape) for shape in shapely.make_valid(drawn)])
    return shapely.MultiPolygon([part for part in shapely.get_parts(parts) if part.geom_type == "Polygon"])


def _polygons(shape: dict[str, Any]) -> Sequence[Sequence[Sequence[int]]]:
    return shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]


def _in_degrees(arc: Sequence[Sequence[int]], transform: dict[str, Sequence[float]]) -> Float64[np.ndarray, "P 2"]:
    """Points of an arc, written as steps on a lattice. P: points."""
    return np.cumsum(np.array(arc, dtype=np.int64), axis=0) * transform["scale"] + transform["translate"]


def _rings(arcs: Sequence[np.ndarray], polygon: Sequence[Sequence[int]]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The shell and its holes; both run on beyond 180 where they cross the antimeridian."""
    shell, *holes = (_ring(arcs, numbers) for numbers in polygon)
    turns = [round((shell[:, 0].mean() - hole[:, 0].mean()) / 360) for hole in holes]
    return shell, [hole + np.array([360 * turn, 0]) for hole, turn in zip(holes, turns, strict=True)]


def _ring(arcs: Sequence[np.ndarray], numbers: Sequence[int]) -> Float64[np.ndarray, "P 2"]:
    """Points of a ring; a negative number is an arc taken backwards, counted from -1."""
    points = np.concatenate([arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers])
    lon, lat = np.unwrap(points[:, 0], period=360), points[:, 1]
    if abs(lon[-1] - lon[0]) > 180:  # around a pole: of land, the southern
        lon, lat = np.r_[lon, lon[-1], lon[0]], np.r_[lat, -90.0, -90.0]
    return np.column_stack([lon, lat])


def _cut(shape: shapely.Geometry) -> shapely.Geometry:
    """What runs on beyond the antimeridian moved to where it is."""
    west, _, east, _ = shapely.bounds(shape)
    if west >= -180 and east <= 180:
        return shape
    turned = [
        shapely.transform(shape, lambda points, turn=turn: points + np.array([turn, 0])) for turn in (-360, 0, 360)
    ]
    return shapely.union_all(shapely.intersection(turned, WORLD))
