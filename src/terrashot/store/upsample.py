"""From a coarse lattice to the chip's, by plain interpolation between cell centres."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64


def upsample(coarse: Float32[np.ndarray, "B h w"], side_px: int) -> Float32[np.ndarray, "B H W"]:
    """Bilinear between the centres of valid cells; NaN where the nearest cell has no data.

    Weights of cells without data are left out, so that a gap never bleeds into its neighbours.
    """
    weights = _weights(coarse.shape[-1], side_px)
    valid = np.isfinite(coarse)
    total = _apply(weights, np.where(valid, coarse, 0).astype(np.float64))
    share = _apply(weights, valid.astype(np.float64))
    near = _nearest(coarse.shape[-1], side_px)
    there = valid[:, near[:, None], near]
    return np.where(there & (share > 0), total / np.where(share > 0, share, 1), np.nan).astype(np.float32)


def _apply(weights: Float64[np.ndarray, "H h"], images: Float64[np.ndarray, "B h h"]) -> Float64[np.ndarray, "B H H"]:
    return weights @ images @ weights.T


@lru_cache(maxsize=16)
def _weights(side: int, side_px: int) -> Float64[np.ndarray, "H h"]:
    """Row i: what each coarse cell gives to fine pixel i. Beyond the outer centres the outer cell holds."""
    place = np.clip((np.arange(side_px) + 0.5) / side_px * side - 0.5, 0, side - 1)
    low = np.minimum(place.astype(np.int64), max(side - 2, 0))
    weights = np.zeros((side_px, side))
    weights[np.arange(side_px), low] = 1 - (place - low)
    weights[np.arange(side_px), np.minimum(low + 1, side - 1)] += place - low
    return weights


@lru_cache(maxsize=16)
def _nearest(side: int, side_px: int) -> np.ndarray:
    return ((np.arange(side_px) + 0.5) / side_px * side).astype(np.int64)
