"""Vectors of one feature set, made ready once for every fit of every head; and the heads by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64
from sklearn import config_context

from terrashot.errors import InputError
from terrashot.heads.bins import bin_edges, to_bins
from terrashot.heads.boosted import boosted_classes, boosted_values
from terrashot.heads.knn import knn_classes, knn_values
from terrashot.heads.lesson import Form, Head, HeadSettings, Lesson
from terrashot.heads.logistic import logistic_classes
from terrashot.heads.mlp import mlp_classes, mlp_values
from terrashot.heads.prototype import prototype_classes
from terrashot.heads.ridge import ridge_classes, ridge_values
from terrashot.heads.standardise import standardiser
from terrashot.heads.svm import svm_classes, svm_values
from terrashot.heads.trees import extra_trees_classes, extra_trees_values, forest_classes, forest_values

__all__ = ["HEADS", "HeadSettings", "Pool", "make_pool", "predict", "predict_values"]

MANY_ROWS = 20_000
"""What the heads whose cost grows fast learn from at most; docs/few-labels.md says what that takes."""

HEADS: dict[str, Head] = {
    "forest": Head("bins", forest_classes, forest_values, deterministic=False),
    "extra_trees": Head("bins", extra_trees_classes, extra_trees_values, deterministic=False),
    "logistic": Head("scaled", logistic_classes, None, deterministic=True),
    "ridge": Head("scaled", ridge_classes, ridge_values, deterministic=True),
    "knn": Head("scaled", knn_classes, knn_values, deterministic=True, most_rows=MANY_ROWS),
    "prototype": Head("scaled", prototype_classes, None, deterministic=True),
    "svm": Head("scaled", svm_classes, svm_values, deterministic=True, most_rows=MANY_ROWS),
    "boosted": Head("bins", boosted_classes, boosted_values, deterministic=True, most_rows=MANY_ROWS),
    "mlp": Head("scaled", mlp_classes, mlp_values, deterministic=False),
}


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Vectors to learn from and to judge, in the forms that its heads need."""

    n_features: int
    n_judged: int
    forms: Mapping[Form, tuple[np.ndarray, np.ndarray]]
    """Rows to learn from and rows to judge: uint8 as `bins`, float32 as `scaled`."""


def make_pool(
    learn: Float[np.ndarray, "N D"], judge: Float[np.ndarray, "N2 D"], seed: int, heads: Sequence[str]
) -> Pool:
    """The pool of a feature set, ready for these heads; by the rows to learn from, and no label is looked at."""
    makers: dict[Form, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
        "bins": lambda: _bins(learn, judge, seed),
        "scaled": lambda: _scaled(learn, judge),
    }
    # What no head needs is not made: at full size a form takes up to 2 GB.
    forms = {need: makers[need]() for need in sorted({HEADS[head].needs for head in heads})}
    return Pool(learn.shape[1], len(judge), forms)


def _bins(learn: np.ndarray, judge: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    edges = bin_edges(learn, seed)
    return to_bins(learn, edges), to_bins(judge, edges)


def _scaled(learn: np.ndarray, judge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaler = standardiser(learn)
    return scaler.apply(learn), scaler.apply(judge)


def predict(
    head: str, pool: Pool, rows: Int64[np.ndarray, " n"], y: Int64[np.ndarray, " n"], *, n_classes: int,
    settings: HeadSettings, seed: int,
) -> Float32[np.ndarray, "N2 K"]:  # fmt: skip
    """Class probabilities of the rows to judge; 0 for a class that was not drawn.

    Without a feature, or with one class in the draw, a head knows the class shares of the draw and nothing else.
    """
    rows, y = _thinned(rows, y, HEADS[head].most_rows)
    drawn, own_y = np.unique(y, return_inverse=True)
    if pool.n_features == 0 or len(drawn) == 1:
        shares = np.bincount(y, minlength=n_classes) / len(y)
        return np.tile(shares.astype(np.float32), (pool.n_judged, 1))
    probabilities = np.zeros((pool.n_judged, n_classes), np.float32)
    probabilities[:, drawn] = _ask(HEADS[head].classes, _lesson(head, pool, rows, own_y, settings, seed))
    return probabilities


def predict_values(
    head: str, pool: Pool, rows: Int64[np.ndarray, " n"], y: Float64[np.ndarray, " n"], *, settings: HeadSettings,
    seed: int,
) -> Float64[np.ndarray, " N2"]:  # fmt: skip
    """Values of the rows to judge; without a feature, or with one value in the draw, the draw's mean.

    Raises:
        InputError: the head knows classes only.
    """
    fit = HEADS[head].values
    if fit is None:
        able = ", ".join(name for name, one in HEADS.items() if one.values is not None)
        raise InputError(
            f"head {head!r} tells classes apart and gives no values; for a numeric target use one of {able}"
        )
    if pool.n_features == 0 or y.min() == y.max():
        return np.full(pool.n_judged, y.mean())
    rows, y = _thinned(rows, y, HEADS[head].most_rows)
    return _ask(fit, _lesson(head, pool, rows, y, settings, seed))


def _thinned(rows: np.ndarray, y: np.ndarray, most: int | None) -> tuple[np.ndarray, np.ndarray]:
    """At most so many rows of a draw, evenly spaced: a draw may stand in the order of the chips."""
    if most is None or len(rows) <= most:
        return rows, y
    kept = np.linspace(0, len(rows) - 1, most).astype(np.int64)
    return rows[kept], y[kept]


def _lesson(head: str, pool: Pool, rows: np.ndarray, y: np.ndarray, settings: HeadSettings, seed: int) -> Lesson:
    learn, judge = pool.forms[HEADS[head].needs]
    return Lesson(learn[rows], y, judge, settings, seed)


def _ask(fit: Callable[[Lesson], np.ndarray], lesson: Lesson) -> np.ndarray:
    # Checked once at the edge; checking again costs more than a small fit.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        return fit(lesson)
