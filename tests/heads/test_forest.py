"""The forest is the paper's: as good as scikit-learn's, the same for the same seed, whatever the classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from terrashot.heads.forest import N_BINS, bin_edges, fit_forest, to_bins


def clusters(n, seed, *, classes=3, dimensions=64):
    """Low-rank clusters in noise, as embeddings are."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(7)
    centres, spread = fixed.normal(size=(classes, 12)) * 0.8, fixed.normal(size=(12, dimensions))
    y = rng.integers(0, classes, n)
    vectors = (centres[y] + rng.normal(size=(n, 12))) @ spread + 2 * rng.normal(size=(n, dimensions))
    return vectors.astype(np.float32), y.astype(np.int64)


@pytest.mark.parametrize("n", [100, 400])
def test_accuracy_is_that_of_scikit_learn_within_twice_its_standard_error(n):
    test, y_test = clusters(2000, 99)
    gaps = []
    for seed in range(12):
        train, y = clusters(n, seed)
        edges = bin_edges(train, 0)
        ours = fit_forest(to_bins(train, edges), y, 3, trees=50, depth=7, seed=seed)
        theirs = RandomForestClassifier(50, max_depth=7, random_state=seed).fit(train, y)
        right = ours.probabilities(to_bins(test, edges)).argmax(1) == y_test
        gaps.append(right.mean() - theirs.score(test, y_test))
    # Half a point: what 64 bins instead of exact cuts may cost or gain.
    assert abs(np.mean(gaps)) < max(2 * np.std(gaps, ddof=1) / len(gaps) ** 0.5, 0.005)


def test_the_same_seed_gives_the_same_forest_and_another_seed_another():
    train, y = clusters(60, 0)
    bins = to_bins(train, bin_edges(train, 0))
    first, again, other = (fit_forest(bins, y, 3, trees=5, depth=4, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.share, again.share)
    assert not np.array_equal(first.feature, other.feature)


def test_a_tree_that_may_grow_separates_what_one_feature_separates():
    vectors = np.column_stack([np.arange(40) % 2, np.ones(40)]).astype(np.float32)
    y = (np.arange(40) % 2).astype(np.int64)
    bins = to_bins(vectors, bin_edges(vectors, 0))
    assert (fit_forest(bins, y, 2, trees=20, depth=2, seed=0).probabilities(bins).argmax(1) == y).all()


def test_constant_features_leave_the_class_shares():
    bins = np.zeros((30, 4), np.uint8)
    y = np.repeat([0, 1, 1], 10).astype(np.int64)
    probabilities = fit_forest(bins, y, 2, trees=200, depth=3, seed=0).probabilities(bins)
    assert probabilities[0] == pytest.approx([1 / 3, 2 / 3], abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 30), st.integers(1, 5), st.integers(2, 5), st.integers(0, 10**6))
def test_probabilities_sum_to_one_and_children_share_their_parents_rows(n, dimensions, classes, seed):
    rng = np.random.default_rng(seed)
    bins, y = rng.integers(0, N_BINS, (n, dimensions)).astype(np.uint8), rng.integers(0, classes, n)
    forest = fit_forest(bins, y, classes, trees=7, depth=3, seed=seed)
    np.testing.assert_allclose(forest.probabilities(bins).sum(axis=1), 1, atol=1e-5)
    inner = forest.feature >= 0
    assert (forest.feature[:, 7:] == -1).all(), "no node below the depth asks"
    assert np.allclose(forest.share[:, :7][inner[:, :7]].sum(-1), 1)


def test_bins_follow_the_order_of_the_values_and_edges_see_no_label():
    vectors = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    bins = to_bins(vectors, bin_edges(vectors, 0))
    for column in range(3):
        order = np.argsort(vectors[:, column])
        assert (np.diff(bins[order, column].astype(int)) >= 0).all()
    assert np.bincount(bins[:, 0]).max() < 30
