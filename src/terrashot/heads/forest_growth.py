"""Trees of a forest, grown together level by level, so that a column of the table is read once for all of them.

A node tries few features, and a tree alone would fetch each column anew from memory. Here all nodes of a level, of all
trees, name their features first; then the columns go by in order, and each, while it is in the cache, serves every node
that asked for it.
"""

from typing import no_type_check

import numpy as np
from numba import njit

from terrashot.heads.bins import N_BINS
from terrashot.heads.forest_cuts import (
    ANY_CUT,
    NO_CUT,
    bits_above,
    cut_classes,
    cut_moments,
    fill_classes,
    fill_moments,
    lowest_bit,
)
from terrashot.heads.forest_level import Best, Level, Plan, Sample, Trees, part, plant, settle
from terrashot.heads.splitmix import random_below

ASKED_AT_ONCE = 1 << 20
"""Bound on the pairs of node and feature that are sorted together, for memory."""

IN_CACHE = 1 << 20
"""Bytes of a table that stays in the second-level cache: there a node may as well try its features in a row."""


@njit(cache=True, nogil=True)
@no_type_check
def grow(columns: np.ndarray, y: np.ndarray, plan: Plan, seed: np.uint64) -> Trees:
    """The trees of rows with bins `columns` (uint8 D N) and targets `y` (float32 N: a class, or a number)."""
    n_nodes = 2 ** (plan.depth + 1) - 1
    trees = Trees(
        np.full((plan.trees, n_nodes), np.int32(-1), np.int32),
        np.zeros((plan.trees, n_nodes), np.uint8),
        np.zeros((plan.trees, n_nodes, max(1, plan.n_classes)), np.float32),
    )
    state = np.array([seed], np.uint64)
    order = np.arange(len(columns)).astype(np.int32)
    sample, level = plant(y, plan, state)
    for depth in range(plan.depth + 1):
        level, best = settle(sample, level, trees, plan)
        if depth == plan.depth or len(level.node) == 0:
            break
        _choose(columns, sample, level, best, plan, order, state)
        level = part(columns, sample, level, best, trees)
    return trees


@njit(cache=True, nogil=True)
@no_type_check
def _choose(
    columns: np.ndarray, sample: Sample, level: Level, best: Best, plan: Plan, order: np.ndarray, state: np.ndarray
) -> None:
    """Finds every node's best cut along its random features."""
    n, tried = len(level.node), plan.tried
    # The row past the bins holds what a cut moved to the left.
    histogram = np.zeros((N_BINS + 1, level.total.shape[1]))
    at_once = max(1, min(n, ASKED_AT_ONCE // tried))
    asked = np.empty((at_once, tried), np.int32)
    first = np.empty(len(columns) + 1, np.int64)
    for group in range(0, n, at_once):
        size = min(at_once, n - group)
        _ask(order, asked[:size], state)
        if columns.size <= IN_CACHE:
            for v in range(size):
                for turn in range(tried):
                    feature = np.int64(asked[v, turn])
                    _try(columns[feature], feature, turn, sample, level, best, group + v, plan, histogram, state)
        else:
            nodes, turns = _by_feature(asked[:size], first)
            for feature in range(len(columns)):
                column = columns[feature]
                for place in range(first[feature], first[feature + 1]):
                    v, turn = group + nodes[place], np.int64(turns[place])
                    _try(column, feature, turn, sample, level, best, v, plan, histogram, state)
        for v in range(group, group + size):
            if best.varying[v] < tried or best.feature[v] < 0:
                _ask_on(columns, asked[v - group], sample, level, best, v, plan, order, histogram, state)


@njit(cache=True, nogil=True)
@no_type_check
def _ask(order: np.ndarray, asked: np.ndarray, state: np.ndarray) -> None:
    """Fills in different random features for each node (the head of a Fisher-Yates shuffle)."""
    for v in range(len(asked)):
        for turn in range(asked.shape[1]):
            pick = turn + random_below(state, len(order) - turn)
            order[turn], order[pick] = order[pick], order[turn]
            asked[v, turn] = order[turn]


@njit(cache=True, nogil=True)
@no_type_check
def _by_feature(asked: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and turns in the order of the features asked for (counting sort); `first`: where each feature begins."""
    n, tried = asked.shape
    first[:] = 0
    for v in range(n):
        for turn in range(tried):
            first[asked[v, turn] + 1] += 1
    for feature in range(1, len(first)):
        first[feature] += first[feature - 1]
    free, nodes, turns = first.copy(), np.empty(n * tried, np.int32), np.empty(n * tried, np.int32)
    for v in range(n):
        for turn in range(tried):
            place = free[asked[v, turn]]
            nodes[place], turns[place] = v, turn
            free[asked[v, turn]] += 1
    return nodes, turns


@njit(cache=True, nogil=True, forceinline=True)
@no_type_check
def _try(
    column: np.ndarray, feature: int, turn: int, sample: Sample, level: Level, best: Best, v: int, plan: Plan,
    histogram: np.ndarray, state: np.ndarray,
) -> None:  # fmt: skip
    """Takes the best cut along a feature, if it beats the node's best so far."""
    start, end = level.start[v], level.end[v]
    if plan.n_classes > 2:
        occupied = fill_classes(column, sample, start, end, histogram)
    else:
        occupied = fill_moments(column, sample, start, end, histogram)
    only, low = ANY_CUT, int(lowest_bit(occupied))
    high = N_BINS - 1 - int(bits_above(occupied))
    if plan.is_random and low < high:
        only = low + random_below(state, high - low)
    if plan.n_classes > 2:
        over, under, cut = cut_classes(histogram, occupied, level.total[v], histogram[N_BINS], only)
    else:
        over, under, cut = cut_moments(histogram, occupied, level.total[v], only)
    best.varying[v] += low < high
    if cut == NO_CUT:
        return
    mine, theirs = over * best.under[v], best.over[v] * under
    if mine > theirs or (mine == theirs and turn < best.turn[v]):
        best.over[v], best.under[v], best.turn[v] = over, under, turn
        best.feature[v], best.cut[v] = feature, cut if only == ANY_CUT else only


@njit(cache=True, nogil=True)
@no_type_check
def _ask_on(
    columns: np.ndarray, asked: np.ndarray, sample: Sample, level: Level, best: Best, v: int, plan: Plan,
    order: np.ndarray, histogram: np.ndarray, state: np.ndarray,
) -> None:  # fmt: skip
    """Tries further features of a node in which some were constant, till enough vary and one parts it."""
    is_asked = np.zeros(len(order), np.bool_)
    for feature in asked:
        is_asked[feature] = True
    turn = 0
    while turn < len(order) and (best.varying[v] < plan.tried or best.feature[v] < 0):
        pick = turn + random_below(state, len(order) - turn)
        order[turn], order[pick] = order[pick], order[turn]
        feature = int(order[turn])
        turn += 1
        if not is_asked[feature]:
            _try(columns[feature], feature, turn + plan.tried, sample, level, best, v, plan, histogram, state)
