"""Logistic regression on standardised vectors: scikit-learn's, with one penalty that suits few labels and many dimensions."""

import warnings

import numpy as np
from jaxtyping import Float32
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from terrashot.heads.lesson import Lesson

LOGIT_VARIANCE = 4.0
"""Prior variance of a logit: the penalty is scaled by the number of dimensions, so that long vectors are not favoured.
Not tuned: 4 was set beforehand. What other values give on validation chips stands in docs/few-labels.md."""
TOLERANCE = 1e-5

# In float32 a line search may end at the rounding before the tolerance is met: the fit is as good as it gets.
warnings.filterwarnings("ignore", category=ConvergenceWarning, module=r"sklearn\.linear_model\._logistic")


def logistic_classes(lesson: Lesson) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of the rows to judge."""
    model = LogisticRegression(C=LOGIT_VARIANCE / lesson.learn.shape[1], tol=TOLERANCE, max_iter=2000)
    return model.fit(lesson.learn, lesson.y).predict_proba(lesson.judge)
