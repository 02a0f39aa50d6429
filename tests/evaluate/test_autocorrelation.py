"""The range of a made-up field is found again; noise has none; neither order, place nor unit makes a difference."""

import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from terrashot.evaluate.answers.autocorrelation import EARTH_RADIUS_KM, Autocorrelation, autocorrelation

SIDE, STEP_KM, SEED = 30, 4.5, 0
KM_A_DEG = EARTH_RADIUS_KM * np.pi / 180


def lattice():
    """Centres of 30 x 30 chips of 4.5 km about the equator, in degrees."""
    row, col = (axis.ravel() for axis in np.mgrid[:SIDE, :SIDE] - SIDE / 2)
    return col * STEP_KM / KM_A_DEG, row * STEP_KM / KM_A_DEG


@functools.cache
def factor_of_field(range_km, nugget):
    places_km = np.stack(lattice(), axis=1) * KM_A_DEG
    covariance = (1 - nugget) * np.exp(-np.log(20) * cdist(places_km, places_km) / range_km)
    covariance += (nugget + 1e-9) * np.eye(len(covariance))
    return np.linalg.cholesky(covariance)


def gaussian_field(range_km, seed, nugget=0.0):
    """A field of variance 1 and exponential covariance: of correlation 0.05 at `range_km`."""
    return factor_of_field(range_km, nugget) @ np.random.default_rng(seed).standard_normal(SIDE**2)


def found_km(values):
    found = autocorrelation(values, *lattice(), seed=SEED)
    return np.inf if found.range_km is None else found.range_km


def turned(lon_deg, lat_deg, rotation):
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    places = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    x, y, z = rotation.apply(places).T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(z))


@pytest.mark.parametrize("range_km", [10.0, 20.0, 40.0])
@pytest.mark.parametrize("nugget", [0.0, 0.3])
def test_the_range_of_a_field_is_found_again(range_km, nugget):
    # One field of a few dozen ranges squared says little of its own range: half to double; the median of ten, within a quarter.
    ranges_km = np.array([found_km(gaussian_field(range_km, seed, nugget)) for seed in range(10)])
    assert np.median(ranges_km) == pytest.approx(range_km, rel=0.25)
    assert (ranges_km > range_km / 2).all()
    assert (ranges_km < range_km * 2).all()


def test_the_range_of_a_class_is_about_that_of_the_field_it_was_cut_from():
    ranges_km = [found_km((gaussian_field(20.0, seed) > 0).astype(float)) for seed in range(10)]
    assert np.median(ranges_km) == pytest.approx(20.0, rel=0.3)


def test_sill_and_nugget_are_variances_in_squares_of_the_unit():
    found = [autocorrelation(3 * gaussian_field(20.0, seed, 0.3), *lattice(), seed=SEED) for seed in range(10)]
    assert np.median([each.sill for each in found]) == pytest.approx(9.0, rel=0.2)
    assert np.median([each.nugget for each in found]) == pytest.approx(2.7, rel=0.5)


def test_white_noise_has_no_range():
    ranges_km = [found_km(np.random.default_rng(seed).standard_normal(SIDE**2)) for seed in range(30)]
    assert ranges_km == [0.0] * 30


def test_a_trend_over_the_whole_area_has_no_range_that_could_be_told():
    lon, lat = lattice()
    found = autocorrelation(lon + lat, lon, lat, seed=SEED)
    assert found.range_km is None
    assert found.moran > 0.9
    assert "beyond" in found.sentence


def test_a_chessboard_is_unlike_its_neighbours_and_has_no_range():
    row, col = (axis.ravel() for axis in np.mgrid[:SIDE, :SIDE])
    found = autocorrelation((row + col) % 2.0, *lattice(), seed=SEED)
    assert found.range_km == 0
    assert found.moran < 0
    assert found.sentence.startswith("neighbours resemble each other no more than distant chips")


def test_shuffled_rows_give_the_same_bytes():
    values, (lon, lat) = gaussian_field(20.0, 1), lattice()
    order = np.random.default_rng(2).permutation(len(values))
    whole = autocorrelation(values, lon, lat, seed=SEED)
    assert autocorrelation(values[order], lon[order], lat[order], seed=SEED) == whole


def test_shuffled_rows_give_the_same_bytes_where_chips_are_sampled():
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(0, 10, (2, 6000))
    values = np.sin(6 * lon) + np.sin(6 * lat)
    order = rng.permutation(6000)
    sampled = autocorrelation(values, lon, lat, seed=SEED)
    assert autocorrelation(values[order], lon[order], lat[order], seed=SEED) == sampled


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_nothing_changes_where_the_chips_are_moved_and_turned_over_the_globe(seed):
    values, (lon, lat) = gaussian_field(20.0, 1), lattice()
    there = turned(lon, lat, Rotation.random(rng=np.random.default_rng(seed)))
    here, moved = (autocorrelation(values, *place, seed=SEED) for place in ((lon, lat), there))
    # Chips 9 km apart along a row and a column are a hair's breadth from a class's end, on one side here, on the other there.
    assert dataclasses.astuple(moved) == pytest.approx(dataclasses.astuple(here), rel=0.02)


@settings(max_examples=15)
@given(st.floats(0.01, 100), st.floats(-1000, 1000))
def test_another_unit_changes_the_variances_alone(scale, offset):
    values = gaussian_field(20.0, 1)
    here, there = (autocorrelation(each, *lattice(), seed=SEED) for each in (values, scale * values + offset))
    assert there.range_km == here.range_km
    assert there.moran == pytest.approx(here.moran, rel=1e-6)
    assert (there.sill, there.nugget) == pytest.approx((scale**2 * here.sill, scale**2 * here.nugget), rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_short_ranges_are_seen_though_few_of_many_chips_are_sampled(seed):
    # 40,000 chips over 2,000 km, of which 2,000 are sampled, one in each 45 km square; blocks of 12 km are alike.
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(-9, 9, (2, 40_000))
    block = np.floor(lon * KM_A_DEG / 12).astype(int) * 1000 + np.floor(lat * KM_A_DEG / 12).astype(int)
    values = rng.standard_normal(1_000_000)[block - block.min()]
    found = autocorrelation(values, lon, lat, seed=SEED)
    assert found.range_km == pytest.approx(12, rel=0.15)
    assert found.nugget < 0.1 * found.sill


def test_chips_on_top_of_each_other_are_the_nearest():
    values, (lon, lat) = gaussian_field(20.0, 1), lattice()
    found = autocorrelation(np.tile(values, 2), np.tile(lon, 2), np.tile(lat, 2), seed=SEED)
    alone = autocorrelation(values, lon, lat, seed=SEED)
    assert found.moran > alone.moran
    assert found.range_km == pytest.approx(alone.range_km, rel=0.2)


def test_chips_without_value_or_place_are_left_out():
    values, (lon, lat) = gaussian_field(20.0, 1), lattice()
    gone = np.random.default_rng(6).random(len(values)) < 0.2
    without = autocorrelation(values[~gone], lon[~gone], lat[~gone], seed=SEED)
    assert autocorrelation(np.where(gone, np.nan, values), lon, lat, seed=SEED) == without
    assert autocorrelation(values, np.where(gone, np.nan, lon), lat, seed=SEED) == without


def test_two_places_show_likeness_but_no_range():
    values, lon = np.repeat([0.0, 1.0], 20), np.repeat([0.0, 0.5], 20)
    found = autocorrelation(values, lon, np.zeros(40), seed=SEED)
    assert (found.range_km, found.moran) == (None, 1.0)


@pytest.mark.parametrize(
    ("values", "lon_deg"),
    [
        (np.arange(29.0), np.arange(29.0)),
        (np.ones(40), np.arange(40.0)),
        (np.arange(40.0), np.zeros(40)),
        (np.arange(40.0), np.full(40, np.nan)),
    ],
    ids=["too few chips", "all alike", "one place", "no place"],
)
def test_what_cannot_be_told_is_none(values, lon_deg):
    assert autocorrelation(values, lon_deg, np.zeros(len(values)), seed=SEED) is None


def test_the_sentence_names_range_and_likeness():
    said = Autocorrelation(12.345, 1.0, 0.0, 0.6789, 100.0).sentence
    assert said == "chips resemble each other up to 12.3 km (Moran's I of nearest chips 0.68)"
