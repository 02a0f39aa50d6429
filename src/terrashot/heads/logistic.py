"""Logistic regression on standardised vectors, with one penalty that suits few labels and many dimensions."""

import warnings

import numpy as np
from jaxtyping import Float32
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from terrashot.heads.lesson import Lesson
from terrashot.heads.logistic_newton import logistic_by_newton

LOGIT_VARIANCE = 4.0
"""Prior variance of a logit: the penalty is scaled by the number of dimensions, so that long vectors are not favoured.
Not tuned: 4 was set beforehand. What other values give on validation chips stands in docs/few-labels.md."""
FEW_ROWS, SMALL_SYSTEM = 500, 300
"""Up to so many rows, and of rows or columns the fewer, Newton's method is faster than scikit-learn's solver."""
TOLERANCE = 1e-5

# In float32 a line search may end at the rounding before the tolerance is met: the fit is as good as it gets.
warnings.filterwarnings("ignore", category=ConvergenceWarning, module=r"sklearn\.linear_model\._logistic")


def logistic_classes(lesson: Lesson) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of the rows to judge."""
    n_rows, n_columns = lesson.learn.shape
    if lesson.n_classes == 2 and n_rows <= FEW_ROWS and min(n_rows, n_columns) <= SMALL_SYSTEM:
        return _of_two(lesson, n_columns / LOGIT_VARIANCE)
    model = LogisticRegression(C=LOGIT_VARIANCE / n_columns, tol=TOLERANCE, max_iter=2000)
    return model.fit(lesson.learn, lesson.y).predict_proba(lesson.judge)


def _of_two(lesson: Lesson, ridge: float) -> Float32[np.ndarray, "N 2"]:
    weights, intercept = logistic_by_newton(lesson.learn, lesson.y.astype(np.float64), ridge)
    positive = expit(lesson.judge @ weights + np.float32(intercept))
    return np.stack([1 - positive, positive], axis=1)
