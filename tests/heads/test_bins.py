"""Bins follow quantiles of the features alone, and are those that a plain search gives."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.heads.bins import BLOCK_ROWS, EDGE_ROWS, N_BINS, bin_edges, by_feature, to_bins


def normals(n, dimensions, dtype=np.float32):
    return np.random.default_rng(n).normal(size=(n, dimensions)).astype(dtype)


@settings(max_examples=30)
@given(st.integers(1, 300), st.integers(1, 70), st.sampled_from([np.float16, np.float32, np.float64]))
def test_edges_are_the_linear_quantiles(n, dimensions, dtype):
    vectors = normals(n, dimensions, dtype)
    naive = np.quantile(vectors.astype(np.float64), np.linspace(0, 1, N_BINS + 1)[1:-1], axis=0).T
    np.testing.assert_allclose(bin_edges(vectors, 0), naive, rtol=0, atol=np.abs(vectors).max() * 2.0**-23)


def test_edges_of_a_long_table_come_from_a_sample_named_by_the_seed():
    vectors = normals(EDGE_ROWS + 5_000, 3)
    first, again, other = (bin_edges(vectors, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@settings(max_examples=30)
@given(st.integers(0, 2 * BLOCK_ROWS + 3), st.integers(0, 35), st.sampled_from([np.float16, np.float32]))
def test_bins_are_those_of_a_plain_search_whatever_the_blocks(n, dimensions, dtype):
    vectors, edges = normals(n, dimensions, dtype), bin_edges(normals(90, dimensions), 0)
    # Values on an edge go up.
    vectors[: n // 2] = edges[:, 5].astype(dtype)
    naive = [np.searchsorted(edges[c], vectors[:, c].astype(np.float32), side="right") for c in range(dimensions)]
    np.testing.assert_array_equal(to_bins(vectors, edges), np.array(naive).reshape(dimensions, n).T)


def test_what_is_no_number_or_endless_has_a_bin_at_the_end():
    edges = bin_edges(normals(90, 1), 0)
    vectors = np.array([[np.nan], [np.inf], [-np.inf]], np.float32)
    assert to_bins(vectors, edges)[:, 0].tolist() == [63, 63, 0]


def test_bins_follow_the_order_of_the_values_and_are_about_equally_full():
    vectors = normals(500, 3)
    bins = to_bins(vectors, bin_edges(vectors, 0))
    for column in range(3):
        assert (np.diff(bins[np.argsort(vectors[:, column]), column].astype(int)) >= 0).all()
    assert np.bincount(bins[:, 0]).max() < 30


def test_threads_may_each_bin_a_slice_of_rows():
    vectors = normals(1_000, 20)
    edges = bin_edges(vectors, 0)
    slices = [vectors[first : first + 300] for first in range(0, 1_000, 300)]
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda rows: to_bins(rows, edges), slices))
    np.testing.assert_array_equal(np.concatenate(parts), to_bins(vectors, edges))


@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (129, 70), (300, 0)])
def test_the_table_by_feature_is_its_transpose(shape):
    bins = np.random.default_rng(0).integers(0, N_BINS, shape).astype(np.uint8)
    np.testing.assert_array_equal(by_feature(bins), bins.T)
    assert by_feature(bins).flags.c_contiguous
