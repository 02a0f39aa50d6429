"""From a coarse lattice to the chip's, by plain interpolation between cell centres.

Written out as sums and products in float32, not as products of matrices: those take the cores that training needs.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int64


def upsample(coarse: Float32[np.ndarray, "B h w"], side_px: int) -> Float32[np.ndarray, "B H W"]:
    """Bilinear between the centres of valid cells; NaN where the nearest cell has no data.

    Weights of cells without data are left out, so that a gap never bleeds into its neighbours.
    """
    valid = np.isfinite(coarse)
    fine = _interpolated(np.where(valid, coarse, np.float32(0)), side_px)
    gappy = np.flatnonzero(~valid.all(axis=(1, 2)))
    shares = _interpolated(valid[gappy].astype(np.float32), side_px)
    shares *= _nearest(np.where(valid[gappy], np.float32(1), np.float32(np.nan)), side_px)
    for row, share in zip(gappy, shares, strict=True):
        fine[row] /= share
    return fine


def _interpolated(coarse: Float32[np.ndarray, "B h w"], side_px: int) -> Float32[np.ndarray, "B H W"]:
    low, part = _places(coarse.shape[-1], side_px)
    wide = coarse[:, :, low] + np.diff(coarse, axis=2, append=coarse[:, :, -1:])[:, :, low] * part
    fine = np.take(np.diff(wide, axis=1, append=wide[:, -1:]), low, axis=1)
    fine *= part[:, None]
    fine += np.take(wide, low, axis=1)
    return fine


def _nearest(coarse: Float32[np.ndarray, "B h w"], side_px: int) -> Float32[np.ndarray, "B H W"]:
    side = coarse.shape[-1]
    near = ((np.arange(side_px) + 0.5) / side_px * side).astype(np.int64)
    return np.take(coarse[:, :, near], near, axis=1)


@lru_cache(maxsize=16)
def _places(side: int, side_px: int) -> tuple[Int64[np.ndarray, " H"], Float32[np.ndarray, " H"]]:
    """Of each fine pixel the cell whose centre lies at or before it, and its share of the way to the next centre.

    Beyond the outer centres the outer cell holds.
    """
    place = np.clip((np.arange(side_px) + 0.5) / side_px * side - 0.5, 0, side - 1)
    low = place.astype(np.int64)
    return low, (place - low).astype(np.float32)
