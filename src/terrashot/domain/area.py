"""Areas of interest, and the chips whose centres they hold."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely

from terrashot.domain.grid import Chip, Grid, to_degrees, to_metres, utm_zone
from terrashot.errors import InputError

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


def chips_of(area: Area, chip_size_m: float) -> list[Chip]:
    """The chips whose centres the area holds, each of the zone that owns its centre, in the order of their ids."""
    found = [chip for epsg in _zones(area.outline) for chip in _chips_in_zone(epsg, area.outline, chip_size_m)]
    return sorted(found, key=lambda chip: chip.id)


def _zones(outline: Outline) -> list[int]:
    """Every zone that a 1.5-degree lattice over the outline's box meets."""
    west, south, east, north = shapely.bounds(outline)
    lon, lat = np.meshgrid(_steps(west, east), _steps(south, north))
    return [int(epsg) for epsg in np.unique(utm_zone(lon.ravel(), lat.ravel()))]


def _steps(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, max(2, int(np.ceil((high - low) / 1.5)) + 1))


def _chips_in_zone(epsg: int, outline: Outline, chip_size_m: float) -> list[Chip]:
    centre_deg = (epsg % 100) * 6 - 183
    # A zone's own strip, widened for the exceptions of Norway and Svalbard; south of the equator by its own metres.
    strip = shapely.box(centre_deg - 9, -90 if epsg > 32700 else 0, centre_deg + 9, 0 if epsg > 32700 else 90)
    inside = shapely.intersection(outline, strip)
    if shapely.is_empty(inside) or shapely.area(inside) == 0:
        return []
    row, col = _candidates(epsg, inside, chip_size_m)
    grid = Grid(epsg, chip_size_m)
    x_m = grid.origin_x_m + (col + 0.5) * chip_size_m
    y_m = grid.origin_y_m - (row + 0.5) * chip_size_m
    lon, lat = to_degrees(epsg).transform(x_m, y_m)
    kept = shapely.contains_xy(outline, lon, lat)
    kept[kept] = utm_zone(lon[kept], lat[kept]) == epsg
    return [grid.chip(int(r), int(c)) for r, c in zip(row[kept], col[kept], strict=True)]


def _candidates(epsg: int, inside: Outline, chip_size_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of every lattice place in the zone's box around the outline."""
    dense = shapely.segmentize(shapely.envelope(inside), 0.25)
    lon, lat = shapely.get_coordinates(dense).T
    x_m, y_m = to_metres(epsg).transform(lon, lat)
    grid = Grid(epsg, chip_size_m)
    first, last = grid.chip_at(x_m.min(), y_m.max()), grid.chip_at(x_m.max(), y_m.min())
    rows, cols = np.arange(first.row - 1, last.row + 2), np.arange(first.col - 1, last.col + 2)
    row, col = np.meshgrid(rows[rows >= 0], cols[cols >= 0], indexing="ij")
    return row.ravel().astype(np.float64), col.ravel().astype(np.float64)
