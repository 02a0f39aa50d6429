"""Distances between vectors, block by block."""

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from terrashot.health.survey import numbers, row_blocks


def squared_distances(
    left: Float32[np.ndarray, "n D"], right: Float32[np.ndarray, "m D"]
) -> Float32[np.ndarray, "n m"]:
    """From each row to each row. Good to about 1e-6 of the squared lengths, so centre the rows before."""
    # Single precision is twice as fast, and what has to be exact is worked out anew from the rows found.
    lengths = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1)
    distances: np.ndarray = np.maximum(lengths - 2 * (left @ right.T), 0)
    return distances


def nearest_others(
    block: Float[np.ndarray, "N D"], rows: Int64[np.ndarray, " n"], asked: Int64[np.ndarray, " q"]
) -> Float64[np.ndarray, " q"]:
    """Distance of each row asked about to the nearest other of `rows`; a table in half precision is converted in blocks.

    Args:
        rows: of the block, at least two.
        asked: some of `rows`.
    """
    centre = numbers(block, asked).mean(axis=0)
    queries = numbers(block, asked) - centre
    best, found = np.full(len(asked), np.inf, np.float32), np.zeros(len(asked), np.int64)
    for some in row_blocks(len(rows), max(block.shape[1], len(asked))):
        part = rows[some]
        distances = squared_distances(queries, numbers(block, part) - centre)
        distances[asked[:, None] == part] = np.inf
        nearest = distances.argmin(axis=1)
        own = distances[np.arange(len(asked)), nearest]
        found[own < best] = part[nearest[own < best]]
        best = np.minimum(best, own)
    return lengths_between(block, asked, found)


def lengths_between(
    block: Float[np.ndarray, "N D"], left: Int64[np.ndarray, " n"], right: Int64[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """Distance between the two rows of each pair."""
    parts = row_blocks(len(left), block.shape[1])
    found = [np.linalg.norm(numbers(block, left[p]).astype(float) - numbers(block, right[p]), axis=1) for p in parts]
    return np.concatenate(found) if found else np.empty(0)
