"""Vectors of one feature set, made ready once for every fit of every head."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from terrashot.heads.forest import bin_edges, fit_forest, to_bins
from terrashot.heads.logistic import logistic_probabilities, standardiser


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Training and test vectors, binned for the forest and standardised for the logistic head, by the training rows."""

    train_bins: UInt8[np.ndarray, "N D"]
    test_bins: UInt8[np.ndarray, "N2 D"]
    train_scaled: Float32[np.ndarray, "N D"]
    test_scaled: Float32[np.ndarray, "N2 D"]


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """What a head may be told."""

    trees: int = 50
    depth: int = 7


Head = Callable[[Pool, np.ndarray, np.ndarray, int, HeadSettings, int], np.ndarray]
"""(pool, drawn training rows, their classes, number of classes, settings, seed) -> test probabilities (N, K)."""


def make_pool(train: Float32[np.ndarray, "N D"], test: Float32[np.ndarray, "N2 D"], seed: int) -> Pool:
    """The pool of a feature set; no label is looked at."""
    edges, scaler = bin_edges(train, seed), standardiser(train)
    return Pool(to_bins(train, edges), to_bins(test, edges), scaler.apply(train), scaler.apply(test))


def predict(
    head: str, pool: Pool, rows: Int64[np.ndarray, " n"], y: Int64[np.ndarray, " n"], *, n_classes: int,
    settings: HeadSettings, seed: int,
) -> Float32[np.ndarray, "N2 K"]:  # fmt: skip
    """Class probabilities of the test rows.

    Without a feature, or with one class in the draw, a head knows the class shares of the draw and nothing else.
    """
    if pool.train_bins.shape[1] == 0 or len(np.unique(y)) == 1:
        shares = np.bincount(y, minlength=n_classes) / len(y)
        return np.tile(shares.astype(np.float32), (len(pool.test_bins), 1))
    return HEADS[head](pool, rows, y, n_classes, settings, seed)


def _forest(
    pool: Pool, rows: np.ndarray, y: np.ndarray, n_classes: int, settings: HeadSettings, seed: int
) -> np.ndarray:
    forest = fit_forest(pool.train_bins[rows], y, n_classes, trees=settings.trees, depth=settings.depth, seed=seed)
    return forest.probabilities(pool.test_bins)


def _logistic(
    pool: Pool, rows: np.ndarray, y: np.ndarray, n_classes: int, settings: HeadSettings, seed: int
) -> np.ndarray:
    return logistic_probabilities(pool.train_scaled[rows], y, pool.test_scaled, n_classes)


HEADS: dict[str, Head] = {"forest": _forest, "logistic": _logistic}
DETERMINISTIC = frozenset({"logistic"})
"""Heads whose fit on the whole training set is the same in every repeat."""
