"""The Hilbert curve over the whole Earth, by which tables are ordered."""

from typing import Final

import numpy as np
from jaxtyping import Float64, Int64, UInt32

LEVEL: Final = 16
"""Cells of about 600 m from north to south at the equator."""


def hilbert_distances(
    lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"]
) -> Int64[np.ndarray, " N"]:
    """Number of each place's cell along the curve.

    The numbers of `geopandas.GeoSeries.hilbert_distance(total_bounds=(-180, -90, 180, 90))`, without a geometry a place.
    """
    last = 2**LEVEL - 1
    x, y = ((lon_deg + 180.0) * (last / 360), (lat_deg + 90.0) * (last / 180))
    return _along_curve(*(np.clip(axis, 0, last).astype(np.uint32) for axis in (x, y))).astype(np.int64)


def _along_curve(x: UInt32[np.ndarray, " N"], y: UInt32[np.ndarray, " N"]) -> UInt32[np.ndarray, " N"]:
    """From the largest quadrants to the smallest: which is met in what turn, and how the curve lies inside it."""
    distance: np.ndarray = np.zeros(len(x), dtype=np.uint32)
    for bit in range(LEVEL - 1, -1, -1):
        right, up = (x >> bit) & 1, (y >> bit) & 1
        distance = distance << 2 | (3 * right) ^ up
        # In the lower right quadrant the curve is turned by half a circle, and in both lower ones its axes are swapped.
        turned, swapped = -(right & (1 - up)), up - 1
        x, y = x ^ turned, y ^ turned
        change = (x ^ y) & swapped
        x, y = x ^ change, y ^ change
    return distance
