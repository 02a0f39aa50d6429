"""The paper's forest: 50 trees of depth 7, on vectors that were cut into 64 bins once for all fits.

Cutting once, by quantiles of the features alone, lets a fit gather bytes instead of sorting floats; `benchmarks/fewshot.py`
gives the ratio to scikit-learn's forest, and the tests hold its accuracy to it.

Source: Breiman 2001, doi:10.1023/A:1010933404324 (bootstrap, random features a node); histograms as in Ke et al. 2017
(LightGBM, section 2.1), with bins shared over fits.

Axis letters: S trees, V nodes of a tree in heap order (children of v are 2v + 1 and 2v + 2).
"""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8
from numba import njit

N_BINS = 64
EDGE_ROWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class BinnedForest:
    """A fitted forest over binned features."""

    feature: Int32[np.ndarray, "S V"]
    """Feature that a node asks for; -1 at a leaf."""
    threshold: UInt8[np.ndarray, "S V"]
    """Bins up to this go left."""
    share: Float32[np.ndarray, "S V K"]
    """Class shares of the training rows in a node."""

    def probabilities(self, bins: UInt8[np.ndarray, "N D"]) -> Float32[np.ndarray, "N K"]:
        """Mean class share over the trees."""
        return _predict(bins, self.feature, self.threshold, self.share)


def bin_edges(vectors: Float32[np.ndarray, "N D"], seed: int) -> Float32[np.ndarray, "D E"]:
    """Cut points of each feature at its quantiles, from features alone; at most 20,000 rows are looked at."""
    rows = vectors
    if len(vectors) > EDGE_ROWS:
        rows = vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), EDGE_ROWS, replace=False))]
    return np.quantile(rows, np.linspace(0, 1, N_BINS + 1)[1:-1], axis=0).T.astype(np.float32)


def to_bins(vectors: Float32[np.ndarray, "N D"], edges: Float32[np.ndarray, "D E"]) -> UInt8[np.ndarray, "N D"]:
    """Number of the bin of each value; a value on an edge belongs to the upper bin."""
    return _to_bins(np.ascontiguousarray(vectors), np.ascontiguousarray(edges))


def fit_forest(
    bins: UInt8[np.ndarray, "n D"], y: Int64[np.ndarray, " n"], n_classes: int, *, trees: int, depth: int, seed: int
) -> BinnedForest:
    """A forest of the rows and their classes; same rows, same seed, same forest."""
    tried = max(1, int(bins.shape[1] ** 0.5))
    columns = np.ascontiguousarray(bins.T)
    feature, threshold, share = _fit(columns, y, n_classes, trees, depth, tried, np.uint64(seed))
    return BinnedForest(feature, threshold, share)


@njit(cache=True, nogil=True)
@no_type_check
def _to_bins(vectors: np.ndarray, edges: np.ndarray) -> np.ndarray:
    n_rows, n_columns = vectors.shape
    bins = np.empty((n_rows, n_columns), np.uint8)
    for column in range(n_columns):
        own = edges[column]
        for row in range(n_rows):
            bins[row, column] = np.searchsorted(own, vectors[row, column], side="right")
    return bins


@njit(cache=True, nogil=True)
@no_type_check
def _random(state: np.ndarray, below: int) -> int:
    """A whole number below `below` (splitmix64; Steele et al. 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return int((z >> np.uint64(33)) % np.uint64(below))


@njit(cache=True, nogil=True)
@no_type_check
def _bootstrap(n_rows: int, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows drawn at least once, and how often."""
    times = np.zeros(n_rows, np.int64)
    for _ in range(n_rows):
        times[_random(state, n_rows)] += 1
    return np.nonzero(times)[0], times


@njit(cache=True, nogil=True)
@no_type_check
def _count(
    column: np.ndarray, rows: np.ndarray, y: np.ndarray, times: np.ndarray, histogram: np.ndarray
) -> tuple[int, int]:
    """Lowest and highest bin of the rows, after adding their weights to the histogram."""
    low, high = 255, 0
    for row in rows:
        value = column[row]
        histogram[value, y[row]] += times[row]
        low, high = min(low, value), max(high, value)
    return low, high


@njit(cache=True, nogil=True)
@no_type_check
def _best_cut(histogram: np.ndarray, low: int, high: int, total: np.ndarray, left: np.ndarray) -> tuple[float, int]:
    """Gini gain's varying part and the last bin that goes left; empties the histogram on the way.

    Sums of squared class weights on both sides are kept up to date as rows cross over. Loops, not slices: a slice costs
    more than the few classes it holds.
    """
    best, cut, previous = -1.0, -1, -1
    weight_left, weight = 0.0, 0.0
    squares_left, squares_right = 0.0, 0.0
    for k in range(len(total)):
        left[k] = 0
        weight += total[k]
        squares_right += float(total[k]) * total[k]
    for value in range(low, high + 1):
        here = 0
        for k in range(len(total)):
            here += histogram[value, k]
        if here == 0:
            continue
        if previous >= 0:
            gain = squares_left / weight_left + squares_right / (weight - weight_left)
            if gain > best:
                # Halfway between the occupied bins, as a threshold on the values would lie.
                best, cut = gain, (previous + value) // 2
        for k in range(len(total)):
            moved = histogram[value, k]
            if moved:
                squares_left += float(2 * left[k] + moved) * moved
                squares_right -= float(2 * (total[k] - left[k]) - moved) * moved
                left[k] += moved
                histogram[value, k] = 0
        weight_left += here
        previous = value
    return best, cut


@njit(cache=True, nogil=True)
@no_type_check
def _choose(
    columns: np.ndarray, rows: np.ndarray, y: np.ndarray, times: np.ndarray, order: np.ndarray, total: np.ndarray,
    histogram: np.ndarray, tried: int, state: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Feature and cut of a node: the best of `tried` random features that vary in it; -1 where none does."""
    weight = total.sum()
    squares = 0.0
    for k in range(len(total)):
        squares += float(total[k]) * total[k]
    best, feature, cut = squares / weight * (1 + 1e-9), -1, 0
    left = np.zeros(len(total), np.int64)
    varying, at = 0, 0
    while at < len(order) and (varying < tried or feature < 0):
        pick = at + _random(state, len(order) - at)
        order[at], order[pick] = order[pick], order[at]
        low, high = _count(columns[order[at]], rows, y, times, histogram)
        gain, here = _best_cut(histogram, low, high, total, left)
        if low < high:
            varying += 1
        if gain > best:
            best, feature, cut = gain, order[at], here
        at += 1
    return feature, cut


@njit(cache=True, nogil=True)
@no_type_check
def _part(rows: np.ndarray, column: np.ndarray, cut: int) -> int:
    """How many rows go left, after moving them to the front."""
    low, high = 0, len(rows) - 1
    while low <= high:
        if column[rows[low]] <= cut:
            low += 1
        else:
            rows[low], rows[high] = rows[high], rows[low]
            high -= 1
    return low


@njit(cache=True, nogil=True)
@no_type_check
def _fit(
    columns: np.ndarray, y: np.ndarray, n_classes: int, trees: int, depth: int, tried: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_nodes = 2 ** (depth + 1) - 1
    feature = np.full((trees, n_nodes), -1, np.int32)
    threshold = np.zeros((trees, n_nodes), np.uint8)
    share = np.zeros((trees, n_nodes, n_classes), np.float32)
    order = np.arange(len(columns))
    histogram = np.zeros((256, n_classes), np.int64)
    state = np.array([seed], np.uint64)
    for tree in range(trees):
        rows, times = _bootstrap(len(y), state)
        start, end = np.full(n_nodes, -1), np.zeros(n_nodes, np.int64)
        start[0], end[0] = 0, len(rows)
        for node in range(n_nodes):
            if start[node] < 0:
                continue
            own = rows[start[node] : end[node]]
            total = np.zeros(n_classes, np.int64)
            for row in own:
                total[y[row]] += times[row]
            share[tree, node] = total / total.sum()
            if node >= n_nodes // 2 or total.max() == total.sum():
                continue
            chosen, cut = _choose(columns, own, y, times, order, total, histogram, tried, state)
            if chosen < 0:
                continue
            feature[tree, node], threshold[tree, node] = chosen, cut
            middle = start[node] + _part(own, columns[chosen], cut)
            start[2 * node + 1], end[2 * node + 1] = start[node], middle
            start[2 * node + 2], end[2 * node + 2] = middle, end[node]
    return feature, threshold, share


@njit(cache=True, nogil=True)
@no_type_check
def _predict(bins: np.ndarray, feature: np.ndarray, threshold: np.ndarray, share: np.ndarray) -> np.ndarray:
    n_trees = len(feature)
    probabilities = np.zeros((len(bins), share.shape[2]), np.float32)
    for row in range(len(bins)):
        for tree in range(n_trees):
            node = 0
            while feature[tree, node] >= 0:
                node = 2 * node + (1 if bins[row, feature[tree, node]] <= threshold[tree, node] else 2)
            probabilities[row] += share[tree, node]
    return probabilities / np.float32(n_trees)
