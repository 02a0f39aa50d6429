"""Zero mean and unit spread of each column, by the rows to learn from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

ROWS_AT_ONCE = 2048
"""So many rows are float64 at a time: at 171,000 x 2,304 a copy of all of them would be 3 GB."""
CONSTANT = 1e-7
"""A spread below this share of the mean is rounding of float32."""


@dataclass(frozen=True, slots=True)
class Standardiser:
    """Means and spreads of a pool of vectors, labelled or not."""

    mean: Float64[np.ndarray, " D"]
    spread: Float64[np.ndarray, " D"]

    def apply(self, vectors: Float[np.ndarray, "N D"]) -> Float32[np.ndarray, "N D"]:
        """Vectors with zero mean and unit spread over the pool; a column without spread becomes 0."""
        scaled = np.empty(vectors.shape, np.float32)
        for rows in _parts(len(vectors)):
            part = vectors[rows] - self.mean
            part /= self.spread
            scaled[rows] = part
        return scaled


def standardiser(pool: Float[np.ndarray, "N D"]) -> Standardiser:
    """Moments of each column; of a column that is constant but for rounding the spread is infinite."""
    mean = sum(pool[rows].sum(axis=0, dtype=np.float64) for rows in _parts(len(pool))) / len(pool)
    spread = np.sqrt(sum(_squares(pool[rows] - mean) for rows in _parts(len(pool))) / len(pool))
    return Standardiser(mean, np.where(spread > CONSTANT * np.abs(mean), spread, np.inf))


def _squares(deviations: Float64[np.ndarray, "N D"]) -> Float64[np.ndarray, " D"]:
    return np.einsum("nd,nd->d", deviations, deviations)


def _parts(n_rows: int) -> Iterator[slice]:
    return (slice(start, start + ROWS_AT_ONCE) for start in range(0, n_rows, ROWS_AT_ONCE))
