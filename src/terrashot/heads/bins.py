"""Vectors cut into 64 bins by quantiles of the features alone, once for every forest fitted on them.

Source: histograms as in Ke et al. 2017 (LightGBM, section 2.1), with bins shared over fits.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Float32, UInt8
from numba import njit

N_BINS = 64
"""A node keeps the bins that it occupies in the bits of one 64-bit word: no more than 64."""
EDGE_ROWS = 20_000
BLOCK_ROWS = 256
"""A block of so many rows stays in the second-level cache while its columns are searched."""


def bin_edges(vectors: Float[np.ndarray, "N D"], seed: int) -> Float32[np.ndarray, "D E"]:
    """Cut points of each feature at its quantiles, from features alone; at most 20,000 rows are looked at.

    As `np.quantile` gives them (linear, Hyndman and Fan 1996, definition 7), by a sort of whole columns.
    """
    rows = vectors
    if len(vectors) > EDGE_ROWS:
        rows = vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), EDGE_ROWS, replace=False))]
    place = np.arange(1, N_BINS) / N_BINS * (len(rows) - 1)
    below = np.floor(place).astype(np.int64)
    above, share = np.minimum(below + 1, len(rows) - 1), place - below
    edges = np.empty((rows.shape[1], N_BINS - 1), np.float32)
    for column in range(0, rows.shape[1], 64):
        ordered = np.sort(rows[:, column : column + 64].T.astype(np.float32, order="C"), axis=1)
        low, high = ordered[:, below].astype(np.float64), ordered[:, above].astype(np.float64)
        edges[column : column + 64] = low + (high - low) * share
    return edges


def to_bins(vectors: Float[np.ndarray, "N D"], edges: Float32[np.ndarray, "D E"]) -> UInt8[np.ndarray, "N D"]:
    """Number of the bin of each value; a value on an edge belongs to the upper bin, NaN to the last.

    Half-precision vectors are widened a block at a time, and the interpreter's lock is free meanwhile: threads may
    each take a slice of rows.
    """
    edges, bins = np.ascontiguousarray(edges), np.empty(vectors.shape, np.uint8)
    for first in range(0, len(vectors), BLOCK_ROWS):
        block = np.ascontiguousarray(vectors[first : first + BLOCK_ROWS], np.float32)
        _search(block, edges, bins[first : first + BLOCK_ROWS])
    return bins


def by_feature(bins: UInt8[np.ndarray, "N D"]) -> UInt8[np.ndarray, "D N"]:
    """The table with its features as rows; copied in blocks, as a copy at once misses the cache at every byte."""
    columns = np.empty(bins.shape[::-1], np.uint8)
    for first in range(0, len(bins), 128):
        columns[:, first : first + 128] = bins[first : first + 128].T
    return columns


@njit(cache=True, nogil=True)
@no_type_check
def _search(block: np.ndarray, edges: np.ndarray, bins: np.ndarray) -> None:
    """Fills in how many of its column's 63 edges do not exceed each value.

    Columns go by in groups of one cache line; a search has no branch that could be guessed wrongly.
    """
    n_rows, n_columns = block.shape
    for group in range(0, n_columns, 16):
        for column in range(group, min(group + 16, n_columns)):
            own = edges[column]
            for row in range(n_rows):
                value, at = block[row, column], np.uint64(0)
                for half in (32, 16, 8, 4, 2, 1):
                    at += np.uint64(half) * np.uint64(not value < own[at + np.uint64(half - 1)])
                bins[row, column] = at
