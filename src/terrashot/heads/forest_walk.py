"""Mean leaf value of a forest for every row of a binned table.

Axis letters: S trees, V nodes of a tree in heap order, C values of a node.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float32, UInt8
from numba import njit

from terrashot.heads.forest_level import Trees

BLOCK_ROWS = 64
"""Rows that go through a tree together: they and the tree stay in the first caches."""


def mean_leaf(bins: UInt8[np.ndarray, "N D"], trees: Trees) -> Float32[np.ndarray, "N C"]:
    """Mean over the trees of the value of the leaf in which a row ends."""
    return _mean_leaf(np.ascontiguousarray(bins), trees)


@njit(cache=True, nogil=True)
@no_type_check
def _mean_leaf(bins: np.ndarray, trees: Trees) -> np.ndarray:
    asks, value, steps = _evened(trees)
    mean = np.zeros((len(bins), value.shape[2]), np.float32)
    node = np.empty(BLOCK_ROWS, np.uint32)
    for first in range(0, len(bins), BLOCK_ROWS):
        size = min(BLOCK_ROWS, len(bins) - first)
        for tree in range(len(asks)):
            _descend(bins[first : first + size], asks[tree], steps[tree], node)
            for row in range(size):
                for k in range(value.shape[2]):
                    mean[first + row, k] += value[tree, node[row], k]
    return mean / np.float32(len(asks))


@njit(cache=True, nogil=True)
@no_type_check
def _descend(block: np.ndarray, asks: np.ndarray, steps: int, node: np.ndarray) -> None:
    """Fills in the node in which each row ends; all rows take a step together, so that none waits for its own last."""
    node[:] = 0
    for _ in range(steps):
        for row in range(len(block)):
            ask = asks[node[row]]
            goes_right = np.uint32(block[row, ask >> np.uint32(8)] > np.uint8(ask & np.uint32(255)))
            node[row] = np.uint32(2) * node[row] + np.uint32(1) + goes_right


@njit(cache=True, nogil=True)
@no_type_check
def _evened(trees: Trees) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Feature and threshold of a node in one word, values, and levels of each tree.

    Leaves above the deepest level hand their value down to the left: every row then takes the same number of steps,
    without a branch that could be guessed wrongly.
    """
    n_trees, n_nodes = trees.feature.shape
    asks = np.full((n_trees, n_nodes), np.uint32(255), np.uint32)
    value, steps = trees.value.copy(), np.zeros(n_trees, np.int64)
    for tree in range(n_trees):
        for node in range(n_nodes // 2):
            if trees.feature[tree, node] >= 0:
                asks[tree, node] = np.uint32(trees.feature[tree, node]) << np.uint32(8) | trees.threshold[tree, node]
                while node + 1 >= 2 ** steps[tree]:
                    steps[tree] += 1
        last = 2 ** steps[tree] - 1
        for node in range(last):
            if trees.feature[tree, node] < 0:
                value[tree, 2 * node + 1] = value[tree, node]
    return asks, value, steps
