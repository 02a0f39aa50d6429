"""Boosted trees on bins: scikit-learn's histogram gradient boosting (Ke et al. 2017), held back for few labels."""

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from terrashot.heads.lesson import Lesson

ROUNDS, LEAVES = (40, 100), 8
"""Twice as many rounds as rows, within these bounds: more on ten rows only makes the head surer than it should be."""
LEAF_ROWS = (3, 20)
"""A leaf holds a tenth of the draw, within these bounds."""
ROWS_AT_ONCE = 8192


def boosted_classes(lesson: Lesson) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of the rows to judge."""
    model = HistGradientBoostingClassifier(**_held_back(len(lesson.y))).fit(lesson.learn, lesson.y)
    return np.concatenate([model.predict_proba(part) for part in _parts(lesson.judge)]).astype(np.float32)


def boosted_values(lesson: Lesson) -> Float64[np.ndarray, " N"]:
    """Values of the rows to judge."""
    model = HistGradientBoostingRegressor(**_held_back(len(lesson.y))).fit(lesson.learn, lesson.y)
    return np.concatenate([model.predict(part) for part in _parts(lesson.judge)])


def _held_back(n_rows: int) -> dict[str, int | float | bool]:
    """Few leaves, none of them a row or two, and no early stopping, for which few labels leave none aside."""
    return {
        "max_iter": int(np.clip(2 * n_rows, *ROUNDS)),
        "max_leaf_nodes": LEAVES,
        "min_samples_leaf": int(np.clip(n_rows // 10, *LEAF_ROWS)),
        "l2_regularization": 1.0,
        "early_stopping": False,
        "random_state": 0,
    }


def _parts(judge: UInt8[np.ndarray, "N D"]) -> list[UInt8[np.ndarray, "_ D"]]:
    """Some rows at a time: the trees read float64, eight times what bins take."""
    return np.split(judge, range(ROWS_AT_ONCE, len(judge), ROWS_AT_ONCE))
