"""The forests as heads: how many trees and how deep, they are told."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Float64

from terrashot.heads.forest import BinnedForest, fit_extra_trees, fit_forest
from terrashot.heads.lesson import Lesson
from terrashot.heads.regression_forest import RegressionForest, fit_extra_regression_trees, fit_regression_forest


def forest_classes(lesson: Lesson) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of the rows to judge."""
    return _classes(fit_forest, lesson)


def extra_trees_classes(lesson: Lesson) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of the rows to judge."""
    return _classes(fit_extra_trees, lesson)


def forest_values(lesson: Lesson) -> Float64[np.ndarray, " N"]:
    """Values of the rows to judge."""
    return _values(fit_regression_forest, lesson)


def extra_trees_values(lesson: Lesson) -> Float64[np.ndarray, " N"]:
    """Values of the rows to judge."""
    return _values(fit_extra_regression_trees, lesson)


def _classes(fit: Callable[..., BinnedForest], lesson: Lesson) -> np.ndarray:
    told = lesson.settings
    forest = fit(lesson.learn, lesson.y, lesson.n_classes, trees=told.trees, depth=told.depth, seed=lesson.seed)
    return forest.probabilities(lesson.judge)


def _values(fit: Callable[..., RegressionForest], lesson: Lesson) -> np.ndarray:
    forest = fit(lesson.learn, lesson.y, trees=lesson.settings.trees, depth=lesson.settings.depth, seed=lesson.seed)
    return forest.values(lesson.judge).astype(np.float64)
