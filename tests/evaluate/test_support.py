"""Distance to the labelled chips, and where it says that a head may be asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.evaluate.mapping import support
from terrashot.evaluate.mapping.support import make_support, mean_distance, nearest_distances, upper_whisker


def random_vectors(n, width, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 70), st.integers(0, 1000))
def test_the_nearest_distance_is_the_least_of_all_distances(n, n_references, width, seed):
    vectors, references = random_vectors(n, width, seed), random_vectors(n_references, width, seed + 1)
    naive = np.sqrt(((vectors[:, None].astype(np.float64) - references) ** 2).sum(axis=2)).min(axis=1)
    # float32 may take the second nearest where two are equally near to 1e-6.
    np.testing.assert_allclose(nearest_distances(vectors, references), naive, rtol=1e-4, atol=1e-6)


def test_a_reference_chip_lies_at_distance_0_exactly_even_far_from_the_middle():
    references = random_vectors(200, 500) + 100
    assert (nearest_distances(references[:50], references) == 0).all()


def test_the_mean_distance_is_that_over_all_pairs():
    references = random_vectors(1100, 3)  # more than one block
    pairs = np.sqrt(((references[:, None].astype(np.float64) - references) ** 2).sum(axis=2))
    assert mean_distance(references) == pytest.approx(pairs[np.triu_indices(1100, 1)].mean(), rel=1e-5)


def test_the_whisker_leaves_outliers_out_as_tukey_does():
    assert upper_whisker(np.array([1.0, 2.0, 3.0, 4.0, 50.0])) == 4.0
    assert upper_whisker(np.array([1.0, 2.0, 3.0, 4.0, 6.0])) == 6.0


def test_dissimilarity_does_not_depend_on_units_or_offsets_of_the_columns():
    background, labelled, fold = random_vectors(500, 6), random_vectors(30, 6, 1), np.arange(30) % 3
    stretch, move = np.array([1, 4, 0.25, 2, 8, 1], np.float32), np.float32(16)
    plain = make_support(background, labelled, fold)
    other = make_support(background * stretch + move, labelled * stretch + move, fold)
    ours, theirs = plain.dissimilarity(background), other.dissimilarity(background * stretch + move)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    assert plain.threshold == pytest.approx(other.threshold, rel=1e-4)


def test_chips_like_the_labelled_ones_are_inside_and_strangers_are_outside():
    labelled = random_vectors(200, 8)
    found = make_support(random_vectors(2000, 8, 5), labelled, np.arange(200) % 5)
    alike, strange = random_vectors(1000, 8, 2), random_vectors(1000, 8, 3) + 6
    assert (found.dissimilarity(alike) <= found.threshold).mean() > 0.95
    assert (found.dissimilarity(strange) > found.threshold).all()


def test_neighbours_in_one_fold_do_not_vouch_for_each_other():
    twins = np.repeat(random_vectors(40, 4), 2, axis=0) + 1e-4 * random_vectors(80, 4, 1)
    background = random_vectors(500, 4, 2)
    together, apart = np.arange(80) // 2 % 4, np.arange(80) % 4
    assert make_support(background, twins, apart).threshold < 0.01 < make_support(background, twins, together).threshold


def test_the_labelled_chips_that_are_too_many_stand_for_by_an_even_sample(monkeypatch):
    monkeypatch.setattr(support, "MOST_REFERENCES", 50)
    labelled = random_vectors(300, 4)
    found = make_support(random_vectors(500, 4, 1), labelled, np.arange(300) % 5)
    assert len(found.references) == 50
    np.testing.assert_array_equal(found.references[[0, -1]], (labelled[[0, -1]] - found.mean) * found.weight)


def test_blocks_of_rows_change_nothing(monkeypatch):
    found = make_support(random_vectors(500, 4), random_vectors(20, 4, 1), np.arange(20) % 2)
    vectors = random_vectors(100, 4, 2)
    whole = found.dissimilarity(vectors)
    monkeypatch.setattr(support, "BLOCK_ROWS", 7)
    np.testing.assert_allclose(found.dissimilarity(vectors), whole, rtol=1e-6)
    assert len(found.dissimilarity(vectors[:0])) == 0


def test_a_column_without_spread_and_vectors_that_are_all_alike_give_no_nonsense():
    alike = np.ones((10, 3), np.float32)
    found = make_support(alike, alike, np.arange(10) % 2)
    assert found.dissimilarity(alike).tolist() == [0] * 10 and found.threshold == 0
