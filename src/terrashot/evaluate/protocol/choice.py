"""What a head is told, chosen on validation chips: no test chip is within reach here."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from terrashot.evaluate.protocol.comparison import TaskDraws
from terrashot.evaluate.protocol.sampling import Draw, seed_of
from terrashot.evaluate.scores.metrics import score
from terrashot.evaluate.scores.regression_metrics import score_values
from terrashot.heads.lesson import HeadSettings
from terrashot.heads.pool import Pool, predict, predict_values

LABELS_TO_CHOOSE_BY, DRAWS_TO_CHOOSE_BY = 250, 3
TOLD = ("forest", "extra_trees")
"""Heads that heed trees and depth."""


def grid_of(trees: Sequence[int], depth: Sequence[int]) -> list[HeadSettings]:
    """Every pair, the cheapest first."""
    return [HeadSettings(t, d) for t, d in product(sorted(trees), sorted(depth))]


def choose_settings(grid: Sequence[HeadSettings], head: str, task: TaskDraws, pool: Pool, seed: int) -> HeadSettings:
    """The cheapest of those with the best mean score on the validation chips.

    The first three draws of 250 labels decide, or of the largest smaller size.

    Args:
        pool: judges the validation chips.
    """
    sizes = [draw.asked for draw in task.draws if draw.asked is not None and draw.asked <= LABELS_TO_CHOOSE_BY]
    size = max(sizes, default=None)
    draws = [draw for draw in task.draws if draw.asked == size and draw.repeat < DRAWS_TO_CHOOSE_BY]
    if len(grid) == 1 or not draws or not task.choose.known.any():
        return grid[0]
    means = [np.mean([_score(head, told, task, draw, pool, seed) for draw in draws]) for told in grid]
    return grid[int(np.argmax(np.round(means, 9)))]


def _score(head: str, told: HeadSettings, task: TaskDraws, draw: Draw, pool: Pool, seed: int) -> float:
    known = np.flatnonzero(task.choose.known)
    y, truth = task.learn.y[draw.rows], task.choose.y[known]
    own = seed_of(seed, task.task, head, draw.repeat)
    if task.learn.is_regression:
        values = predict_values(head, pool, draw.rows, y, settings=told, seed=own)[known]
        return score_values(truth, values)["r2"] or 0.0
    n_classes = len(task.learn.names)
    return score(truth, predict(head, pool, draw.rows, y, n_classes=n_classes, settings=told, seed=own)[known]).accuracy
