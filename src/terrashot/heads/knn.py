"""The nearest rows of the draw, by the distance of standardised vectors; the nearer, the more they weigh (1 / distance).

How many is decided by the draw's size: with few rows a class the fifth neighbour is mostly of another class. On ten labels one
neighbour tells 0.30 of ten classes right, five tell 0.25 (0.16 unweighted); on 250 labels of two classes five tell 0.76, one 0.71
(learning rows of EuroSAT's image statistics and of simulated vectors). Vectors of unit length did no better by more than a point.
"""

import numpy as np
from jaxtyping import Float32, Float64
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from terrashot.heads.lesson import Lesson

MOST_NEIGHBOURS = 5
ROWS_A_NEIGHBOUR = 5
"""Rows of each class that the draw must hold for each neighbour that is asked."""


def knn_classes(lesson: Lesson) -> Float32[np.ndarray, "N K"]:
    """Weighted shares of the classes among the nearest rows, and one vote for each class besides (Laplace's rule).

    Without that a single neighbour would be certain; the choice and the order of the rows stay.
    """
    k = _neighbours(len(lesson.y), lesson.n_classes)
    model = KNeighborsClassifier(k, weights="distance", algorithm="brute").fit(lesson.learn, lesson.y)
    votes = k * model.predict_proba(lesson.judge) + 1
    return (votes / (k + lesson.n_classes)).astype(np.float32)


def knn_values(lesson: Lesson) -> Float64[np.ndarray, " N"]:
    """Weighted mean value of the nearest rows; as many as of two classes."""
    model = KNeighborsRegressor(_neighbours(len(lesson.y), 2), weights="distance", algorithm="brute")
    return model.fit(lesson.learn, lesson.y).predict(lesson.judge).astype(np.float64)


def _neighbours(n_rows: int, n_classes: int) -> int:
    return int(np.clip(n_rows // (ROWS_A_NEIGHBOUR * n_classes), 1, MOST_NEIGHBOURS))
