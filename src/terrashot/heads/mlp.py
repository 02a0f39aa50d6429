"""A small network: one hidden layer on standardised vectors, with strong decay and a fixed effort.

Few rows are learnt by L-BFGS, which was five times faster on them than Adam and better (0.57 against 0.53 of ten classes on 50
labels); many by Adam, whose time is bounded by its epochs.
"""

import warnings

import numpy as np
from jaxtyping import Float32, Float64
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from terrashot.heads.lesson import Lesson

HIDDEN, VARIANCE = 32, 64.0
"""Prior variance of what enters a hidden unit: the decay grows with the number of dimensions."""
STEPS = 100
FEW_ROWS = 1000
"""Up to these L-BFGS."""
RATE, ROWS_SEEN, EPOCHS = 3e-3, 300_000, (10, 100)

# Ending after a fixed number of steps is what we want. Once for this module: `catch_warnings` is not safe among threads.
warnings.filterwarnings("ignore", category=ConvergenceWarning, module=r"sklearn\.neural_network")


def mlp_classes(lesson: Lesson) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of the rows to judge."""
    model = _fit(MLPClassifier, lesson, lesson.y, {"classes": np.arange(lesson.n_classes)})
    return model.predict_proba(lesson.judge).astype(np.float32)


def mlp_values(lesson: Lesson) -> Float64[np.ndarray, " N"]:
    """Values of the rows to judge."""
    middle, spread = lesson.y.mean(), lesson.y.std()
    model = _fit(MLPRegressor, lesson, ((lesson.y - middle) / spread).astype(np.float32), {})
    return model.predict(lesson.judge).astype(np.float64) * spread + middle


def _fit(
    network: type[MLPClassifier] | type[MLPRegressor], lesson: Lesson, y: np.ndarray, known: dict[str, np.ndarray]
) -> MLPClassifier | MLPRegressor:
    told = {"hidden_layer_sizes": (HIDDEN,), "alpha": lesson.learn.shape[1] / VARIANCE, "random_state": lesson.seed}
    if len(y) <= FEW_ROWS:
        return network(solver="lbfgs", max_iter=STEPS, **told).fit(lesson.learn, y)
    model = network(learning_rate_init=RATE, **told)
    for _ in range(int(np.clip(ROWS_SEEN // len(y), *EPOCHS))):
        model.partial_fit(lesson.learn, y, **known)
    return model
