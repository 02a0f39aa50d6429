"""What a growing forest holds: the drawn rows, the nodes of one level over all trees, and the trees so far.

Rows of a node lie side by side and stay in ascending order, so that a column of the table is read forwards.

Axis letters: S trees, V nodes of a tree in heap order (children of v are 2v + 1 and 2v + 2), L nodes of a level over all
trees, C values of a node.
"""

from typing import NamedTuple, no_type_check

import numpy as np
from numba import njit

from terrashot.heads.splitmix import random_below

REGRESSION = 0
"""Stands for the number of classes where there are none."""
NO_GAIN = 1e-9
"""A cut has to lower the impurity by more than this share: rounding lowers it by less."""


class Plan(NamedTuple):
    """How the trees are to be grown."""

    trees: int
    depth: int
    tried: int
    """Features a node tries, of those that vary in it."""
    n_classes: int
    is_random: bool
    """Extra trees: all rows, and one random cut a feature."""


class Trees(NamedTuple):
    """Grown trees."""

    feature: np.ndarray
    """int32 S V: the feature that a node asks for; -1 at a leaf."""
    threshold: np.ndarray
    """uint8 S V: bins up to this go left."""
    value: np.ndarray
    """float32 S V C: class shares, or the mean target, of the training rows in a node."""


class Sample(NamedTuple):
    """The drawn rows of all trees, those of a node side by side."""

    row: np.ndarray
    target: np.ndarray
    weight: np.ndarray


class Level(NamedTuple):
    """Nodes of one depth: tree, place in its heap, and span of rows."""

    tree: np.ndarray
    node: np.ndarray
    start: np.ndarray
    end: np.ndarray
    total: np.ndarray
    """float64 L C: what the histogram of all the node's rows adds up to."""


class Best(NamedTuple):
    """The best cut found so far for each node of a level."""

    feature: np.ndarray
    cut: np.ndarray
    over: np.ndarray
    under: np.ndarray
    turn: np.ndarray
    """When the node named the feature: of equals the first wins, whatever the order in which columns go by."""
    varying: np.ndarray


@njit(cache=True, nogil=True)
@no_type_check
def plant(y: np.ndarray, plan: Plan, state: np.ndarray) -> tuple[Sample, Level]:
    """The rows of every tree (drawn with replacement, or all of them) and the roots."""
    n_rows = len(y)
    # One place to spare: a row not drawn is written past the end and overwritten.
    room = plan.trees * n_rows + 1
    sample = Sample(np.empty(room, np.uint32), np.empty(room, np.float32), np.empty(room, np.float32))
    level = _empty_level(plan.trees, max(2, plan.n_classes))
    times, at = np.ones(n_rows, np.float32), 0
    for tree in range(plan.trees):
        if not plan.is_random:
            times[:] = 0
            for _ in range(n_rows):
                times[random_below(state, n_rows)] += 1
        level.tree[tree], level.node[tree], level.start[tree] = tree, 0, at
        for row in range(n_rows):
            sample.row[at], sample.target[at], sample.weight[at] = row, y[row], times[row]
            at += times[row] > 0
        level.end[tree] = at
    return sample, level


@njit(cache=True, nogil=True)
@no_type_check
def _empty_level(n: int, n_sums: int) -> Level:
    spans = np.empty((2, n), np.uint64)
    return Level(np.empty(n, np.int32), np.empty(n, np.int32), spans[0], spans[1], np.empty((n, n_sums)))


@njit(cache=True, nogil=True)
@no_type_check
def _head(level: Level, n: int) -> Level:
    """The first nodes."""
    return Level(level.tree[:n], level.node[:n], level.start[:n], level.end[:n], level.total[:n])


@njit(cache=True, nogil=True)
@no_type_check
def settle(sample: Sample, level: Level, trees: Trees, plan: Plan) -> tuple[Level, Best]:
    """Gives every node its value; the nodes with more than one target, and the score that a cut has to beat."""
    n, kept = len(level.node), 0
    best = Best(
        np.full(n, np.int32(-1), np.int32), np.zeros(n, np.uint8), np.empty(n), np.ones(n),
        np.zeros(n, np.int32), np.zeros(n, np.int32),
    )  # fmt: skip
    for v in range(n):
        start, end, total = level.start[v], level.end[v], level.total[v]
        best.over[kept] = _add_up(sample, start, end, total, plan.n_classes)
        _set_value(trees.value[level.tree[v], level.node[v]], total, plan.n_classes)
        if best.over[kept] >= 0:
            level.tree[kept], level.node[kept] = level.tree[v], level.node[v]
            level.start[kept], level.end[kept] = start, end
            for k in range(len(total)):
                level.total[kept, k] = total[k]
            kept += 1
    return _head(level, kept), best


@njit(cache=True, nogil=True)
@no_type_check
def _add_up(sample: Sample, start: int, end: int, total: np.ndarray, n_classes: int) -> float:
    """The score that a cut of these rows has to beat, or -1 where all have one target; fills in their total."""
    for k in range(len(total)):
        total[k] = 0
    first, is_pure, squares, weight = sample.target[start], True, 0.0, 0.0
    for at in range(start, end):
        target, here = sample.target[at], sample.weight[at]
        is_pure &= target == first
        weight += here
        squares += here * target * target
        if n_classes > 2:
            total[int(target)] += here
        else:
            total[0] += here * target
    if n_classes <= 2:
        total[1] = weight
        return -1.0 if is_pure else NO_GAIN * (squares * weight - total[0] * total[0])
    squares = 0.0
    for k in range(n_classes):
        squares += total[k] * total[k]
    return -1.0 if is_pure else (1 + NO_GAIN) * squares / weight


@njit(cache=True, nogil=True)
@no_type_check
def _set_value(value: np.ndarray, total: np.ndarray, n_classes: int) -> None:
    """Mean target, or class shares."""
    if n_classes > 2:
        weight = 0.0
        for k in range(n_classes):
            weight += total[k]
        for k in range(n_classes):
            value[k] = total[k] / weight
    elif n_classes == REGRESSION:
        value[0] = total[0] / total[1]
    else:
        value[n_classes - 1] = total[0] / total[1]
        value[0] = 1 - total[0] / total[1]


@njit(cache=True, nogil=True)
@no_type_check
def part(columns: np.ndarray, sample: Sample, level: Level, best: Best, trees: Trees) -> Level:
    """The children of the nodes for which a cut was found."""
    longest = np.int64(0)
    for v in range(len(level.node)):
        longest = max(longest, np.int64(level.end[v] - level.start[v]))
    spare = Sample(np.empty(longest, np.uint32), np.empty(longest, np.float32), np.empty(longest, np.float32))
    children, n = _empty_level(2 * len(level.node), level.total.shape[1]), 0
    for v in range(len(level.node)):
        if best.feature[v] < 0:
            continue
        tree, node = level.tree[v], level.node[v]
        trees.feature[tree, node], trees.threshold[tree, node] = best.feature[v], best.cut[v]
        middle = _move(columns[best.feature[v]], best.cut[v], sample, level.start[v], level.end[v], spare)
        for side in range(2):
            children.tree[n + side], children.node[n + side] = tree, 2 * node + 1 + side
        children.start[n], children.end[n] = level.start[v], middle
        children.start[n + 1], children.end[n + 1] = middle, level.end[v]
        n += 2
    return _head(children, n)


@njit(cache=True, nogil=True)
@no_type_check
def _move(column: np.ndarray, cut: int, sample: Sample, start: int, end: int, spare: Sample) -> np.uint64:
    """Where the right side begins, after moving the rows of the left side before it; both keep their order.

    Each row is written to both sides and only one of them moves on: no branch that could be guessed wrongly.
    """
    left, right = np.uint64(start), np.uint64(0)
    for at in range(start, end):
        row, target, weight = sample.row[at], sample.target[at], sample.weight[at]
        goes_left = np.uint64(column[row] <= cut)
        sample.row[left], sample.target[left], sample.weight[left] = row, target, weight
        spare.row[right], spare.target[right], spare.weight[right] = row, target, weight
        left += goes_left
        right += np.uint64(1) - goes_left
    for at in range(right):
        to = left + np.uint64(at)
        sample.row[to], sample.target[to], sample.weight[to] = spare.row[at], spare.target[at], spare.weight[at]
    return left
