"""Two-class logistic regression of few rows: Newton's method, in the rows or in the columns, whichever are fewer.

With few labels a general solver spends its time on calls, not on arithmetic; here a fit is four or five solves of a small
system, and ends at the minimum rather than near it. benchmarks/logistic.py measures both.

Source: Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, equations 4.26 (columns) and 18.3.5 (rows);
the well-conditioned form of the system in the rows: Rasmussen and Williams 2006, algorithm 3.1, here with a free intercept.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

MOST_STEPS, MOST_HALVINGS = 50, 30
TOLERANCE = 1e-5
"""Of a logit. A Newton step squares the error, so that the fit it ends with is right to rounding."""
LEAST_WEIGHT = 1e-10
"""Of a row whose class is beyond doubt."""


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """Where the search stands: everything in it moves along straight lines."""

    weights: Float64[np.ndarray, " d"]
    """Of the columns, or of the rows."""
    intercept: float
    logits: Float64[np.ndarray, " n"]

    def towards(self, aim: "_Point", share: float) -> "_Point":
        """So far on the way to another."""
        return _Point(
            self.weights + share * (aim.weights - self.weights),
            self.intercept + share * (aim.intercept - self.intercept),
            self.logits + share * (aim.logits - self.logits),
        )


def logistic_by_newton(
    vectors: Float32[np.ndarray, "n D"], y: Float64[np.ndarray, " n"], ridge: float
) -> tuple[Float32[np.ndarray, " D"], float]:
    """Weights and intercept that minimise the log loss, summed over the rows, plus ridge / 2 times the squared weights.

    Args:
        y: 0 or 1, each at least once: of one class alone the intercept has no bound.
    """
    n, n_columns = vectors.shape
    start = _Point(np.zeros(min(n, n_columns)), 0.0, np.zeros(n))
    if n_columns <= n:
        own = vectors.astype(np.float64)
        found = _minimise(
            start,
            y,
            lambda now: _aim_by_columns(own, y, ridge, now),
            lambda at: float(ridge / 2 * (at.weights @ at.weights)),
        )
        return found.weights.astype(np.float32), found.intercept
    gram = (vectors @ vectors.T).astype(np.float64)
    found = _minimise(
        start,
        y,
        lambda now: _aim_by_rows(gram, y, ridge, now),
        lambda at: float(ridge / 2 * (at.weights @ (at.logits - at.intercept))),
    )
    return vectors.T @ found.weights.astype(np.float32), found.intercept


def _minimise(
    start: _Point, y: np.ndarray, aim_from: Callable[[_Point], _Point], penalty: Callable[[_Point], float]
) -> _Point:
    """Newton's method; a step that would not lead down is halved."""

    def loss(point: _Point) -> float:
        return float(np.logaddexp(0, point.logits).sum() - point.logits @ y) + penalty(point)

    now, lowest = start, loss(start)
    for _ in range(MOST_STEPS):
        aim, share = aim_from(now), 1.0
        while (found := loss(at := now.towards(aim, share))) > lowest * (1 + 1e-12) and share > 0.5**MOST_HALVINGS:
            share /= 2
        moved = float(np.abs(at.logits - now.logits).max())
        now, lowest = at, found
        if moved < TOLERANCE:
            break
    return now


def _aim_by_columns(vectors: Float64[np.ndarray, "n D"], y: np.ndarray, ridge: float, now: _Point) -> _Point:
    root, push = _weights_and_push(now, y)
    scaled = np.column_stack([vectors, np.ones(len(y))]) * root[:, None]
    curvature = scaled.T @ scaled
    curvature[np.diag_indices(len(curvature) - 1)] += ridge
    found = cho_solve(cho_factor(curvature, lower=True, check_finite=False), scaled.T @ push, check_finite=False)
    return _Point(found[:-1], float(found[-1]), vectors @ found[:-1] + found[-1])


def _aim_by_rows(gram: Float64[np.ndarray, "n n"], y: np.ndarray, ridge: float, now: _Point) -> _Point:
    root, push = _weights_and_push(now, y)
    curvature = gram * (root[:, None] * root)
    curvature[np.diag_indices_from(curvature)] += ridge
    factor = cho_factor(curvature, lower=True, check_finite=False)
    own, ones = root * cho_solve(factor, np.column_stack([push, root]), check_finite=False).T
    intercept = float(own.sum() / ones.sum())
    weights = own - intercept * ones
    return _Point(weights, intercept, gram @ weights + intercept)


def _weights_and_push(now: _Point, y: np.ndarray) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Roots of the rows' weights, and the working response times them."""
    share = expit(now.logits)
    root = np.sqrt(np.maximum(share * (1 - share), LEAST_WEIGHT))
    return root, root * now.logits + (y - share) / root
