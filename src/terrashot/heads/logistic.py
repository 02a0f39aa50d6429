"""Logistic regression on standardised vectors: scikit-learn's, with one penalty that suits few labels and many dimensions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from sklearn import config_context
from sklearn.linear_model import LogisticRegression

LOGIT_VARIANCE = 4.0
"""Prior variance of a logit: the penalty is scaled by the number of dimensions, so that long vectors are not favoured.
Not tuned: 4 was set beforehand. What other values give on validation chips stands in docs/few-labels.md."""
TOLERANCE = 1e-5


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
    model = LogisticRegression(C=LOGIT_VARIANCE / train.shape[1], tol=TOLERANCE, max_iter=2000)
    # Checked once at the edge; checking again costs more than a small fit.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        probabilities[:, np.unique(y)] = model.fit(train, y).predict_proba(test)
    return probabilities
