"""Recall at k against a definition in three lines."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.domain import retrieval
from terrashot.domain.retrieval import chance_recall, one_vector, partner_ranks, recall_at


def unit(rng, n, d):
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def naive_recall(left, right, k):
    hits = 0
    for i in range(len(left)):
        better = [j for j in range(len(right)) if j != i and left[i] @ right[j] >= left[i] @ right[i]]
        hits += len(better) < k
    return hits / len(left)


@settings(deadline=None)
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
