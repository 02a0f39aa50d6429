"""Square chips in UTM zones: their grid, their ids, the zone that owns a place."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyproj
from jaxtyping import Float64, Int64

from terrashot.errors import InputError, UsageError

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""

CHIP_ID = re.compile(r"(32[67](?:0[1-9]|[1-5]\d|60))_([1-9]\d{1,6})m_r(\d{6})_c(\d{6})", re.ASCII)
NORTHERNMOST_DEG, SOUTHERNMOST_DEG = 84.0, -80.0
SMALLEST_CHIP_M: Final = 10.0
"""Below it the rows of a zone no longer fit the six digits of an id."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One cell of a `Grid`: the unit of storage, of training and of evaluation."""

    epsg: int
    row: int
    """Counts southward from the grid origin, as image rows do."""
    col: int
    """Counts eastward from the grid origin."""
    size_m: float
    bounds_m: Bounds

    @property
    def id(self) -> str:
        """Stable, sortable, readable key; never a hash. Rows and columns are never negative inside a zone."""
        return f"{self.epsg}_{self.size_m:.0f}m_r{self.row:06d}_c{self.col:06d}"


@dataclass(frozen=True, slots=True)
class Grid:
    """A tiling of one UTM zone's plane. Each chip owns its west and north edges.

    Raises:
        UsageError: the chip size is below 10 m or no whole number of metres.
    """

    epsg: int
    chip_size_m: float
    origin_x_m: float = 0.0
    origin_y_m: float = 10_000_000.0
    """North of every point of either hemisphere's zone, so that rows count from zero."""

    def __post_init__(self) -> None:
        if self.chip_size_m < SMALLEST_CHIP_M or self.chip_size_m % 1:
            raise UsageError(
                f"chips of {self.chip_size_m:g} m: the side must be a whole number of metres, {SMALLEST_CHIP_M:g} or "
                "more, as ids carry it; change the number of pixels or their size"
            )

    def chip(self, row: int, col: int) -> Chip:
        """The chip at a place of the lattice."""
        west = self.origin_x_m + col * self.chip_size_m
        north = self.origin_y_m - row * self.chip_size_m
        bounds = (west, north - self.chip_size_m, west + self.chip_size_m, north)
        return Chip(self.epsg, row, col, self.chip_size_m, bounds)

    def chip_at(self, x_m: float, y_m: float) -> Chip:
        """The one chip that contains a point."""
        col = math.floor((x_m - self.origin_x_m) / self.chip_size_m)
        row = math.floor((self.origin_y_m - y_m) / self.chip_size_m)
        return self.chip(row, col)


def chip_from_id(chip_id: str) -> Chip:
    """The chip that an id of ours names.

    Raises:
        InputError: the id is not of our form.
    """
    match = CHIP_ID.fullmatch(chip_id)
    if match is None:
        raise InputError(f"chip id '{chip_id}' is not of the form 32632_640m_r007812_c000781; its place is unknown")
    epsg, size_m, row, col = (int(part) for part in match.groups())
    return Grid(epsg, float(size_m)).chip(row, col)


def utm_zone(lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"]) -> Int64[np.ndarray, " N"]:
    """EPSG code of the UTM zone that owns each point, with the exceptions of Norway and Svalbard.

    Raises:
        InputError: a point lies beyond 84 N or 80 S, where UTM ends.

    Source: the zone rules of the Military Grid Reference System (NGA.STND.0037, 2014), section 2.2.
    """
    beyond = (lat_deg > NORTHERNMOST_DEG) | (lat_deg < SOUTHERNMOST_DEG)
    if beyond.any():
        raise InputError(f"latitude {lat_deg[beyond][0]:.3f}: UTM ends at 84 N and 80 S; cut the area there")
    zone = np.floor((lon_deg + 180) / 6).astype(np.int64) % 60 + 1
    zone[(lat_deg >= 56) & (lat_deg < 64) & (lon_deg >= 3) & (lon_deg < 12)] = 32
    for west, east, svalbard in ((0, 9, 31), (9, 21, 33), (21, 33, 35), (33, 42, 37)):
        zone[(lat_deg >= 72) & (lon_deg >= west) & (lon_deg < east)] = svalbard
    return np.where(lat_deg >= 0, 32600, 32700) + zone


@lru_cache(maxsize=256)
def to_degrees(epsg: int) -> pyproj.Transformer:
    """Transformer from a zone's metres (x, y) to degrees (lon, lat)."""
    return pyproj.Transformer.from_crs(epsg, 4326, always_xy=True)


@lru_cache(maxsize=256)
def to_metres(epsg: int) -> pyproj.Transformer:
    """Transformer from degrees (lon, lat) to a zone's metres (x, y)."""
    return pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
