"""Where the pixels of a georeferenced raster lie, and which of them shows a point.

P: points. Pixels count from the first stored row and column, whichever way the raster lies on the ground.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyproj
from jaxtyping import Float64, Int64

from terrashot.domain.grid import Bounds

METRES_PER_DEGREE = 111_320.0
"""Of latitude, and of longitude on the equator."""
POINTS_A_SIDE = 64
"""Of a raster's outline; its sides are curves in degrees."""

Points = Float64[np.ndarray, " P"]
Affine = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: x = a * column + b * row + c, y = d * column + e * row + f, for corners of pixels."""


@dataclass(frozen=True, slots=True)
class RasterPlace:
    """A raster's lattice on the ground, north up, south up or turned."""

    crs: str
    """What pyproj reads: `EPSG:32632`, or the whole text."""
    affine: Affine
    width_px: int
    height_px: int

    @property
    def bounds(self) -> Bounds:
        """The box around it in the axes of its own coordinate system."""
        x, y = self._corners_at(np.array([0, 1, 0, 1.0]), np.array([0, 0, 1, 1.0]))
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    @property
    def pixel_m(self) -> float:
        """The shorter side of a pixel, in metres; where the axes are degrees, that at the raster's middle."""
        a, b, _, d, e, _ = self.affine
        crs = pyproj.CRS(self.crs)
        if not is_geographic(self.crs):
            return float(min(math.hypot(a, d), math.hypot(b, e)) * crs.axis_info[0].unit_conversion_factor)
        _, south, _, north = self.bounds
        across = math.cos(math.radians((south + north) / 2))
        return float(min(math.hypot(a * across, d), math.hypot(b * across, e)) * METRES_PER_DEGREE)

    def pixels_at(self, x: Points, y: Points) -> tuple[Int64[np.ndarray, " P"], Int64[np.ndarray, " P"]]:
        """Row and column of the pixel that holds each point; -1 for both where none does.

        A pixel owns its edges of the lower row and column.
        """
        a, b, c, d, e, f = self.affine
        u, v, scale = x - c, y - f, a * e - b * d
        with np.errstate(invalid="ignore"):  # infinite where a point has no place in these coordinates
            col, row = (e * u - b * v) / scale, (a * v - d * u) / scale
        inside = (row >= 0) & (row < self.height_px) & (col >= 0) & (col < self.width_px)
        rows, cols = (np.floor(np.where(inside, number, -1)).astype(np.int64) for number in (row, col))
        return rows, cols

    def outline_deg(self) -> tuple[Points, Points]:
        """Longitude and latitude of points along its edge, in order round it."""
        along, still = np.arange(POINTS_A_SIDE) / POINTS_A_SIDE, np.zeros(POINTS_A_SIDE)
        across = np.concatenate([along, still + 1, 1 - along, still])
        down = np.concatenate([still, along, still + 1, 1 - along])
        lon_deg, lat_deg = between(self.crs, "EPSG:4326").transform(*self._corners_at(across, down))
        return lon_deg, lat_deg

    def _corners_at(self, across: Points, down: Points) -> tuple[Points, Points]:
        """Coordinates of places given as shares of the width and the height."""
        a, b, c, d, e, f = self.affine
        col, row = across * self.width_px, down * self.height_px
        return a * col + b * row + c, d * col + e * row + f


@lru_cache(maxsize=256)
def between(source: str, target: str) -> pyproj.Transformer:
    """Transformer between two coordinate systems, x or longitude first; infinite where a point has no place."""
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


@lru_cache(maxsize=256)
def is_geographic(crs: str) -> bool:
    """Whether its axes are degrees of longitude and latitude."""
    return bool(pyproj.CRS(crs).is_geographic)


@lru_cache(maxsize=256)
def is_same_crs(one: str, other: str) -> bool:
    """Whether both texts name one coordinate system: `EPSG:32632` and the whole text of it do."""
    return one == other or bool(pyproj.CRS(one).equals(pyproj.CRS(other), ignore_axis_order=True))
