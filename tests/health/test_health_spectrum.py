"""Collapse, effective rank, isotropy: what they are of vectors whose spectrum is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.domain.spectrum import effective_rank, participation_ratio
from terrashot.health import spectrum
from terrashot.health.spectrum import spectrum_measures
from terrashot.health.survey import Sample
from terrashot.pretrain.validate import effective_rank as rank_while_training


def measured(vectors):
    vectors = np.asarray(vectors, np.float32)
    return {m.name: m for m in spectrum_measures(Sample("a", np.arange(len(vectors)), vectors))}


def gaussian(n, rank, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, rank)) @ np.linalg.qr(rng.normal(size=(width, rank)))[0].T


@pytest.mark.parametrize("rank", [1, 2, 5, 20])
@pytest.mark.parametrize("offset", [0, 0.5])
def test_a_gaussian_of_rank_k_uses_about_k_directions(rank, offset):
    assert measured(gaussian(4000, rank, 32) + offset)["effective_rank"].value == pytest.approx(rank, rel=0.02)


def test_the_rank_is_that_of_the_log_of_pretraining():
    vectors = gaussian(500, 12, 32).astype(np.float32)
    assert measured(vectors)["effective_rank"].value == pytest.approx(rank_while_training(vectors), rel=1e-5)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20))
def test_the_rank_lies_between_1_and_the_number_of_directions_and_has_no_unit(values):
    values = np.array(values)
    rank = effective_rank(values)
    assert 1 - 1e-9 <= rank <= len(values) + 1e-9
    assert effective_rank(7 * values) == pytest.approx(rank)
    assert 1 - 1e-9 <= participation_ratio(values) <= len(values) + 1e-9


def test_equal_directions_all_count_and_none_counts_as_one():
    assert effective_rank(np.full(9, 3.0)) == pytest.approx(9)
    assert participation_ratio(np.full(9, 3.0)) == pytest.approx(9)
    assert effective_rank(np.zeros(9)) == participation_ratio(np.zeros(9)) == 1.0


def iso_score(vectors):
    """As the paper writes it: Rudman et al. 2022, arXiv:2108.07344, algorithm 1."""
    d = vectors.shape[1]
    principal = (vectors - vectors.mean(axis=0)) @ np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)[
        2
    ].T
    variance = principal.var(axis=0, ddof=1)
    scaled = np.sqrt(d) * variance / np.linalg.norm(variance)
    defect = np.linalg.norm(scaled - 1) / np.sqrt(2 * (d - np.sqrt(d)))
    return ((d - defect**2 * (d - np.sqrt(d))) ** 2 - d) / (d * (d - 1))


def test_isotropy_is_the_iso_score():
    vectors = gaussian(300, 12, 12) * np.geomspace(1, 9, 12)
    assert measured(vectors)["isotropy"].value == pytest.approx(iso_score(vectors), rel=1e-3)


def test_more_numbers_than_chips_give_the_same_as_a_turn_to_fewer():
    vectors = gaussian(40, 10, 10)
    longer = vectors @ np.linalg.qr(np.random.default_rng(1).normal(size=(90, 10)))[0].T
    for name in ("collapse", "effective_rank"):
        assert measured(longer)[name].value == pytest.approx(measured(vectors)[name].value, rel=1e-4)


@pytest.mark.parametrize(("spread", "expected"), [(1.0, "good"), (0.05, "look"), (0.001, "bad")])
def test_vectors_that_hardly_differ_have_collapsed(spread, expected):
    vectors = np.eye(1, 32) + spread * gaussian(500, 32, 32) / np.sqrt(32)
    assert measured(vectors)["collapse"].verdict == expected
    assert measured(vectors)["effective_rank"].verdict == "good"


def test_the_cosine_that_is_told_is_that_of_two_chips():
    vectors = np.eye(1, 32) + 0.3 * gaussian(800, 32, 32) / np.sqrt(32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = (np.sum(vectors @ vectors.T) - 800) / (800 * 799)
    assert f"about {cosine:.2f}" in measured(vectors)["collapse"].sentence


@pytest.mark.parametrize(("rank", "expected"), [(1, "bad"), (3, "look"), (12, "good")])
def test_few_directions_are_seen(rank, expected):
    assert measured(gaussian(500, rank, 64))["effective_rank"].verdict == expected


def test_vectors_of_two_numbers_may_use_two_directions():
    assert measured(gaussian(500, 2, 2))["effective_rank"].verdict == "good"
    assert measured(gaussian(500, 1, 2))["effective_rank"].verdict == "bad"


def test_a_direction_that_outweighs_the_others_is_worth_a_look_and_never_bad():
    vectors = gaussian(500, 20, 20) * np.array([40.0] + [1.0] * 19)
    assert measured(vectors)["isotropy"].verdict == "look"


def test_rows_are_left_out_evenly_where_the_product_would_take_too_long(monkeypatch):
    monkeypatch.setattr(spectrum, "MOST_OPERATIONS", 32**2 * 400)
    assert measured(gaussian(4000, 5, 32))["effective_rank"].value == pytest.approx(5, rel=0.05)
