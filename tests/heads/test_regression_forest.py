"""Regression forests are as good as scikit-learn's, and know no unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestRegressor

from terrashot.heads.bins import N_BINS, bin_edges, to_bins
from terrashot.heads.regression_forest import fit_extra_regression_trees, fit_regression_forest

FITS = {"forest": fit_regression_forest, "extra trees": fit_extra_regression_trees}


def slopes(n, seed, *, dimensions=48):
    """A target that bends along hidden directions of noisy vectors."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(7)
    hidden = rng.normal(size=(n, 6))
    vectors = hidden @ fixed.normal(size=(6, dimensions)) + rng.normal(size=(n, dimensions))
    return vectors.astype(np.float32), np.tanh(hidden[:, 0]) + 0.5 * hidden[:, 1] + 0.2 * rng.normal(size=n)


def random_bins(n, dimensions, seed):
    return np.random.default_rng(seed).integers(0, N_BINS, (n, dimensions)).astype(np.uint8)


@pytest.mark.parametrize("n", [60, 400])
def test_explained_variance_is_that_of_scikit_learn(n):
    test, truth = slopes(1500, 99)
    gaps = []
    for seed in range(8):
        train, y = slopes(n, seed)
        edges = bin_edges(train, 0)
        ours = fit_regression_forest(to_bins(train, edges), y, trees=50, depth=7, seed=seed).values(
            to_bins(test, edges)
        )
        theirs = (
            RandomForestRegressor(50, max_depth=7, max_features=1 / 3, random_state=seed).fit(train, y).predict(test)
        )
        gaps.append((((theirs - truth) ** 2).mean() - ((ours - truth) ** 2).mean()) / truth.var())
    # A hundredth: what 64 bins instead of exact cuts may cost or gain.
    assert abs(np.mean(gaps)) < max(2 * np.std(gaps, ddof=1) / len(gaps) ** 0.5, 0.01)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_another_unit_of_the_target_changes_the_unit_of_the_values_alone(fit):
    train, y = slopes(80, 0)
    bins = to_bins(train, bin_edges(train, 0))
    # A power of two changes no digit of a number.
    plain, scaled = (fit(bins, target, trees=8, depth=5, seed=1) for target in (y, y * 2.0**40))
    np.testing.assert_array_equal(plain.feature, scaled.feature)
    np.testing.assert_allclose(scaled.values(bins), plain.values(bins) * 2.0**40, rtol=1e-6)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_the_same_seed_gives_the_same_forest_and_another_seed_another(fit):
    train, y = slopes(60, 0)
    bins = to_bins(train, bin_edges(train, 0))
    first, again, other = (fit(bins, y, trees=5, depth=4, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.values(bins), again.values(bins))
    assert not np.array_equal(first.feature, other.feature)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_one_target_for_all_rows_is_the_value_everywhere_and_no_node_asks(fit):
    forest = fit(random_bins(20, 6, 0), np.full(20, 0.1), trees=4, depth=3, seed=0)
    assert (forest.feature == -1).all()
    np.testing.assert_allclose(forest.values(random_bins(9, 6, 1)), 0.1, rtol=1e-6)


@settings(max_examples=20)
@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 10**6))
def test_values_lie_within_the_targets(n, dimensions, seed):
    y = np.random.default_rng(seed).normal(size=n)
    values = fit_regression_forest(random_bins(n, dimensions, seed), y, trees=5, depth=4, seed=seed).values(
        random_bins(40, dimensions, seed + 1)
    )
    assert y.min() - 1e-5 <= values.min() and values.max() <= y.max() + 1e-5


@pytest.mark.parametrize(("n", "dimensions"), [(60, 5), (300, 4096)], ids=["small", "asked for in several groups"])
def test_a_node_of_extra_trees_holds_the_mean_of_the_rows_that_pass_it(n, dimensions):
    bins, y = random_bins(n, dimensions, 2), np.random.default_rng(2).normal(size=n)
    forest = fit_extra_regression_trees(bins, y, trees=25, depth=6, seed=0)
    found = forest.centre + forest.spread * forest.deviation[..., 0]
    for tree in range(0, 25, 6):
        node, rows = np.zeros(n, np.int64), np.arange(n)
        for _ in range(7):
            mean = np.bincount(node, weights=y, minlength=127) / np.maximum(1, np.bincount(node, minlength=127))
            np.testing.assert_allclose(found[tree, node], mean[node], atol=1e-5)
            feature = forest.feature[tree, node]
            right = bins[rows, feature] > forest.threshold[tree, node]
            node = np.where(feature >= 0, 2 * node + 1 + right, node)
