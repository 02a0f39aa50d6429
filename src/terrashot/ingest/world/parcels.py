"""Fields: districts with a lie of their own, cut into strips, and strips into parcels.

P pixels.
"""

from dataclasses import dataclass
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32, Int64
from numba import njit

from terrashot.ingest.world.lattice import EARTH_RADIUS_M, Lattice
from terrashot.ingest.world.noise import mixed, uniform
from terrashot.ingest.world.sites import sites

DISTRICT_M: Final = 1150.0
NARROWEST_M, WIDEST_M = 55.0, 240.0
"""Width of a district's strips, in a country of middling fields."""


@dataclass(frozen=True, slots=True, eq=False)
class Parcels:
    """The parcel of each pixel, farmed or not."""

    key: Int64[np.ndarray, " P"]
    district: Int64[np.ndarray, " P"]
    edge_m: Float32[np.ndarray, " P"]
    """To the nearest edge of the parcel."""
    border_m: Float32[np.ndarray, " P"]
    """To the border of the district."""
    along_m: Float32[np.ndarray, " P"]
    """Across the furrows."""
    next_district: Int64[np.ndarray, " P"]


def make_parcels(lattice: Lattice, spacing: Float32[np.ndarray, " P"], seed: int) -> Parcels:
    """Every pixel's parcel. `spacing` is how large fields are hereabouts, 1 in the middle."""
    east_m, north_m = _bent(lattice, seed), _bent(lattice, seed + 2)
    metres_a_degree = np.pi / 180 * EARTH_RADIUS_M
    lat = lattice.lat_deg + north_m / metres_a_degree
    lon = lattice.lon_deg + east_m / (metres_a_degree * np.cos(np.radians(lattice.lat_deg)))
    districts = sites(lon, lat, cell_m=DISTRICT_M, seed=seed + 4)
    keys, numbers = _cut(districts.key, districts.east_m, districts.north_m, spacing)
    return Parcels(keys, districts.key, numbers[0], districts.border_m / 2, numbers[1], districts.second)


def _bent(lattice: Lattice, seed: int) -> np.ndarray:
    """Metres by which fields and roads give way to the land."""
    return 55 * lattice.slow(seed, 1700.0) + 11 * lattice.smooth(seed + 1, 420.0)


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _cut(
    district: np.ndarray, east_m: np.ndarray, north_m: np.ndarray, spacing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    keys, numbers = np.empty(len(district), np.int64), np.empty((2, len(district)), np.float32)
    last, cos, sin, width, length = 0, 1.0, 0.0, 1.0, 1.0
    for p in range(len(district)):
        if district[p] != last:
            last = district[p]
            turn = np.pi * uniform(mixed(last, 11, 0, 0))
            cos, sin = np.cos(turn), np.sin(turn)
            width = NARROWEST_M * (WIDEST_M / NARROWEST_M) ** uniform(mixed(last, 12, 0, 0))
            length = width * (1.3 + 2.2 * uniform(mixed(last, 13, 0, 0)))
        scale = spacing[p]
        across = (north_m[p] * cos - east_m[p] * sin) / (width * scale)
        along = (east_m[p] * cos + north_m[p] * sin) / scale
        strip = int(np.floor(across))
        piece_m = length * (0.6 + 0.8 * uniform(mixed(last, strip, 14, 0)))
        place = along / piece_m + uniform(mixed(last, strip, 15, 0))
        piece = int(np.floor(place))
        keys[p] = np.int64(mixed(last, strip, piece, 16) >> np.uint64(1))
        from_side = min(across - strip, strip + 1 - across) * width * scale
        numbers[0, p] = min(from_side, min(place - piece, piece + 1 - place) * piece_m * scale)
        numbers[1, p] = across * width * scale
    return keys, numbers
