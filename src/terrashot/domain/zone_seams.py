"""What lies in no chip, or in two, where the lattices of two UTM zones meet.

Inside a zone chips tile the plane. Where zones meet each keeps the chips whose centres are its own, and the lattices are turned
against each other: within half a chip's diagonal of the seam, and nowhere else, ground may be left out or covered twice.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
import pyproj
import shapely
from jaxtyping import Float64

from terrashot.domain.area import Area, Outline, box_outline, cells_in
from terrashot.domain.cells import Cells
from terrashot.domain.grid import NORTHERNMOST_DEG, SOUTHERNMOST_DEG, to_degrees, utm_zone

PANEL_DEG: Final = (3.0, 8.0)
"""Longitude and latitude: no zone ends inside such a panel, the exceptions of Norway and Svalbard included."""
SIDE_PARTS: Final = 8
"""A chip's side is straight in its zone alone; in so many parts it is elsewhere too, within a centimetre of 4,480 m."""
SMALLEST_SCALE: Final = 0.9996
"""Of a UTM zone, on its middle meridian: there a chip is largest."""
METRES_A_DEGREE: Final = 110_500.0
"""Of latitude, where it is shortest; of longitude at the equator it is more."""
CURVE_DEG: Final = 0.05
Line = tuple[float, float, float, float]
"""West, south, east, north of a side of a panel, of which two are the same."""


@dataclass(frozen=True, slots=True)
class SeamCover:
    """How much of an area's ground the seams between its zones cost."""

    ground_m2: float
    """Of the whole area."""
    uncovered_m2: float
    """In no chip of any zone, were the area's surroundings in the study too."""
    repeated_m2: float
    """In more than one chip, counted once for each chip after the first."""

    def sentence(self) -> str:
        """Both as shares of the ground."""
        uncovered, repeated = (part / self.ground_m2 for part in (self.uncovered_m2, self.repeated_m2))
        return (
            f"{uncovered:.3%} of the ground lies in no chip and {repeated:.3%} in two, all of it where UTM zones meet"
        )


def seam_cover(area: Area, chip_size_m: float) -> SeamCover | None:
    """The cost of the seams, by the areas of polygons in an equal-area projection; None where no seam meets the area."""
    reach = reach_m(chip_size_m)
    lines, strips = _seams_near(area.outline, reach)
    if not lines:
        return None
    costs, measured = np.zeros(2), shapely.Polygon()
    for line, strip in zip(lines, strips, strict=True):
        # Strips overlap at their ends: what one has measured is not the next one's.
        ground = shapely.intersection(area.outline, shapely.difference(strip, measured))
        measured = shapely.union(measured, strip)
        cells = cells_in(Area(area.name, _around(line, 2 * reach)), chip_size_m)
        costs += _measured(cells, ground, line[0])
    return SeamCover(float(shapely.area(_laid_flat(area.outline, 0.0))), *costs.tolist())


def reach_m(chip_size_m: float) -> float:
    """How far from a seam it can be felt, on the ground: the chip around a place further away has its centre on that side too."""
    return chip_size_m * math.sqrt(0.5) / SMALLEST_SCALE


def _seams_near(outline: Outline, reach: float) -> tuple[list[Line], list[Outline]]:
    """The sides of panels where zones meet that lie within reach of the outline, and all that is within reach of each."""
    strips = np.array([_around(line, reach) for line in _seams()], dtype=object)
    near = np.flatnonzero(shapely.intersects(outline, strips)).tolist()
    return [_seams()[index] for index in near], strips[near].tolist()


@lru_cache(maxsize=1)
def _seams() -> tuple[Line, ...]:
    """Every side of a panel that has another zone on either hand."""
    wide, high = PANEL_DEG
    found = []
    for west, south in product(np.arange(-180.0, 180.0, wide).tolist(), np.arange(-80.0, 84.0, high).tolist()):
        north = min(south + high, NORTHERNMOST_DEG)
        inside = _zone(west + wide / 2, (south + north) / 2)
        if _zone(west - wide / 2, (south + north) / 2) != inside:
            found.append((west, south, west, north))
        if _zone(west + wide / 2, max(south - high / 2, SOUTHERNMOST_DEG)) != inside:
            found.append((west, south, west + wide, south))
    return tuple(found)


def _zone(lon_deg: float, lat_deg: float) -> int:
    return int(utm_zone(np.array([(lon_deg + 180) % 360 - 180]), np.array([lat_deg]))[0])


def _around(line: Line, distance_m: float) -> Outline:
    """A box in degrees around a side that holds all within that distance, cut where UTM ends."""
    west, south, east, north = line
    high = distance_m / METRES_A_DEGREE
    south, north = max(south - high, SOUTHERNMOST_DEG), min(north + high, NORTHERNMOST_DEG)
    wide = high / math.cos(math.radians(max(abs(south), abs(north))))
    return box_outline((west - wide + 180) % 360 - 180, south, (east + wide + 180) % 360 - 180, north)


def _measured(cells: Cells, ground: shapely.Geometry, lon_deg: float) -> tuple[float, float]:
    """Square metres of the ground in no chip, and in more than one."""
    flat = _laid_flat(ground, lon_deg)
    of_zones = (cells.take(cells.epsg == zone) for zone in np.unique(cells.epsg))
    zones = [shapely.coverage_union_all(_chips_laid_flat(own, lon_deg)) for own in of_zones]
    covered = float(shapely.area(shapely.intersection(flat, shapely.union_all(zones))))
    singly = float(shapely.area(shapely.intersection(flat, np.array(zones))).sum())
    return float(shapely.area(flat)) - covered, singly - covered


def _laid_flat(shape: shapely.Geometry, lon_deg: float) -> shapely.Geometry:
    """A shape in degrees on the equal-area plane around a meridian, sides bent as they are straight in degrees."""

    def flat(points: Float64[np.ndarray, "P 2"]) -> Float64[np.ndarray, "P 2"]:
        return np.column_stack(_equal_area(lon_deg)(*points.T))

    # Halves at the antimeridian come together.
    return shapely.union_all(shapely.get_parts(shapely.transform(shapely.segmentize(shape, CURVE_DEG), flat)))


def _chips_laid_flat(cells: Cells, lon_deg: float) -> np.ndarray:
    """Polygons of one zone's chips on the plane of `_laid_flat`; neighbours share their points to the last bit."""
    west, south, east, north = (edge[:, None] for edge in cells.edges_m())
    part = np.arange(SIDE_PARTS) / SIDE_PARTS
    rise, side = part * cells.size_m, np.zeros(SIDE_PARTS)
    x_m = np.hstack([west + rise, east + side, east - rise, west + side, west])
    y_m = np.hstack([south + side, south + rise, north + side, north - rise, south])
    lon, lat = to_degrees(int(cells.epsg[0])).transform(x_m, y_m)
    flat = np.stack(_equal_area(lon_deg)(lon, lat), axis=-1)
    shapes: np.ndarray = shapely.polygons(flat)
    return shapes


@lru_cache(maxsize=256)
def _equal_area(lon_deg: float) -> pyproj.Proj:
    """Lambert's cylindrical projection: meridians and parallels stay straight, and areas what they are."""
    return pyproj.Proj(proj="cea", lon_0=lon_deg, ellps="WGS84")
