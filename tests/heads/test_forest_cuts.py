"""The cut that a histogram gives is the best that trying every cut gives."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
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
from terrashot.heads.forest_level import Sample


@njit
def outer_bits(word):
    return lowest_bit(word), bits_above(word)


def drawn(n, seed, target):
    """A column, its rows with weights 1 to 3, and a span of them."""
    rng = np.random.default_rng(seed)
    column = rng.integers(0, rng.integers(1, N_BINS + 1), 2 * n).astype(np.uint8)
    rows = np.sort(rng.choice(2 * n, n, replace=False)).astype(np.uint32)
    sample = Sample(rows, target(rng, n).astype(np.float32), rng.integers(1, 4, n).astype(np.float32))
    return column, sample, np.uint64(n // 5), np.uint64(n)


def impurity(target, weight):
    """Weighted squared errors about the mean."""
    mean = np.average(target, weights=weight)
    return (weight * (target - mean) ** 2).sum()


def falls(column, sample, start, end, targets):
    """By cut: how much the summed impurity of the targets falls."""
    span = slice(int(start), int(end))
    values, weight = column[sample.row[span]], sample.weight[span].astype(np.float64)
    whole = sum(impurity(t[span], weight) for t in targets)
    found = {}
    for cut in range(N_BINS - 1):
        left = values <= cut
        if 0 < left.sum() < len(left):
            parts = [impurity(t[span][side], weight[side]) for t in targets for side in (left, ~left)]
            found[cut] = whole - sum(parts)
    return found


@settings(max_examples=60)
@given(st.integers(2, 60), st.integers(0, 10**6))
@example(2, 1513)
def test_the_best_cut_by_moments_lowers_the_squared_errors_most(n, seed):
    column, sample, start, end = drawn(n, seed, lambda rng, n: rng.normal(size=n))
    histogram = np.zeros((N_BINS, 2))
    occupied = np.uint64(fill_moments(column, sample, start, end, histogram))
    total = histogram.sum(axis=0)
    over, under, cut = cut_moments(histogram, occupied, total, ANY_CUT)
    naive = falls(column, sample, start, end, [sample.target.astype(np.float64)])
    assert (cut == NO_CUT) == (not naive)
    assert not histogram.any(), "left empty for the next feature"
    if naive:
        # A target times its weight is rounded to float32 before it is summed.
        assert over / under / total[1] == pytest.approx(max(naive.values()), rel=1e-6, abs=1e-7)
        assert naive[cut] == pytest.approx(max(naive.values()), rel=1e-6, abs=1e-7)


@settings(max_examples=60)
@given(st.integers(2, 60), st.integers(3, 7), st.integers(0, 10**6))
def test_the_best_cut_by_classes_lowers_the_gini_impurity_most(n, classes, seed):
    column, sample, start, end = drawn(n, seed, lambda rng, n: rng.integers(0, classes, n))
    histogram = np.zeros((N_BINS, classes))
    occupied = np.uint64(fill_classes(column, sample, start, end, histogram))
    total = histogram.sum(axis=0)
    over, under, cut = cut_classes(histogram, occupied, total, np.empty(classes), ANY_CUT)
    # Gini impurity times weight is the summed squared error of the classes' indicators.
    naive = falls(column, sample, start, end, [(sample.target == k).astype(np.float64) for k in range(classes)])
    assert (cut == NO_CUT) == (not naive)
    assert not histogram.any(), "left empty for the next feature"
    if naive:
        fall = over / under - (total**2).sum() / total.sum()
        assert fall == pytest.approx(max(naive.values()), rel=1e-6, abs=1e-9)
        assert naive[cut] == pytest.approx(max(naive.values()), rel=1e-6, abs=1e-9)


@settings(max_examples=40)
@given(st.integers(2, 60), st.integers(0, 10**6), st.integers(0, N_BINS - 2))
def test_a_cut_that_is_given_gets_the_score_of_that_cut(n, seed, only):
    column, sample, start, end = drawn(n, seed, lambda rng, n: rng.integers(0, 2, n))
    moments, classes = np.zeros((N_BINS, 2)), np.zeros((N_BINS, 2))
    occupied = np.uint64(fill_moments(column, sample, start, end, moments))
    fill_classes(column, sample, start, end, classes)
    total, counts = moments.sum(axis=0), classes.sum(axis=0)
    by_moments = cut_moments(moments, occupied, total, only)
    by_classes = cut_classes(classes, occupied, counts, np.empty(2), only)
    naive = falls(column, sample, start, end, [sample.target.astype(np.float64)])
    assert (by_moments[2] == NO_CUT) == (by_classes[2] == NO_CUT) == (only not in naive)
    if only in naive:
        assert by_moments[0] / by_moments[1] / total[1] == pytest.approx(naive[only], rel=1e-6, abs=1e-9)
        # Half the Gini impurity of two classes is the variance of 0 and 1.
        fall = by_classes[0] / by_classes[1] - (counts**2).sum() / counts.sum()
        assert fall / 2 == pytest.approx(naive[only], rel=1e-6, abs=1e-9)


@given(st.integers(1, 2**64 - 1))
def test_places_of_the_outer_bits(word):
    assert outer_bits(np.uint64(word)) == ((word & -word).bit_length() - 1, 64 - word.bit_length())
