"""Brings a raster that covers a chip onto another number of cells."""

import numpy as np
from jaxtyping import Float32, Float64

HALF = 0.5
"""Share of a cell that must have data for the cell to have a value."""


def area_mean(values: Float32[np.ndarray, "C h w"], side_px: int) -> Float32[np.ndarray, "C H W"]:
    """The mean over each cell of a side_px x side_px lattice of the same ground; NaN where under half of it has data."""
    height, width = values.shape[1:]
    if (height, width) == (side_px, side_px):
        return values
    down, across = _shares(height, side_px), _shares(width, side_px).T
    is_valid = ~np.isnan(values)
    covered = down @ is_valid.astype(np.float64) @ across
    total = down @ np.where(is_valid, values, 0).astype(np.float64) @ across
    # A rounding error below a half must not empty a cell of which exactly half is there.
    is_kept = covered > HALF - 1e-9
    return np.where(is_kept, total / np.where(is_kept, covered, 1), np.nan).astype(np.float32)


def _shares(count: int, side_px: int) -> Float64[np.ndarray, "S n"]:
    """Share of each new cell (rows) that each old cell (columns) fills; rows sum to 1. S, n: new and old cells."""
    new, old = np.arange(side_px + 1) / side_px, np.arange(count + 1) / count
    overlap = np.minimum(new[1:, None], old[None, 1:]) - np.maximum(new[:-1, None], old[None, :-1])
    return np.maximum(overlap, 0) * side_px
