"""The ground of a chip, cut into cells of about a pixel: where published pixels are looked up.

n: cells of a strip.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64

from terrashot.domain.grid import CHIP_ID, Bounds, chip_from_id, to_metres, utm_zone
from terrashot.domain.tables import Chips
from terrashot.errors import InputError

MAX_CELLS_A_SIDE = 1 << 14
"""36 times the paper's chip."""
SAMPLES_A_SIDE = 5

Places = Float64[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """One chip on the plane of its UTM zone."""

    chip_id: str
    epsg: int
    bounds_m: Bounds
    shape: shapely.Geometry | None = None
    """In metres; None where the chip fills its bounds."""

    @property
    def crs(self) -> str:
        return f"EPSG:{self.epsg}"

    def samples(self) -> tuple[Places, Places]:
        """x and y of a few points over the bounds, edges and corners among them."""
        west, south, east, north = self.bounds_m
        x, y = np.meshgrid(np.linspace(west, east, SAMPLES_A_SIDE), np.linspace(south, north, SAMPLES_A_SIDE))
        return x.ravel(), y.ravel()

    def strips(self, pixel_m: float, cells_at_once: int) -> Iterator[tuple[Places, Places]]:
        """x and y of the middles of the chip's cells, from north to south, some whole rows of cells at once.

        A cell is as large as a pixel, or a little more or less, so that whole cells fill the bounds; it belongs to the chip
        if its middle does.

        Raises:
            InputError: the chip has too many cells.
        """
        west, south, east, north = self.bounds_m
        n_across, n_down = (max(1, round(side / pixel_m)) for side in (east - west, north - south))
        if max(n_across, n_down) > MAX_CELLS_A_SIDE:
            raise InputError(
                f"chip '{self.chip_id}': {n_across} x {n_down} pixels of {pixel_m:g} m, more than {MAX_CELLS_A_SIDE} a "
                "side; take smaller chips"
            )
        across = west + (np.arange(n_across) + 0.5) * ((east - west) / n_across)
        down = north - (np.arange(n_down) + 0.5) * ((north - south) / n_down)
        rows_at_once = max(1, cells_at_once // n_across)
        for start in range(0, n_down, rows_at_once):
            y, x = (part.ravel() for part in np.meshgrid(down[start : start + rows_at_once], across, indexing="ij"))
            if self.shape is not None:
                inside = shapely.contains_xy(self.shape, x, y)
                x, y = x[inside], y[inside]
            yield x, y


def grounds_of(chips: Chips, where: str) -> list[Ground]:
    """The ground of each chip: as its id says where that is one of ours, else its footprint in the zone of its middle.

    Raises:
        InputError: a chip has neither, or a footprint that is no area in degrees.
    """
    return [
        _own(chip_id) if CHIP_ID.fullmatch(chip_id) else _drawn(chip_id, chips, row, where)
        for row, chip_id in enumerate(chips.ids)
    ]


def _own(chip_id: str) -> Ground:
    chip = chip_from_id(chip_id)
    return Ground(chip_id, chip.epsg, chip.bounds_m)


def _drawn(chip_id: str, chips: Chips, row: int, where: str) -> Ground:
    shape = None if chips.footprint is None else chips.footprint[row]
    if shape is None or shapely.area(shape) == 0:
        raise InputError(
            f"{where}: chip '{chip_id}' has no footprint; pixels are pooled over polygons: give a column 'geometry'"
        )
    west, south, east, north = shapely.bounds(shape)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(f"{where}: chip '{chip_id}' reaches from {west:.6g}, {south:.6g} to {east:.6g}, {north:.6g}; "
                         "footprints are in degrees (EPSG:4326), longitude first")  # fmt: skip
    # The largest part's middle: that of a chip cut in two at the antimeridian lies on the other side of the Earth.
    middle = shapely.centroid(max(shapely.get_parts(shape), key=shapely.area))
    epsg = int(utm_zone(np.array([middle.x]), np.array([middle.y]))[0])
    moved = shapely.transform(shape, lambda points: np.column_stack(to_metres(epsg).transform(*points.T)))
    west, south, east, north = (float(side) for side in shapely.bounds(moved))
    return Ground(chip_id, epsg, (west, south, east, north), moved)
