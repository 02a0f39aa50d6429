"""Rasters anywhere on the globe that hold a linear field of the ground: what a chip shows of one tells where it was put.

The field is the distance from a chip's corner, to the east and to the north, at the middles of the raster's pixels, through pyproj.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import rasterio
from rasterio.crs import CRS

from terrashot.domain.grid import Chip, Grid, utm_zone

SIDE_PX, PIXEL_M = 24, 10.0
GLOBE = "EPSG:4326"
Affine = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Raster:
    """A lattice on the ground, and what its file says of it."""

    crs: str
    affine: Affine
    side_px: int
    told_crs: str | None = ""
    """What the file says; empty is the truth, None nothing."""
    told_affine: Affine | None = None
    """What the file says; None is the truth."""


def chip_at(lon_deg: float, lat_deg: float, *, zones_east: int = 0) -> Chip:
    """The chip that holds a place, in the zone that owns it or in one so many zones further east."""
    epsg = int(utm_zone(np.array([lon_deg]), np.array([lat_deg]))[0])
    epsg = epsg // 100 * 100 + (epsg % 100 - 1 + zones_east) % 60 + 1
    x, y = pyproj.Transformer.from_crs(GLOBE, epsg, always_xy=True).transform(lon_deg, lat_deg)
    return Grid(epsg, SIDE_PX * PIXEL_M).chip_at(x, y)


def zone_beside(chip: Chip, zones_east: int) -> str:
    """The coordinate system of a zone so many further east, of the same hemisphere."""
    return f"EPSG:{chip.epsg // 100 * 100 + (chip.epsg % 100 - 1 + zones_east) % 60 + 1}"


def around(
    chip: Chip,
    crs: str,
    *,
    pixel_m: float = 10.0,
    turn_deg: float = 0.0,
    is_south_up: bool = False,
    shift_px: float = 0.0,
) -> Raster:
    """A lattice in any coordinate system that covers the chip with room to spare, whatever its turn."""
    west, south, east, north = chip.bounds_m
    x, y = pyproj.Transformer.from_crs(chip.epsg, crs, always_xy=True).transform((west + east) / 2, (south + north) / 2)
    across, down = _pixel_in(crs, y, pixel_m)
    turn, upward = math.radians(turn_deg), down if is_south_up else -down
    a, b, d, e = across * math.cos(turn), -upward * math.sin(turn), across * math.sin(turn), upward * math.cos(turn)
    side_px = math.ceil(2.4 * chip.size_m / pixel_m) + 8
    half_col, half_row = side_px / 2 + shift_px, side_px / 2 + 0.3
    return Raster(crs, (a, b, x - a * half_col - b * half_row, d, e, y - d * half_col - e * half_row), side_px)


def _pixel_in(crs: str, y: float, pixel_m: float) -> tuple[float, float]:
    """A pixel's sides in the unit of the axes."""
    known = pyproj.CRS(crs)
    if known.is_geographic:
        return pixel_m / (111_320 * math.cos(math.radians(y))), pixel_m / 110_574
    side = pixel_m / known.axis_info[0].unit_conversion_factor
    return side, side


def metres_from(chip: Chip, crs: str, affine: Affine, side_px: int) -> np.ndarray:
    """East and north of the chip's upper left corner in metres of its zone, at the middles of pixels: (2, H, W)."""
    rows, cols = np.indices((side_px, side_px)) + 0.5
    a, b, c, d, e, f = affine
    to_chip = pyproj.Transformer.from_crs(crs, chip.epsg, always_xy=True)
    x, y = to_chip.transform(a * cols + b * rows + c, d * cols + e * rows + f)
    return np.stack([x - chip.bounds_m[0], y - chip.bounds_m[3]])


def write_field(path: Path, raster: Raster, chip: Chip) -> None:
    """The raster as a GeoTIFF of two bands, with what it says of itself."""
    field = metres_from(chip, raster.crs, raster.affine, raster.side_px).astype(np.float32)
    told = raster.crs if raster.told_crs == "" else raster.told_crs
    form = {"width": raster.side_px, "height": raster.side_px, "count": 2, "dtype": "float32"}
    place = rasterio.Affine(*(raster.told_affine or raster.affine))
    with rasterio.open(
        path, "w", driver="GTiff", crs=told and CRS.from_user_input(told), transform=place, **form
    ) as file:
        file.write(field)


def off_px(found: np.ndarray, chip: Chip, pixel_m: float) -> float:
    """The largest distance between where a chip's pixel is and where what it shows lies, in pixels: the larger of both sizes."""
    west, _, _, north = chip.bounds_m
    own = metres_from(chip, f"EPSG:{chip.epsg}", (PIXEL_M, 0, west, 0, -PIXEL_M, north), SIDE_PX)
    return float(np.nanmax(np.hypot(*(found - own)))) / max(PIXEL_M, pixel_m)
