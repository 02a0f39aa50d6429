"""What a head is given: drawn rows, what is known of them, and the rows to judge."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

Form = Literal["bins", "scaled"]
"""Vectors as bins of their quantiles, or standardised."""


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """What a head may be told; only the forests heed it."""

    trees: int = 50
    depth: int = 7


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One fit: rows to learn from and rows to judge, in the form that the head asked for."""

    learn: Float32[np.ndarray, "n D"] | UInt8[np.ndarray, "n D"]
    """A copy of the drawn rows, in the order of the draw; the head may overwrite it."""
    y: Int64[np.ndarray, " n"] | Float64[np.ndarray, " n"]
    """Classes, numbered from 0 without a gap and at least two of them; or values."""
    judge: Float32[np.ndarray, "N D"] | UInt8[np.ndarray, "N D"]
    """Shared by all fits of a pool: never overwritten."""
    settings: HeadSettings
    seed: int

    @property
    def n_classes(self) -> int:
        """Classes in the draw."""
        return int(self.y.max()) + 1


@dataclass(frozen=True, slots=True)
class Head:
    """A way to learn from few labels."""

    needs: Form
    classes: Callable[[Lesson], np.ndarray]
    """Probabilities (N, K) of the classes in the draw."""
    values: Callable[[Lesson], np.ndarray] | None
    """Values (N,) of a regression; None: the head knows classes only."""
    deterministic: bool
    """The seed changes nothing: a fit on the whole training set is the same in every repeat."""
    most_rows: int | None = None
    """Of a larger draw it learns from so many rows, evenly spaced, where its time or memory would grow out of bounds."""
