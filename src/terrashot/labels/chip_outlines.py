"""Outlines of chips in the coordinate system of a map, dense enough that their sides bend as they should.

V: vertices of a ring. N: chips. P: vertices of all rings.
"""

from itertools import pairwise

import numpy as np
import pyproj
import shapely
from jaxtyping import Bool, Float64

from terrashot.domain.cells import Cells, halves_at_antimeridian, unrolled
from terrashot.domain.grid import to_degrees
from terrashot.domain.tables import Chips
from terrashot.errors import InputError
from terrashot.labels.shapes import Shapes, shapes_of_polygons, shapes_of_rings
from terrashot.raster.place import METRES_PER_DEGREE, between, is_geographic, is_same_crs

POINTS_A_SIDE = 16
DEGREES = "EPSG:4326"
MOST_STRETCHED = 50
"""How many times longer than on the ground a chip may be in a map's coordinates: in Mercator at 84 degrees it is ten times. One that
lies across the cut of a map of the whole globe is as long as the globe."""
Ground = Cells | np.ndarray
"""Chips of our own grid, whose sides are straight in metres of their zone; or shapely polygons in degrees (N,), straight there."""


def ground_of(chips: Chips, size_m: float | None) -> Ground:
    """Where the chips lie.

    Args:
        size_m: side of chips of our own grid; None where they are given.

    Raises:
        InputError: a chip's outline is not known.
    """
    if chips.utm is not None and size_m is not None:
        epsg, row, col = chips.utm.T
        return Cells(size_m, epsg, row, col)
    if chips.footprint is None or any(outline is None for outline in chips.footprint):
        raise InputError(
            "[labels.maps]: the outlines of the chips are not known, so that nothing can be read off a map; bring labels in a "
            'table, or give the areas partitions = "FILE"'
        )
    return chips.footprint


def take(ground: Ground, rows: np.ndarray) -> Ground:
    """The chips of these rows."""
    return ground.take(rows) if isinstance(ground, Cells) else ground[rows]


def outlines_deg(ground: Ground, points_a_side: int = POINTS_A_SIDE) -> Shapes:
    """Longitude and latitude, without a jump at the antimeridian: longitudes may go beyond 180."""
    if not isinstance(ground, Cells):
        whole = unrolled(ground)
        longest = np.maximum.reduce(shapely.bounds(whole)[:, 2:] - shapely.bounds(whole)[:, :2], axis=1)
        return shapes_of_polygons(whole if points_a_side == 1 else shapely.segmentize(whole, longest / points_a_side))
    rings = np.empty((len(ground), 4 * points_a_side, 2))
    for zone in np.unique(ground.epsg):
        rows = ground.epsg == zone
        x_m, y_m = _rings_m(ground.take(rows), points_a_side)
        rings[rows] = np.stack(to_degrees(int(zone)).transform(x_m, y_m), axis=-1)
    first = rings[:, :1, 0]
    rings[:, :, 0] = first + (rings[:, :, 0] - first + 180) % 360 - 180
    return shapes_of_rings(rings)


def way_round(points_a_side: int) -> tuple[Float64[np.ndarray, " V"], Float64[np.ndarray, " V"]]:
    """Along and up the sides of the unit square, from 0, 0 on along the first axis; each corner once."""
    along, still = np.arange(points_a_side) / points_a_side, np.zeros(points_a_side)
    return np.concatenate([along, still + 1, 1 - along, still]), np.concatenate([still, along, still + 1, 1 - along])


def _rings_m(cells: Cells, points_a_side: int) -> tuple[Float64[np.ndarray, "N V"], Float64[np.ndarray, "N V"]]:
    """Around from the south-western corner, counter-clockwise."""
    across, up = way_round(points_a_side)
    west, south, _, _ = cells.edges_m()
    return west[:, None] + cells.size_m * across, south[:, None] + cells.size_m * up


def outlines_on(crs: str, degrees: Shapes) -> Shapes:
    """The outlines in a map's own axes; a chip that has no place there, or that the map's edge tears apart, has no ring.

    Where the axes are degrees, longitudes go on without a jump. Elsewhere a chip across the antimeridian is cut there.
    """
    if is_same_crs(crs, DEGREES):
        return degrees
    if not is_geographic(crs):
        degrees = _cut_at_antimeridian(degrees)
    lon, lat = degrees.vertices.T
    x, y = between(DEGREES, crs).transform(lon, lat)
    if is_geographic(crs):
        x = lon + (x - lon + 180) % 360 - 180
    found = Shapes(np.column_stack([x, y]), degrees.ring_starts, degrees.shape_starts)
    return _without(found, ~_is_whole(found, degrees, crs))


def boxes_of(shapes: Shapes) -> Float64[np.ndarray, "N 4"]:
    """Least x and y, greatest x and y of each chip; NaN where it has no ring."""
    boxes = np.full((len(shapes), 4), np.nan)
    starts = shapes.ring_starts[shapes.shape_starts]
    has = np.diff(starts) > 0
    if has.any():
        boxes[has, :2] = np.minimum.reduceat(shapes.vertices, starts[:-1][has])
        boxes[has, 2:] = np.maximum.reduceat(shapes.vertices, starts[:-1][has])
    return boxes


def polygons_of(shapes: Shapes) -> np.ndarray:
    """Shapely multi-polygons (N,) of outlines without holes."""
    rings = [shapely.Polygon(part) for part in np.split(shapes.vertices, shapes.ring_starts[1:-1]) if len(part)]
    starts = shapes.shape_starts.tolist()
    found = np.empty(len(shapes), dtype=object)
    found[:] = [shapely.MultiPolygon(rings[a:b]) for a, b in pairwise(starts)]
    return found


def _cut_at_antimeridian(degrees: Shapes) -> Shapes:
    boxes = boxes_of(degrees)
    beyond = (boxes[:, 0] < -180) | (boxes[:, 2] > 180)
    if not beyond.any():
        return degrees
    shapes = polygons_of(degrees)
    for chip in np.flatnonzero(beyond):
        turned = shapely.transform(shapes[chip], lambda points: np.column_stack([points[:, 0] % 360, points[:, 1]]))
        halves = [half for half in halves_at_antimeridian(turned) if half.area > 0]
        step = np.ptp(boxes[chip, 1::2]) / POINTS_A_SIDE
        shapes[chip] = shapely.segmentize(shapely.union_all(halves), step)
    return shapes_of_polygons(shapes)


def _is_whole(found: Shapes, degrees: Shapes, crs: str) -> Bool[np.ndarray, " N"]:
    """Whether all of a chip has a place, and no larger one than it can have."""
    boxes, own = boxes_of(found), boxes_of(degrees)
    if is_geographic(crs):
        return np.isfinite(boxes).all(axis=1)
    unit_m = pyproj.CRS(crs).axis_info[0].unit_conversion_factor
    across = np.ptp(own[:, ::2], axis=1) * np.cos(np.radians(own[:, 1::2].mean(axis=1)))
    # Halves on both sides of the antimeridian lie a globe apart, rightly.
    is_cut = np.diff(found.shape_starts) > 1
    ground_m = np.hypot(across, np.ptp(own[:, 1::2], axis=1)) * METRES_PER_DEGREE
    length_m = np.hypot(*(boxes[:, 2:] - boxes[:, :2]).T) * unit_m
    return np.isfinite(boxes).all(axis=1) & (is_cut | (length_m < MOST_STRETCHED * ground_m))


def _without(shapes: Shapes, chips: Bool[np.ndarray, " N"]) -> Shapes:
    """The same, with no ring for these chips."""
    if not chips.any():
        return shapes
    n_rings = np.diff(shapes.shape_starts)
    is_kept = np.repeat(~chips, n_rings)
    lengths = np.diff(shapes.ring_starts)
    starts, parts = (np.concatenate([[0], np.cumsum(each)]) for each in (lengths[is_kept], np.where(chips, 0, n_rings)))
    return Shapes(shapes.vertices[np.repeat(is_kept, lengths)], starts, parts)
