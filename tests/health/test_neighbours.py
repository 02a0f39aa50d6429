"""Places, and chips beside each other: who they are, and whether they are alike."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.health.simulated_vectors import sound_table, with_blocks

from terrashot.domain.tables import Chips
from terrashot.health.features import image_features
from terrashot.health.neighbours import about_area, neighbour_measure, shuffled
from terrashot.health.places import adjacent, nearest_of_area, places_km, zones
from terrashot.health.survey import make_survey


def measured(table, floors=None):
    survey = make_survey(table, 0)
    return neighbour_measure(
        survey, "optical", survey.order, places_km(table.chips), image_features(table, floors).get("optical")
    )


def chips_at(lon, lat):
    n = len(lon)
    ids = tuple(f"c{i:03d}" for i in range(n))
    return Chips(
        ids, ("all",) * n, (None,) * n, (None,) * n, lon_deg=np.array(lon, float), lat_deg=np.array(lat, float)
    )


@given(st.integers(2, 40), st.integers(0, 500))
@settings(max_examples=30)
def test_the_nearest_chip_is_that_of_all_of_its_area(n, seed):
    rng = np.random.default_rng(seed)
    places, area = rng.normal(size=(n, 3)), rng.integers(-1, 2, size=n)
    found = nearest_of_area(places, area, np.arange(n))
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    distances[(area[:, None] != area) | np.eye(n, dtype=bool)] = np.inf
    has_one = np.isfinite(distances).any(axis=1) & (area >= 0)
    assert sorted(found.left) == list(np.flatnonzero(has_one))
    np.testing.assert_allclose(found.km, distances[found.left].min(axis=1))
    np.testing.assert_allclose(found.km, distances[found.left, found.right])


@given(st.integers(3, 12), st.integers(0, 55))
@settings(max_examples=10)
def test_chips_of_a_lattice_are_beside_those_they_share_a_side_with(side, lat):
    row, col = np.divmod(np.arange(side * side), side)
    step = 0.01
    chips = chips_at(5 + step * col / np.cos(np.radians(lat)), lat - step * row)
    pairs = adjacent(places_km(chips), np.arange(len(chips)))
    rows, cols = (np.abs(axis[pairs.left] - axis[pairs.right]) for axis in (row, col))
    assert (rows + cols == 1).sum() == 2 * side * (side - 1)
    assert max(rows.max(), cols.max()) == 1
    # Corners come in for chips at the edge alone, which have less than four sides.
    edge = (np.minimum(row, col) == 0) | (np.maximum(row, col) == side - 1)
    assert (edge[pairs.left] | edge[pairs.right])[rows + cols == 2].all()


def test_chips_on_both_sides_of_the_antimeridian_are_beside_each_other():
    chips = chips_at([179.99, -179.99, 0, 90, -90, 170], [0.0] * 6)
    assert nearest_of_area(places_km(chips), np.zeros(6, np.int64), np.arange(6)).right[0] == 1


def test_chips_at_one_place_are_each_others_nearest():
    places = places_km(chips_at([5, 5, 9, 9, 9.1], [50, 50, 50, 50, 50]))
    found = nearest_of_area(places, np.zeros(5, np.int64), np.arange(5))
    assert (found.left != found.right).all()
    assert (found.km[:4] == 0).all()


def test_zones_are_those_of_utm_and_those_of_its_ends_beyond():
    chips = chips_at([5.9, 6.1, 3.5, 0.1], [50, 50, -45, 89])
    assert zones(chips, np.arange(4)).tolist() == [32631, 32632, 32731, 32631]


def test_chips_without_a_place_have_none():
    assert np.isnan(places_km(replace(chips_at([1], [1]), lon_deg=None, lat_deg=None))).all()


def test_dealing_anew_keeps_every_chip_in_its_area():
    area = np.random.default_rng(0).integers(3, size=100)
    dealt = shuffled(area, np.random.default_rng(1))
    assert sorted(dealt) == list(range(100))
    np.testing.assert_array_equal(area[dealt], area)


def test_directions_are_about_the_mean_of_the_area():
    rng = np.random.default_rng(0)
    area = np.arange(100) % 2
    directions = about_area(rng.normal(size=(100, 4)).astype(np.float32) + 9 * area[:, None].astype(np.float32), area)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-5)
    assert abs(directions[area == 0].mean()) < 0.2
    assert (about_area(np.ones((3, 2), np.float32), np.zeros(3, np.int64)) == 0).all()


def test_it_is_the_mean_cosine_of_neighbours():
    table, _ = sound_table()
    found = nearest_of_area(places_km(table.chips), make_survey(table, 0).area, np.arange(len(table.chips)))
    directions = about_area(table.blocks["optical"].astype(np.float32), make_survey(table, 0).area)
    cosines = (directions[found.left] * directions[found.right]).sum(axis=1)
    assert measured(table).value == pytest.approx(cosines.mean(), abs=1e-5)


def test_shuffled_tables_fail_and_sound_ones_pass_many_times():
    for seed in range(4):
        table, floors = sound_table(seed)
        order = np.random.default_rng(seed).permutation(len(table.chips))
        assert measured(table, floors).verdict == "good"
        assert measured(with_blocks(table, lambda block, order=order: block[order])).verdict == "bad"


def test_a_handful_of_chips_is_never_called_bad_for_chance():
    for seed in range(20):
        table, _ = sound_table(seed, side=5)
        assert measured(table).verdict != "bad"


def test_neighbours_far_from_each_other_prove_nothing():
    table, _ = sound_table()
    noise = with_blocks(table, lambda block: np.random.default_rng(0).normal(size=block.shape).astype(np.float32))
    far = replace(noise.chips, lon_deg=noise.chips.lon_deg * 30, lat_deg=(noise.chips.lat_deg - 46) * 30)
    assert measured(noise).verdict == "bad"
    assert measured(replace(noise, chips=far)).verdict == "look"


def test_a_weak_likeness_is_held_against_that_of_the_images():
    table, floors = sound_table(side=30)
    rough = with_blocks(
        table, lambda block: block + 0.3 * np.random.default_rng(0).normal(size=block.shape).astype(np.float32)
    )
    assert 0.1 < measured(rough, floors).value < 0.3
    assert measured(rough, floors).verdict == "look"
