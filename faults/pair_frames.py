"""Frames of GUNW products anywhere on the globe that hold a linear field of the ground: what a chip shows tells where they were put.

Two pairs a frame: one holds the distance from a chip's corner to the east, the other that to the north, at the middles of the cells.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyproj

from faults.gunw_files import CELL_DEG, Layout, gunw_name, write_gunw
from faults.lattices import GLOBE, metres_from
from terrashot.domain.grid import Chip, Grid, utm_zone

CELL_M, SIDE_PX = 90.0, 16
SPAN_M = 60_000.0
"""Of which coherence from 0 to 1 tells; 0.5 is the chip's corner."""
LATER, EARLIER = "20210723", ("20210705", "20210711")
"""The pair of the east, and of the north."""
ROUND = 360 * 1200
"""Cells round the globe."""
ROOM = 4
"""Cells around a chip, more than a reader needs."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Cells by their numbers: north and east from where the equator meets Greenwich, their middles on multiples of 3 arc-seconds."""

    west: int
    north: int
    width: int
    height: int
    version: str = "v2_0_4"
    layout: Layout = field(default_factory=Layout)

    def rows(self, start: int, stop: int) -> "Frame":
        """Some of them."""
        return replace(self, north=self.north - start, height=stop - start)

    def cols(self, start: int, stop: int) -> "Frame":
        """Some of them."""
        return replace(self, west=self.west + start, width=stop - start)

    def moved(self, cols: int) -> "Frame":
        """The same number of cells elsewhere; by a multiple of `ROUND` it is the same place."""
        return replace(self, west=self.west + cols)


def chip_at(lon_deg: float, lat_deg: float, *, zones_east: int = 0) -> Chip:
    """The chip that holds a place, in the zone that owns it or in one so many zones further east."""
    epsg = int(utm_zone(np.array([lon_deg]), np.array([lat_deg]))[0])
    epsg = epsg // 100 * 100 + (epsg % 100 - 1 + zones_east) % 60 + 1
    x_m, y_m = pyproj.Transformer.from_crs(GLOBE, epsg, always_xy=True).transform(lon_deg, lat_deg)
    return Grid(epsg, CELL_M * SIDE_PX).chip_at(x_m, y_m)


def frame_around(chip: Chip, room: int = ROOM) -> Frame:
    """One that covers the chip, with so many cells of room."""
    west, south, east, north = chip.bounds_m
    along = np.linspace(0, 1, 9)
    x_m, y_m = (axis.ravel() for axis in np.meshgrid(west + along * (east - west), south + along * (north - south)))
    lon, lat = pyproj.Transformer.from_crs(chip.epsg, GLOBE, always_xy=True).transform(x_m, y_m)
    lon = lon[0] + (lon - lon[0] + 180) % 360 - 180
    first, last = (math.floor(lon.min() / CELL_DEG) - room, math.ceil(lon.max() / CELL_DEG) + room)
    bottom, top = (math.floor(lat.min() / CELL_DEG) - room, math.ceil(lat.max() / CELL_DEG) + room)
    return Frame(first, top, last - first + 1, top - bottom + 1)


def write_frames(
    folder: Path, chip: Chip, frames: Sequence[Frame], bend: Callable[[Path], object] | None = None
) -> None:
    """Both products of each frame, with what the last one is bent by."""
    for number, frame in enumerate(frames):
        at = frame.west * CELL_DEG, (frame.north - frame.height / 2) * CELL_DEG
        for earlier, metres in zip(EARLIER, _field(chip, frame), strict=True):
            name = gunw_name(LATER, earlier, at, version=frame.version, code=f"{number:04x}")
            path = write_gunw(
                folder / f"{name}.nc", metres, frame.west * CELL_DEG, frame.north * CELL_DEG, frame.layout
            )
            if bend is not None:
                bend(path)


def _field(chip: Chip, frame: Frame) -> np.ndarray:
    corner = (frame.west - 0.5) * CELL_DEG, (frame.north + 0.5) * CELL_DEG
    affine = (CELL_DEG, 0.0, corner[0], 0.0, -CELL_DEG, corner[1])
    metres = metres_from(chip, GLOBE, affine, max(frame.width, frame.height))
    return 0.5 + metres[:, : frame.height, : frame.width] / SPAN_M


def cells_off(found: np.ndarray, chip: Chip) -> float:
    """The largest distance between where a chip's cell is and where what it shows lies, in cells of 90 m; NaN where one is empty."""
    west, _, _, north = chip.bounds_m
    own = metres_from(chip, f"EPSG:{chip.epsg}", (CELL_M, 0, west, 0, -CELL_M, north), SIDE_PX)
    return float(np.max(np.hypot(*((found.astype(np.float64) - 0.5) * SPAN_M - own)))) / CELL_M
