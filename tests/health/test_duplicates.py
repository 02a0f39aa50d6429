"""Chips of one vector, and the nearest other chip."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.health.simulated_vectors import sound_table, with_blocks

from terrashot.health import duplicates, survey
from terrashot.health.distances import nearest_others, squared_distances
from terrashot.health.duplicates import duplicate_measures
from terrashot.health.survey import make_survey


def measured(table):
    made = make_survey(table, 0)
    return {measure.name: measure for measure in duplicate_measures(made, "optical", made.order)}


@pytest.fixture(scope="module")
def table():
    whole = sound_table()[0]
    return with_blocks(replace(whole, blocks={"optical": whole.blocks["optical"]}), lambda block: block)


@given(st.integers(2, 60), st.integers(1, 9), st.sampled_from([np.float16, np.float32]), st.integers(0, 500))
@settings(max_examples=30)
def test_the_nearest_other_is_that_of_all_distances(n, width, dtype, seed):
    rng = np.random.default_rng(seed)
    block = rng.normal(5, 1, size=(n + 5, width)).astype(dtype)
    rows = np.sort(rng.permutation(n + 5)[:n])
    asked = rows[:: max(1, n // 7)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "BLOCK_NUMBERS", 40)
        found = nearest_others(block, rows, asked)
    exact = block.astype(np.float64)
    distances = np.linalg.norm(exact[asked][:, None] - exact[rows], axis=2)
    distances[asked[:, None] == rows] = np.inf
    np.testing.assert_allclose(found, distances.min(axis=1), rtol=1e-3)


def test_squared_distances_are_never_below_zero():
    vectors = np.repeat(np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32), 5, axis=0)
    assert (squared_distances(vectors, vectors) >= 0).all()


@pytest.mark.parametrize(("n_twice", "expected"), [(0, "good"), (2, "look"), (30, "bad")])
def test_chips_of_one_vector_are_counted_exactly(table, n_twice, expected):
    def change(block):
        block[100 : 100 + n_twice] = block[:n_twice]
        return block

    found = measured(with_blocks(table, change))
    assert found["duplicates"].value == 2 * n_twice / len(table.chips)
    assert {found[name].verdict for name in found} == {expected}


def test_vectors_that_differ_by_rounding_are_near_and_not_the_same(table):
    def change(block):
        block[100:130] = block[:30] * (1 + 1e-6)
        return block

    found = measured(with_blocks(table, change))
    assert (found["duplicates"].verdict, found["near_duplicates"].verdict) == ("good", "bad")
    assert found["near_duplicates"].value == 60 / len(table.chips)


def test_chips_asked_about_are_a_sample_of_all_where_there_are_many(table, monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 1)
    monkeypatch.setattr(duplicates, "FEWEST_ASKED", 200)
    doubled = with_blocks(table, lambda block: block[np.arange(len(block)) // 2 * 2])
    found = measured(doubled)["near_duplicates"]
    # Each of the 200 has its double among all chips, though hardly ever among the 200.
    assert (found.value, found.sentence[:27]) == (1.0, "200 of 200 chips looked at ")
