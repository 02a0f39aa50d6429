"""The paper's forest: 50 trees of depth 7, on vectors that were cut into 64 bins once for all fits.

Cutting once, by quantiles of the features alone, lets a fit gather bytes instead of sorting floats; `benchmarks/fewshot.py`
gives the ratio to scikit-learn's forest, and the tests hold its accuracy to it.

Axis letters: S trees, V nodes of a tree in heap order (children of v are 2v + 1 and 2v + 2).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from terrashot.heads.bins import by_feature
from terrashot.heads.forest_growth import grow
from terrashot.heads.forest_level import Plan, Trees
from terrashot.heads.forest_walk import mean_leaf


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
        return mean_leaf(bins, Trees(self.feature, self.threshold, self.share))


def fit_forest(
    bins: UInt8[np.ndarray, "n D"], y: Int64[np.ndarray, " n"], n_classes: int, *, trees: int, depth: int, seed: int
) -> BinnedForest:
    """A random forest of the rows and their classes; same rows, same seed, same forest.

    Each tree learns from as many rows drawn with replacement; a node takes the best cut of sqrt(D) random features.

    Source: Breiman 2001, doi:10.1023/A:1010933404324.
    """
    return _fit(bins, y, Plan(trees, depth, sqrt_features(bins), n_classes, is_random=False), seed)


def fit_extra_trees(
    bins: UInt8[np.ndarray, "n D"], y: Int64[np.ndarray, " n"], n_classes: int, *, trees: int, depth: int, seed: int
) -> BinnedForest:
    """Extremely randomised trees of the rows and their classes; same rows, same seed, same trees.

    Each tree learns from all rows; a node takes the best of sqrt(D) random features at one random cut each.
    *Deviation:* a cut is drawn evenly among bins, which lie closer where values are dense, not among values.

    Source: Geurts et al. 2006, doi:10.1007/s10994-006-6226-1.
    """
    return _fit(bins, y, Plan(trees, depth, sqrt_features(bins), n_classes, is_random=True), seed)


def sqrt_features(bins: UInt8[np.ndarray, "n D"]) -> int:
    """How many features a node of a classifying tree tries."""
    return max(1, int(bins.shape[1] ** 0.5))


def _fit(bins: UInt8[np.ndarray, "n D"], y: Int64[np.ndarray, " n"], plan: Plan, seed: int) -> BinnedForest:
    grown = grow(by_feature(bins), y.astype(np.float32), plan, np.uint64(seed))
    return BinnedForest(grown.feature, grown.threshold, grown.value)
