"""Standardised columns, by the rows to learn from."""

import numpy as np
import pytest

from terrashot.heads import standardise
from terrashot.heads.standardise import standardiser

VECTORS = np.random.default_rng(0).normal(3, 2, size=(100, 4)).astype(np.float32)


@pytest.mark.parametrize("constant", [5, 1e6, 0.1, 0])
def test_standardised_columns_have_zero_mean_and_unit_spread_and_constant_ones_vanish(constant):
    vectors = VECTORS.copy()
    vectors[:, 2] = constant
    scaled = standardiser(vectors).apply(vectors)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), [1, 1, 0, 1], atol=1e-6)


def test_a_column_that_is_constant_but_for_rounding_vanishes_in_rows_that_were_not_seen_too():
    vectors = np.full((100, 1), 1e6, np.float32)
    vectors[0] = np.nextafter(np.float32(1e6), np.float32(2e6))
    assert (standardiser(vectors).apply(VECTORS[:, :1]) == 0).all()


def test_some_rows_at_a_time_give_what_all_at_once_give(monkeypatch):
    whole = standardiser(VECTORS)
    monkeypatch.setattr(standardise, "ROWS_AT_ONCE", 7)
    parts = standardiser(VECTORS)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-14)
    np.testing.assert_allclose(parts.spread, whole.spread, rtol=1e-14)
    assert (whole.apply(VECTORS) == parts.apply(VECTORS)).mean() > 0.99


def test_half_precision_has_the_moments_of_its_own_numbers():
    half = VECTORS.astype(np.float16)
    np.testing.assert_allclose(standardiser(half).spread, half.astype(np.float64).std(axis=0), rtol=1e-12)
