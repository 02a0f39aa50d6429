"""Linear support vector machines on standardised vectors: squared hinge and squared epsilon loss, in the primal.

Linear, because a kernel's time grows with the square of the draw and its gain starts late: with 10, 50 and 250 labels the best
of six radial kernels told 0.61, 0.75 and 0.84 of two simulated classes right, this head 0.66, 0.75 and 0.77, and neither led on
ten labels of ten classes of EuroSAT's image statistics (0.31 and 0.32).
"""

import numpy as np
from jaxtyping import Float32, Float64
from sklearn.svm import LinearSVC, LinearSVR

from terrashot.heads.decision import probabilities_of
from terrashot.heads.lesson import Lesson

VARIANCE = 4.0
"""Prior variance of a decision value, as of a logit in the logistic head; that of the offset is 1."""


def svm_classes(lesson: Lesson) -> Float32[np.ndarray, "N K"]:
    """Class probabilities: one class against the rest by the squared hinge, then the softmax of `decision`."""
    model = LinearSVC(C=VARIANCE / lesson.learn.shape[1], dual=False).fit(lesson.learn, lesson.y)
    # In float32: scikit-learn would make a float64 copy of all rows to judge.
    decision = lesson.judge @ model.coef_.T.astype(np.float32) + model.intercept_
    return probabilities_of(np.hstack([-decision, decision]) if lesson.n_classes == 2 else decision)


def svm_values(lesson: Lesson) -> Float64[np.ndarray, " N"]:
    """Values of the rows to judge; errors below a tenth of the draw's spread count as none."""
    middle, spread = lesson.y.mean(), lesson.y.std()
    model = LinearSVR(
        C=VARIANCE / lesson.learn.shape[1], loss="squared_epsilon_insensitive", epsilon=0.1, dual=False
    ).fit(lesson.learn, (lesson.y - middle) / spread)
    decision = lesson.judge @ model.coef_.astype(np.float32) + model.intercept_
    return decision.astype(np.float64) * spread + middle
