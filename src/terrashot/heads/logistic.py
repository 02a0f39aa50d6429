"""Logistic regression on standardised vectors, at the cost of the number of labels, not of the vector's length.

With fewer labels than dimensions the solution lies in the span of the training rows, so it is found there: exact, and
some hundred times faster for 10 labels of 3,000 dimensions (tested against the direct fit).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from sklearn import config_context
from sklearn.linear_model import LogisticRegression

LOGIT_VARIANCE = 4.0
"""Prior variance of a logit: the penalty is scaled by the number of dimensions, so that long vectors are not favoured.
Chosen on the validation chips of simulated studies among 0.25 to 64 (docs/few-labels.md)."""
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Standardiser:
    """Means and spreads of a pool of vectors, labelled or not."""

    mean: Float64[np.ndarray, " D"]
    spread: Float64[np.ndarray, " D"]

    def apply(self, vectors: Float32[np.ndarray, "N D"]) -> Float32[np.ndarray, "N D"]:
        """Vectors with zero mean and unit spread over the pool; a column without spread becomes 0."""
        return ((vectors - self.mean) / self.spread).astype(np.float32)


def standardiser(pool: Float32[np.ndarray, "N D"]) -> Standardiser:
    """Moments of each column; a spread of 0 is taken as 1."""
    spread = pool.std(axis=0, dtype=np.float64)
    return Standardiser(pool.mean(axis=0, dtype=np.float64), np.where(spread > 1e-12, spread, 1.0))


def logistic_probabilities(
    train: Float32[np.ndarray, "n D"], y: Int64[np.ndarray, " n"], test: Float32[np.ndarray, "N D"], n_classes: int
) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of the test rows by a fit on the training rows; classes not drawn get 0."""
    probabilities = np.zeros((len(test), n_classes), dtype=np.float32)
    drawn = np.unique(y)
    inner_train, inner_test = _in_span(train, test) if len(train) < train.shape[1] else (train, test)
    solver = "newton-cholesky" if inner_train.shape[1] * len(drawn) <= 2000 else "lbfgs"
    model = LogisticRegression(C=LOGIT_VARIANCE / train.shape[1], solver=solver, tol=TOLERANCE, max_iter=2000)
    # Checked once at the edge; checking again costs more than a small fit.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        probabilities[:, drawn] = model.fit(inner_train, y).predict_proba(inner_test)
    return probabilities


def _in_span(train: np.ndarray, test: np.ndarray) -> tuple[Float64[np.ndarray, "n R"], Float64[np.ndarray, "N R"]]:
    """Both tables in an orthonormal basis of the training rows; what lies outside it cannot change a logit."""
    gram = (train @ train.T).astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    kept = values > values[-1] * 1e-7
    basis = vectors[:, kept] / np.sqrt(values[kept])
    return gram @ basis, (test @ train.T).astype(np.float64) @ basis
