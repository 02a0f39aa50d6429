"""The forest is the paper's: as good as scikit-learn's, the same for the same seed, whatever the classes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from terrashot.heads.bins import N_BINS, bin_edges, to_bins
from terrashot.heads.forest import fit_extra_trees, fit_forest

FITS = {"forest": fit_forest, "extra trees": fit_extra_trees}
PLAIN = {"forest": RandomForestClassifier, "extra trees": ExtraTreesClassifier}


def clusters(n, seed, *, classes=3, dimensions=64):
    """Low-rank clusters in noise, as embeddings are."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(7)
    centres, spread = fixed.normal(size=(classes, 12)) * 0.8, fixed.normal(size=(12, dimensions))
    y = rng.integers(0, classes, n)
    vectors = (centres[y] + rng.normal(size=(n, 12))) @ spread + 2 * rng.normal(size=(n, dimensions))
    return vectors.astype(np.float32), y.astype(np.int64)


def random_bins(n, dimensions, seed):
    return np.random.default_rng(seed).integers(0, N_BINS, (n, dimensions)).astype(np.uint8)


def gaps_to_scikit_learn(kind, n, forests, *, classes, n_test):
    """Accuracy above scikit-learn's, forest by forest, each pair on a fresh draw and the same test rows."""
    test, y_test = clusters(n_test, 99_999, classes=classes)
    gaps = []
    for seed in range(forests):
        train, y = clusters(n, seed, classes=classes)
        edges = bin_edges(train, 0)
        ours = FITS[kind](to_bins(train, edges), y, classes, trees=50, depth=7, seed=seed)
        theirs = PLAIN[kind](50, max_depth=7, random_state=seed, n_jobs=2).fit(train, y)
        right = ours.probabilities(to_bins(test, edges)).argmax(1) == y_test
        gaps.append(right.mean() - theirs.score(test, y_test))
    return np.array(gaps)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("n", [100, 400])
def test_accuracy_is_that_of_scikit_learn_within_twice_its_standard_error(n, classes):
    gaps = gaps_to_scikit_learn("forest", n, 12, classes=classes, n_test=2000)
    # Half a point: what 64 bins instead of exact cuts may cost or gain.
    assert abs(gaps.mean()) < max(2 * gaps.std(ddof=1) / len(gaps) ** 0.5, 0.005)


def test_extra_trees_are_as_good_as_those_of_scikit_learn():
    gaps = gaps_to_scikit_learn("extra trees", 400, 12, classes=3, n_test=2000)
    # A point: cuts are drawn among bins here, among values there.
    assert abs(gaps.mean()) < max(2 * gaps.std(ddof=1) / len(gaps) ** 0.5, 0.01)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("classes", [2, 6])
def test_from_5000_labels_two_hundred_forests_are_within_a_fifth_of_a_point_of_scikit_learn(classes):
    gaps = gaps_to_scikit_learn("forest", 5000, 200, classes=classes, n_test=4000)
    assert abs(gaps.mean()) < 0.002


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
@pytest.mark.parametrize("classes", [2, 3])
def test_the_same_seed_gives_the_same_forest_on_any_thread_and_another_seed_another(fit, classes):
    train, y = clusters(60, 0, classes=classes)
    bins = to_bins(train, bin_edges(train, 0))
    with ThreadPoolExecutor(2) as pool:
        first, again, other = pool.map(lambda seed: fit(bins, y, classes, trees=5, depth=4, seed=seed), (1, 1, 2))
    for name in ("feature", "threshold", "share"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.feature, other.feature)


def test_a_tree_that_may_grow_separates_what_one_feature_separates():
    vectors = np.column_stack([np.arange(40) % 2, np.ones(40)]).astype(np.float32)
    y = (np.arange(40) % 2).astype(np.int64)
    bins = to_bins(vectors, bin_edges(vectors, 0))
    assert (fit_forest(bins, y, 2, trees=20, depth=2, seed=0).probabilities(bins).argmax(1) == y).all()


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_a_node_looks_on_until_it_finds_a_feature_that_varies(fit):
    bins, y = np.zeros((30, 100), np.uint8), (np.arange(30) % 3).astype(np.int64)
    bins[:, 71] = 20 * y
    forest = fit(bins, y, 3, trees=10, depth=4, seed=0)
    assert set(np.unique(forest.feature)) == {-1, 71}
    assert (forest.probabilities(bins).argmax(1) == y).all()


def test_of_equally_good_features_each_may_be_taken():
    # Any column parts five labels without error; a rule such as "the lowest number wins" would grow like trees.
    bins = np.repeat(np.array([0, 0, 40, 40, 40], np.uint8)[:, None], 400, axis=1)
    roots = fit_forest(bins, np.array([0, 0, 1, 1, 1]), 2, trees=300, depth=1, seed=3).feature[:, 0]
    roots = roots[roots >= 0]
    assert 170 < roots.mean() < 230
    assert len(np.unique(roots)) > 150


def test_constant_features_leave_the_class_shares():
    bins = np.zeros((30, 4), np.uint8)
    y = np.repeat([0, 1, 1], 10).astype(np.int64)
    probabilities = fit_forest(bins, y, 2, trees=200, depth=3, seed=0).probabilities(bins)
    assert probabilities[0] == pytest.approx([1 / 3, 2 / 3], abs=0.05)


@settings(max_examples=20)
@given(st.integers(2, 30), st.integers(1, 5), st.integers(1, 5), st.integers(0, 10**6))
def test_probabilities_sum_to_one_and_inner_nodes_hold_class_shares(n, dimensions, classes, seed):
    bins, y = random_bins(n, dimensions, seed), np.random.default_rng(seed).integers(0, classes, n)
    forest = fit_forest(bins, y, classes, trees=7, depth=3, seed=seed)
    np.testing.assert_allclose(forest.probabilities(bins).sum(axis=1), 1, atol=1e-5)
    inner = forest.feature >= 0
    assert (forest.feature[:, 7:] == -1).all(), "no node below the depth asks"
    assert np.allclose(forest.share[:, :7][inner[:, :7]].sum(-1), 1)


def naive_walk(forest, tree, row):
    """Nodes that a row passes."""
    node, passed = 0, [0]
    while forest.feature[tree, node] >= 0:
        node = 2 * node + (1 if row[forest.feature[tree, node]] <= forest.threshold[tree, node] else 2)
        passed.append(node)
    return passed


@settings(max_examples=20)
@given(st.integers(2, 80), st.integers(1, 9), st.integers(2, 4), st.integers(1, 5), st.integers(0, 10**6))
def test_probabilities_are_those_of_a_plain_walk_down_every_tree(n, dimensions, classes, depth, seed):
    bins, y = random_bins(n, dimensions, seed), np.random.default_rng(seed).integers(0, classes, n)
    forest = fit_forest(bins, y, classes, trees=6, depth=depth, seed=seed)
    others = random_bins(70, dimensions, seed + 1)
    naive = [np.mean([forest.share[t, naive_walk(forest, t, row)[-1]] for t in range(6)], axis=0) for row in others]
    np.testing.assert_allclose(forest.probabilities(others), naive, atol=1e-6)


@settings(max_examples=20)
@given(st.integers(2, 60), st.integers(1, 9), st.integers(2, 4), st.integers(0, 10**6))
def test_a_node_of_extra_trees_holds_the_shares_of_the_rows_that_pass_it(n, dimensions, classes, seed):
    bins, y = random_bins(n, dimensions, seed), np.random.default_rng(seed).integers(0, classes, n)
    forest = fit_extra_trees(bins, y, classes, trees=3, depth=4, seed=seed)
    for tree in range(3):
        counts = np.zeros((31, classes))
        for row, k in zip(bins, y, strict=True):
            counts[naive_walk(forest, tree, row), k] += 1
        passed = counts.sum(axis=1) > 0
        np.testing.assert_allclose(
            forest.share[tree][passed], counts[passed] / counts[passed].sum(axis=1, keepdims=True), atol=1e-6
        )
