"""What a file draws, as an outline in degrees: mended where there is one right way, and said; else refused."""

from pathlib import Path

import numpy as np
import pyproj
import shapely
from jaxtyping import Float64

from terrashot.areas.drawn import Drawn
from terrashot.domain.area import Outline
from terrashot.domain.cells import halves_at_antimeridian
from terrashot.errors import InputError

ROUNDING_DEG = 1e-6
"""Real files overshoot the antimeridian and the poles by a rounding of the last digit."""
CURVE_PARTS = 64
"""A straight side in another projection is cut into so many pieces, for in degrees it is none."""
ALLOWED_AREA_CHANGE = 1e-6


def mended(drawn: Drawn, path: Path) -> tuple[Outline, tuple[str, ...]]:
    """The union of all polygons, longitude and latitude in degrees, and what was mended.

    Raises:
        InputError: no polygon, invalid, empty, or no degrees, in a way that could mean more than one thing.
    """
    if not len(drawn.shapes):
        raise InputError(f"{path}: no polygon in it; an outline is a Polygon or a MultiPolygon")
    notes = ["heights are left out"] if drawn.has_heights else []
    shapes, said = _in_degrees(drawn, path)
    notes += said
    outline = shapely.union_all([_valid(shape, path) for shape in shapes])
    if shapely.is_empty(outline) or shapely.area(outline) == 0:
        raise InputError(f"{path}: the outline is empty; draw an area, not a line or a point")
    return outline, tuple(f"{path.name}: {note}" for note in notes)


def _in_degrees(drawn: Drawn, path: Path) -> tuple[np.ndarray, list[str]]:
    if drawn.crs is not None and not _is_plain(drawn.crs):
        return _reprojected(drawn, drawn.crs, path), [f"reprojected from {drawn.crs.name}"]
    points = shapely.get_coordinates(drawn.shapes)
    if not np.isfinite(points).all():
        raise InputError(f"{path}: a coordinate is no finite number; write the file anew from a GIS")
    if not len(points) or _fits(points, 180, 90):
        return shapely.transform(drawn.shapes, _without_rounding), []
    if _fits(points, 90, 180):
        swapped = shapely.transform(drawn.shapes, lambda pairs: _without_rounding(pairs[:, ::-1]))
        return swapped, ["latitude stood before longitude: put right"]
    if _fits(points, 360, 90) and points[:, 0].min() >= -180 - ROUNDING_DEG:
        halves = [shapely.union(*halves_at_antimeridian(shape)) for shape in drawn.shapes]
        return np.array(halves), ["longitudes beyond 180 degrees: cut at the antimeridian"]
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    raise InputError(
        f"{path}: coordinates from {west:.6g}, {south:.6g} to {east:.6g}, {north:.6g} are no degrees of longitude and latitude, "
        "and the file does not say what they are; reproject to EPSG:4326, longitude first"
    )


def _is_plain(crs: pyproj.CRS) -> bool:
    """Degrees on an ellipsoid within metres of that of GPS: nothing to reproject."""
    return bool(crs.is_geographic) and crs.prime_meridian is not None and crs.prime_meridian.longitude == 0


def _fits(points: Float64[np.ndarray, "P 2"], most_x: float, most_y: float) -> bool:
    return bool((np.abs(points) <= np.array([most_x, most_y]) + ROUNDING_DEG).all())


def _without_rounding(points: Float64[np.ndarray, "P 2"]) -> Float64[np.ndarray, "P 2"]:
    return np.clip(points, (-180, -90), (180, 90))


def _reprojected(drawn: Drawn, crs: pyproj.CRS, path: Path) -> np.ndarray:
    west, south, east, north = shapely.total_bounds(drawn.shapes)
    dense = shapely.segmentize(drawn.shapes, max(east - west, north - south) / CURVE_PARTS)
    to_degrees = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
    shapes = shapely.transform(dense, lambda points: np.column_stack(to_degrees.transform(*points.T)))
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise InputError(f"{path}: coordinates lie where {crs.name} does not reach; is this the right one?")
    return shapes


def _valid(shape: Outline, path: Path) -> Outline:
    """The shape, or the one that is meant where a ring only touches itself, as in real coastlines: same ground."""
    if shapely.is_valid(shape):
        return shape
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shape)))
    whole = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    drawn, kept = shapely.area(shape), shapely.area(whole)
    if drawn == 0 or abs(kept - drawn) > ALLOWED_AREA_CHANGE * drawn:
        raise InputError(f"{path}: an invalid polygon ({shapely.is_valid_reason(shape)[:80]}); mend it in a GIS")
    return whole
