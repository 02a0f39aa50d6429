"""One learning curve, kept by draw and by block of test chips, so that its uncertainty can be told."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, Num


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """How one feature set and head did at each size, in each draw, in each spatial block of test chips.

    Axes: S sizes, growing; R_s draws of a size, of which draw r of one size belongs with draw r of another; B blocks.
    """

    task: str
    area: str
    features: str
    head: str
    sizes: tuple[int, ...]
    """Labels used."""
    is_full: tuple[bool, ...]
    """Which size is all labels: the last one, or none."""
    sums: tuple[Num[np.ndarray, "_ B"], ...]
    """A table (R_s, B) a size: chips told right; of a regression the squared errors."""
    n: Int64[np.ndarray, " B"]
    """Test chips of each block, at least 1."""
    label_sum: Float64[np.ndarray, " B"] | None = None
    """This and the next make it a regression, whose score is R2."""
    label_square_sum: Float64[np.ndarray, " B"] | None = None

    @property
    def full(self) -> int | None:
        """Position of the size that is all labels."""
        return self.is_full.index(True) if any(self.is_full) else None

    @property
    def is_regression(self) -> bool:
        """Whether the score is R2; else it is accuracy."""
        return self.label_sum is not None

    @property
    def repeats(self) -> Int64[np.ndarray, " S"]:
        """Draws of each size."""
        return np.array([len(table) for table in self.sums], dtype=np.int64)


def scores_by_draw(curve: Curve, blocks: Float64[np.ndarray, "T B"]) -> list[Float64[np.ndarray, "_ T"]]:
    """Score of each draw (rows) in each of T weightings of the blocks, a table a size: accuracy, or R2 of a regression.

    R2 compares with the mean of the weighted test chips themselves, as `regression_metrics` does; NaN where they do not vary.
    """
    sums = np.concatenate(curve.sums).astype(np.float64) @ blocks.T
    n = blocks @ curve.n
    if curve.label_sum is None or curve.label_square_sum is None:
        scores = sums / n
    else:
        spread = blocks @ curve.label_square_sum - (blocks @ curve.label_sum) ** 2 / n
        scores = 1 - sums / np.where(spread > 0, spread, np.nan)
    return np.split(scores, np.cumsum(curve.repeats)[:-1])
