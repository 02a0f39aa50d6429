"""A sample is laid out and the rest placed; new chips find a place in an old map, in which nobody moves."""

from dataclasses import replace

import numpy as np
import pytest

from terrashot.embed import projection
from terrashot.embed.placing import Placer
from terrashot.embed.vector_map import extend_map, map_vectors


def clusters(n=150, d=20, *, n_groups=3, seed=0):
    """Well separated groups, and the group of each row."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % n_groups
    return (8 * np.random.default_rng(9).normal(size=(n_groups, d))[group] + rng.normal(size=(n, d))).astype(
        np.float32
    ), group


def mapped(vectors, n_sample=60, seed=0):
    return map_vectors(vectors, np.random.default_rng(0).permutation(len(vectors))[:n_sample], seed=seed, iterations=90)


def longer(made, n):
    """The map of the first rows of a table that has `n` more."""
    nothing = np.full((n, 2), np.nan, np.float32)
    return replace(
        made,
        places=np.concatenate([made.places, nothing]),
        components=np.concatenate([made.components, nothing]),
        is_laid_out=np.append(made.is_laid_out, np.zeros(n, bool)),
    )


def test_rows_beyond_the_sample_are_placed_among_their_own_group():
    vectors, group = clusters()
    made = mapped(vectors)
    assert np.isfinite(made.places).all() and made.is_laid_out.sum() == 60
    apart = np.linalg.norm(made.places[:, None] - made.places[None, made.is_laid_out], axis=-1)
    np.fill_diagonal(apart[made.is_laid_out], np.inf)
    others = ~made.is_laid_out
    assert (group[made.is_laid_out][apart.argmin(axis=1)] == group)[others].all()


def test_the_same_vectors_give_the_same_bytes():
    vectors, _ = clusters(90)
    assert mapped(vectors).places.tobytes() == mapped(vectors).places.tobytes()


def test_new_chips_come_into_an_old_map_and_nobody_moves():
    vectors, group = clusters()
    made = mapped(vectors[:100])
    extended = extend_map(vectors, longer(made, 50))
    assert extended.places[:100].tobytes() == made.places.tobytes()
    assert extended.components[:100].tobytes() == made.components.tobytes()
    np.testing.assert_array_equal(extended.is_laid_out, np.append(made.is_laid_out, np.zeros(50, bool)))
    nearest = np.linalg.norm(extended.places[100:, None] - made.places[None], axis=-1).argmin(axis=1)
    assert (group[nearest] == group[100:]).all()


def test_a_chip_that_comes_later_lies_where_it_would_have_been_at_once():
    vectors, _ = clusters()
    sample = np.arange(60)
    at_once = map_vectors(vectors, sample, seed=0, iterations=90)
    early = map_vectors(vectors[:100], sample, seed=0, iterations=90)
    later = extend_map(vectors, longer(early, 50))
    np.testing.assert_allclose(later.places, at_once.places, atol=1e-4)


def test_a_chip_depends_on_none_of_those_that_come_with_it(monkeypatch):
    vectors, _ = clusters()
    whole = mapped(vectors)
    monkeypatch.setattr(projection, "NUMBERS_AT_ONCE", 140)
    np.testing.assert_allclose(mapped(vectors).places, whole.places, atol=1e-4)


def test_a_chip_like_an_old_one_lies_beside_it():
    vectors, _ = clusters(90)
    made = mapped(vectors, 90)
    twins = extend_map(np.concatenate([vectors, vectors[:30]]), longer(made, 30)).places[90:]
    size = np.ptp(made.places, axis=0).max()
    assert np.median(np.linalg.norm(twins - made.places[:30], axis=1)) < 0.1 * size


def test_the_map_of_other_vectors_is_not_extended():
    vectors, _ = clusters(90)
    made = mapped(vectors)
    for other in (np.roll(vectors, 1, axis=0), vectors[:, :7], vectors[::-1].copy(), 2 * vectors):
        assert extend_map(other, made) is None
    rounded = vectors.astype(np.float16)
    assert extend_map(rounded, made).places.tobytes() == made.places.tobytes()


def test_a_chip_that_lost_its_vector_ends_the_map_and_one_without_has_no_place():
    vectors, _ = clusters(90)
    vectors[5] = np.nan
    rows = np.delete(np.arange(90), 5)
    made = map_vectors(vectors, rows[:60], seed=0, iterations=60)
    assert np.isnan(made.places[5]).all() and np.isnan(made.components[5]).all()
    assert np.isfinite(np.delete(made.places, 5, axis=0)).all()
    vectors[rows[0]] = np.nan
    assert extend_map(vectors, made) is None


@pytest.mark.parametrize("n", [0, 1, 4, 5, 7])
def test_few_rows_have_a_map_too_and_a_handful_is_laid_out_anew(n):
    vectors, _ = clusters(9)
    made = map_vectors(vectors[:n], np.arange(n), seed=0, iterations=30)
    assert np.isfinite(made.places).all() and made.places.shape == (n, 2)
    extended = extend_map(vectors, longer(made, 9 - n))
    assert (extended is None) == (n < 5)
    assert extended is None or np.isfinite(extended.places).all()


def test_rows_that_are_all_alike_lie_on_one_point_and_so_does_a_new_one(caplog):
    vectors = np.full((12, 6), 0.25, np.float32)
    made = map_vectors(vectors, np.arange(9), seed=0, iterations=30)
    assert np.abs(made.places).max() < 1e-6 and made.variance == (0, 0)
    assert caplog.records == []


def test_placing_has_the_same_bytes_with_any_number_of_threads():
    old, _ = clusters(80, 6)
    places = np.random.default_rng(1).normal(size=(80, 2))
    found = {Placer(old, places, threads=threads).place(clusters(70, 6, seed=2)[0]).tobytes() for threads in (1, 2)}
    assert len(found) == 1
