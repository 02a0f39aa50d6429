"""How often a chip's other view is found among all others."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Int64

BLOCK_ROWS = 2048
ROUNDING = 1e-6
"""Similarities of unit vectors in float32 that differ by less are ties."""


def partner_ranks(left: Float[np.ndarray, "N D"], right: Float[np.ndarray, "N D"]) -> Int64[np.ndarray, " N"]:
    """How many rows of `right` are at least as similar to each row of `left` as its partner, which has the same number.

    Rows have unit length. 0 is the best; a tie counts against the partner, so that collapsed vectors score as chance or
    worse.
    """
    ranks = np.empty(len(left), dtype=np.int64)
    for start in range(0, len(left), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        similar = left[rows] @ right.T
        own = similar[np.arange(len(similar)), np.arange(start, start + len(similar))]
        ranks[rows] = (similar >= own[:, None] - ROUNDING).sum(axis=1) - 1
    return ranks


def one_vector(parts: Float[np.ndarray, "N K D"]) -> Float32[np.ndarray, "N D"]:
    """Unit-length means over the parts of each row: what is comparable between modalities of other kinds of channels.

    A row of NaN stays so.
    """
    means = parts.mean(axis=1, dtype=np.float32)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.divide(means, lengths, out=means, where=lengths > 0)


def recall_at(
    left: Float[np.ndarray, "N D"], right: Float[np.ndarray, "N D"], ks: Sequence[int] = (1, 5, 10)
) -> dict[int, float]:
    """Share of rows whose partner is among the k most similar, by k; NaN without rows."""
    ranks = partner_ranks(left, right)
    return {k: float((ranks < k).mean()) if len(ranks) else float("nan") for k in ks}


def chance_recall(n: int, k: int) -> float:
    """The recall of guessing among n."""
    return min(1.0, k / n) if n else float("nan")
