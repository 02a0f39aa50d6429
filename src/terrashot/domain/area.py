"""Areas of interest, and the chips whose centres they hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely

from terrashot.domain.cells import Cells, centres_deg, joined
from terrashot.domain.grid import Grid, to_metres, utm_zone
from terrashot.errors import InputError

PLACES_AT_ONCE = 1 << 18
"""Of the lattice, looked at together: memory does not grow with the area."""
Outline: TypeAlias = shapely.Polygon | shapely.MultiPolygon


@dataclass(frozen=True, slots=True)
class Area:
    """A named outline in degrees of longitude and latitude; parts may lie in several UTM zones."""

    name: str
    outline: Outline


def box_outline(west: float, south: float, east: float, north: float) -> Outline:
    """A box in degrees; west above east crosses the antimeridian.

    Raises:
        InputError: not a box on the globe.
    """
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90) or west == east:
        raise InputError(
            f"box [{west}, {south}, {east}, {north}]: needs west, south, east, north in degrees, south below north; "
            "metres or swapped latitude and longitude do not fit"
        )
    if west < east:
        return shapely.box(west, south, east, north)
    return shapely.MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def cells_in(area: Area, chip_size_m: float) -> Cells:
    """The chips whose centres the area holds, each of the zone that owns its centre, in the order of their ids.

    Raises:
        InputError: the area reaches beyond 84 N or 80 S.
    """
    shapely.prepare(area.outline)  # an index: a coastline has a hundred thousand corners
    found = [cells for epsg in _zones(area.outline) for cells in _in_zone(epsg, area.outline, chip_size_m)]
    return joined(found, chip_size_m)


def _zones(outline: Outline) -> list[int]:
    """Every zone that a 1.5-degree lattice over the outline's box meets."""
    west, south, east, north = shapely.bounds(outline)
    lon, lat = np.meshgrid(_steps(west, east), _steps(south, north))
    return [int(epsg) for epsg in np.unique(utm_zone(lon.ravel(), lat.ravel()))]


def _steps(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, max(2, int(np.ceil((high - low) / 1.5)) + 1))


def _in_zone(epsg: int, outline: Outline, chip_size_m: float) -> Iterator[Cells]:
    centre_deg = (epsg % 100) * 6 - 183
    # A zone's own strip, widened for the exceptions of Norway and Svalbard; south of the equator by its own metres.
    strip = shapely.box(centre_deg - 9, -90 if epsg > 32700 else 0, centre_deg + 9, 0 if epsg > 32700 else 90)
    inside = shapely.intersection(outline, strip)
    if shapely.is_empty(inside) or shapely.area(inside) == 0:
        return
    for places in _candidates(epsg, inside, chip_size_m):
        lon, lat = centres_deg(places)
        kept = shapely.contains_xy(outline, lon, lat)
        kept[kept] = utm_zone(lon[kept], lat[kept]) == epsg
        yield places.take(kept)


def _candidates(epsg: int, inside: Outline, chip_size_m: float) -> Iterator[Cells]:
    """Every place of the lattice in the zone's box around the outline, some rows at a time."""
    dense = shapely.segmentize(shapely.envelope(inside), 0.25)
    lon, lat = shapely.get_coordinates(dense).T
    x_m, y_m = to_metres(epsg).transform(lon, lat)
    grid = Grid(epsg, chip_size_m)
    first, last = grid.chip_at(x_m.min(), y_m.max()), grid.chip_at(x_m.max(), y_m.min())
    cols = np.arange(max(0, first.col - 1), last.col + 2)
    at_once = max(1, PLACES_AT_ONCE // max(1, len(cols)))  # none where the outline lies beyond the antimeridian
    for top in range(max(0, first.row - 1), last.row + 2, at_once):
        row, col = np.meshgrid(np.arange(top, min(top + at_once, last.row + 2)), cols, indexing="ij")
        yield Cells(chip_size_m, np.full(row.size, epsg), row.ravel(), col.ravel())
