import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from terrashot.embed import projection
from terrashot.embed.projection import pca, principal, tsne


def clusters(n: int = 90, d: int = 20, *, n_groups: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Well separated groups, and the group of each row."""
    rng = np.random.default_rng(0)
    group = np.arange(n) % n_groups
    return (8 * rng.normal(size=(n_groups, d))[group] + rng.normal(size=(n, d))).astype(np.float32), group


def purity(coordinates: np.ndarray, group: np.ndarray) -> float:
    """Share of rows whose nearest other row is of their group."""
    distances = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    return float((group[distances.argmin(axis=1)] == group).mean())


@pytest.mark.parametrize(("n", "d"), [(30, 7), (7, 30)])
def test_components_equal_those_of_the_singular_values(n, d):
    rows = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    left, values, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(pca(rows, 3)), np.abs(left[:, :3] * values[:3]), rtol=1e-3, atol=1e-4)


def test_the_largest_loading_of_a_component_is_positive():
    along = np.array([[3.0, -1.0]]) * np.array([[-1.0], [0.0], [2.0]])
    for rows in (along, -along):
        assert (np.sign(pca(rows, 1)[:, 0]) == np.sign(rows[:, 0] - rows[:, 0].mean())).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 12))
def test_components_keep_distances_when_all_are_taken(seed, n, d):
    rows = np.random.default_rng(seed).normal(size=(n, d))
    kept = pca(rows, d)
    np.testing.assert_allclose(np.linalg.norm(kept[0] - kept[1]), np.linalg.norm(rows[0] - rows[1]), rtol=1e-4)


def test_components_that_the_data_lack_are_zero():
    assert not pca(np.array([[1.0], [2.0], [4.0]]), 3)[:, 1:].any()
    assert not pca(np.ones((1, 4)), 2).any()


def test_components_know_their_share_of_the_variance():
    rows = np.random.default_rng(0).normal(size=(50, 4)) * [4, 2, 1, 0]
    shares = principal(rows, 4).variance
    assert sum(shares) == pytest.approx(1) and shares[0] > shares[1] > shares[2] > shares[3] == pytest.approx(0)
    expected = np.sort(np.linalg.eigvalsh(np.cov(rows.T)))[::-1]
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=1e-12)
    assert principal(np.ones((3, 4)), 2).variance == (0, 0) == principal(rows[:1], 2).variance


def test_components_of_part_of_the_rows_are_along_the_same_directions(monkeypatch):
    rows = clusters(40)[0].astype(np.float16)
    whole = principal(rows[:30], 3).of(rows)
    monkeypatch.setattr(projection, "NUMBERS_AT_ONCE", 60)
    np.testing.assert_allclose(principal(rows[:30], 3).of(rows), whole, rtol=1e-12)


def test_a_row_with_nan_has_no_components_and_changes_nothing_for_the_others():
    rows, _ = clusters(20)
    spoilt = np.insert(rows, 4, np.nan, axis=0)
    components = pca(spoilt, 2)
    assert np.isnan(components[4]).all()
    np.testing.assert_array_equal(np.delete(components, 4, axis=0), pca(rows, 2))


@pytest.mark.parametrize("shape", [(5000, 400), (300, 768)])
def test_components_have_the_same_bytes_with_any_number_of_threads(shape):
    rows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    made = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            made.append(pca(rows, 10).tobytes())
    assert made[0] == made[1]


def test_neighbours_in_the_map_are_of_one_group():
    vectors, group = clusters()
    assert purity(tsne(vectors, seed=0, iterations=150), group) == 1


def test_the_map_has_the_same_bytes_with_any_number_of_threads():
    vectors, _ = clusters(80)
    maps = []
    for threads in (1, 2, 2):
        with threadpool_limits(threads):
            maps.append(tsne(vectors, seed=3, iterations=30, threads=threads).tobytes())
    assert len(set(maps)) == 1


def test_an_absent_vector_is_nowhere_and_moves_nobody():
    vectors, _ = clusters()
    placed = tsne(np.insert(vectors, 0, np.nan, axis=0), seed=0, iterations=60)
    assert np.isnan(placed[0]).all()
    np.testing.assert_array_equal(placed[1:], tsne(vectors, seed=0, iterations=60))


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_a_handful_of_rows_is_shown_by_its_components(n):
    vectors, _ = clusters(max(n, 3))
    np.testing.assert_allclose(tsne(vectors[:n], seed=0), pca(vectors[:n], 2), atol=1e-5)


def test_rows_that_are_all_alike_lie_on_one_point():
    placed = tsne(np.full((9, 6), 0.1, np.float32), seed=0)
    assert np.abs(placed).max() < 1e-6


@pytest.mark.parametrize("d", [1, 2])
def test_short_vectors_have_a_map_too(d):
    assert np.isfinite(tsne(clusters(12, d)[0], seed=0, iterations=30)).all()


def test_few_rows_have_a_perplexity_that_they_can_fill(caplog):
    tsne(clusters(9)[0], seed=0, iterations=30)
    assert caplog.records == []


def test_duplicated_rows_have_a_map_too():
    vectors, _ = clusters(6)
    assert np.isfinite(tsne(np.repeat(vectors, 20, axis=0), seed=0, iterations=60)).all()
