"""Exact search and recall at k against definitions in three lines."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.domain import retrieval
from terrashot.domain.retrieval import chance_recall, nearest, one_vector, partner_ranks, recall_at

small_blocks = st.tuples(st.integers(1, 9), st.integers(1, 9))


def unit(rng, n, d):
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def naive_recall(left, right, k):
    hits = 0
    for i in range(len(left)):
        better = [j for j in range(len(right)) if j != i and left[i] @ right[j] >= left[i] @ right[i]]
        hits += len(better) < k
    return hits / len(left)


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(2, 6))
def test_recall_is_that_of_the_definition(seed, n, d):
    rng = np.random.default_rng(seed)
    left, right = unit(rng, n, d), unit(rng, n, d)
    assert recall_at(left, right, (1, 3)) == {k: pytest.approx(naive_recall(left, right, k)) for k in (1, 3)}


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    left, right = unit(rng, 50, 4), unit(rng, 50, 4)
    whole = partner_ranks(left, right)
    monkeypatch.setattr(retrieval, "BLOCK_ROWS", 7)
    assert (partner_ranks(left, right) == whole).all()


def test_the_same_vectors_on_both_sides_are_found_first():
    vectors = unit(np.random.default_rng(1), 30, 8)
    assert recall_at(vectors, vectors, (1,)) == {1: 1.0}


def test_vectors_that_are_all_alike_find_nothing():
    vectors = np.repeat(unit(np.random.default_rng(2), 1, 64), 37, axis=0)
    assert recall_at(vectors, vectors, (1, 5, 36, 37)) == {1: 0.0, 5: 0.0, 36: 0.0, 37: 1.0}


def test_vectors_that_differ_by_rounding_alone_find_nothing():
    vectors = np.repeat(np.float32([[1, 0]]), 5, axis=0)
    noisy = vectors * np.float32([1, 1 - 1e-7, 1 - 2e-7, 1 - 3e-7, 1 - 4e-7])[:, None]
    assert recall_at(vectors, noisy, (1,))[1] == 0.0


def test_two_chips_swapped_are_both_lost():
    vectors = np.eye(4, dtype=np.float32)
    assert recall_at(vectors, vectors[[1, 0, 2, 3]], (1,)) == {1: 0.5}


def test_no_rows_have_no_recall():
    assert math.isnan(recall_at(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32))[1])
    assert math.isnan(chance_recall(0, 1))


def test_chance_is_k_of_n_and_never_above_one():
    assert chance_recall(200, 5) == 0.025
    assert chance_recall(3, 10) == 1.0


def test_one_vector_of_a_chip_is_the_unit_mean_of_its_parts_and_absent_stays_absent():
    parts = np.array([[[3, 0], [0, 3]], [[np.nan, np.nan], [np.nan, np.nan]]], dtype=np.float32)
    found = one_vector(parts)
    np.testing.assert_allclose(found[0], [0.5**0.5, 0.5**0.5], rtol=1e-6)
    assert np.isnan(found[1]).all()


def naive_nearest(queries, table, k, own):
    """Every product in float64, sorted by falling product and then by row."""
    rows, products = np.full((len(queries), k), -1), np.full((len(queries), k), np.nan)
    for i, query in enumerate(queries):
        all_products = [(-float(np.sum(query.astype(float) * row)), j) for j, row in enumerate(table) if j != own[i]]
        found = sorted((minus, j) for minus, j in all_products if not math.isnan(minus))[:k]
        rows[i, : len(found)], products[i, : len(found)] = [j for _, j in found], [-minus for minus, _ in found]
    return rows, products


@given(st.integers(0, 10**6), st.integers(0, 9), st.integers(0, 60), st.integers(1, 5), small_blocks, st.booleans())
def test_the_nearest_rows_are_those_of_the_definition(seed, n_queries, n, k, blocks, is_half):
    rng = np.random.default_rng(seed)
    table, queries = unit(rng, n, 3), unit(rng, n_queries, 3)
    table[rng.random(n) < 0.3] = np.nan
    queries[rng.random(n_queries) < 0.2] = np.nan
    if n:
        table[rng.integers(0, n, n // 2)] = table[rng.integers(0, n, n // 2)]  # duplicates, also of absent rows
    table = table.astype(np.float16) if is_half else table
    own = rng.integers(-1, max(1, n), n_queries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieval, "QUERIES_AT_ONCE", blocks[0])
        patch.setattr(retrieval, "ROWS_AT_ONCE", blocks[1])
        patch.setattr(retrieval, "SPARE", 0)
        rows, products = nearest(queries, table, k, own=own)
    expected = naive_nearest(queries, table, k, own)
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_allclose(products, expected[1], rtol=1e-12)


def test_a_chip_finds_itself_only_where_it_is_not_named_as_itself():
    vectors = unit(np.random.default_rng(0), 100, 5)
    assert (nearest(vectors, vectors, 1)[0][:, 0] == np.arange(100)).all()
    others = nearest(vectors, vectors, 99, own=np.arange(100))[0]
    assert [sorted({*row, i}) for i, row in enumerate(others)] == [list(range(100))] * 100


def test_of_rows_that_are_all_alike_the_first_are_found():
    vectors = np.repeat(unit(np.random.default_rng(2), 1, 64), 10_000, axis=0)
    rows, products = nearest(vectors[:2], vectors, 3, own=np.array([0, -1]))
    assert rows.tolist() == [[1, 2, 3], [0, 1, 2]] and len(np.unique(products)) == 1


def test_rows_that_float32_cannot_tell_apart_are_in_the_order_of_their_true_products():
    query = np.zeros((1, 50))
    query[0, 0] = 1
    table = np.zeros((200, 50))
    table[:, 0] = 0.5 + 1e-12 * np.random.default_rng(0).permutation(200)
    assert nearest(query, table, 200)[0][0].tolist() == np.argsort(-table[:, 0]).tolist()
    assert nearest(query, table, 5)[0][0].tolist() == np.argsort(-table[:, 0])[:5].tolist()


def test_the_search_never_holds_all_products(monkeypatch):
    monkeypatch.setattr(retrieval, "QUERIES_AT_ONCE", 128)
    monkeypatch.setattr(retrieval, "ROWS_AT_ONCE", 1024)
    rng = np.random.default_rng(0)
    table, queries = unit(rng, 30_000, 4).astype(np.float16), unit(rng, 500, 4)
    tracemalloc.start()
    nearest(queries, table, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6e6 < len(table) * len(queries) * 4 / 8
