"""Coherence: by cover and days, less after rain and field work, and seen through few looks."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_ground import Still, beside, chip_near, land_near, lat_deg, lon_deg, scattered
from terrashot.ingest.world.coherence import (
    FIELD_WORK_BEGINS,
    LOOKS,
    PERIOD_DAYS,
    PERIODS,
    WINDOW,
    Cells,
    _rain,
    coherence,
    make_cells,
    possible_pairs,
)
from terrashot.ingest.world.covers import BARE, BUILT, COVERS, CROP, GRASS, TREE, WATER
from terrashot.ingest.world.land import make_land

HERE = (9.4, 45.1)
SIDE = 7
DAYS = (6, 12, 24, 36, 48)


def cells_of(cover, worked=None, slope=0.0, stones=0.0):
    """A chip wholly under one cover; `worked` is the period in which all its fields are."""
    shares, periods = np.zeros((len(COVERS), SIDE, SIDE)), np.zeros((PERIODS, SIDE, SIDE))
    shares[cover] = 1
    if worked is not None:
        periods[worked] = 1
    return Cells(shares, periods, np.full((SIDE, SIDE), slope), np.full((SIDE, SIDE), stones))


def pair(days, later=date(2020, 2, 10)):
    return later, later - timedelta(days=days)


def seen(cells, pair, place=HERE):
    return float(coherence(cells, land_near(*place, 16), pair, Still()).mean())


def over_places(cover, days, **kwargs):
    return np.mean([seen(cells_of(cover, **kwargs), pair(days), place) for place in scattered(60)])


def naive_cells(planes, side):
    """Mean of the pixels whose centres lie in each cell."""
    px, means = planes.shape[1], np.empty((len(planes), side, side))
    cell = [int((i + 0.5) / px * side) for i in range(px)]
    for row in range(side):
        for col in range(side):
            inside = [(i, j) for i in range(px) for j in range(px) if cell[i] == row and cell[j] == col]
            means[:, row, col] = np.mean([planes[:, i, j] for i, j in inside], axis=0)
    return means


@given(lon_deg, lat_deg, st.sampled_from([(8, 1), (8, 3), (16, 2), (16, 7), (16, 15), (16, 16)]))
@settings(max_examples=20)
def test_a_cell_holds_the_mean_of_the_pixels_whose_centres_lie_in_it(lon, lat, px_and_side):
    px, side = px_and_side
    land = land_near(lon, lat, px)
    shares = np.stack([land.lattice.inner(plane) for plane in land.shares]).astype(np.float64)
    cells = make_cells(land, side)
    assert cells.shares == pytest.approx(naive_cells(shares, side), abs=1e-12)
    assert cells.shares.sum(axis=0) == pytest.approx(1, abs=1e-6)
    assert cells.slope.min() >= 0


def test_a_cell_smaller_than_a_pixel_shows_that_pixel():
    land = land_near(*HERE, 8)
    tree = land.lattice.inner(land.shares[TREE])
    assert make_cells(land, 16).shares[TREE].tolist() == np.kron(tree, np.ones((2, 2))).tolist()


def test_fields_alone_are_worked_and_each_once_at_most():
    worked = 0.0
    for place in scattered(40):
        cells = make_cells(land_near(*place), SIDE)
        assert cells.worked.min() >= 0
        assert (cells.worked.sum(axis=0) <= cells.shares[CROP] + 1e-12).all()
        worked += cells.worked.sum()
    assert worked > 0


def test_pairs_are_6_to_48_days_apart_and_end_in_the_first_quarter_of_2020():
    pairs = possible_pairs()
    assert len(set(pairs)) == len(pairs)
    assert {(later - earlier).days for later, earlier in pairs} == set(DAYS)
    assert all(date(2020, 1, 1) <= later <= date(2020, 3, 31) for later, _ in pairs)


@given(lon_deg, lat_deg, st.sampled_from(possible_pairs()))
@settings(max_examples=40)
def test_coherence_is_between_0_and_1_wherever_and_whenever(lon, lat, pair):
    land = land_near(lon, lat, 16)
    image = coherence(make_cells(land, SIDE), land, pair, np.random.default_rng(0))
    assert image.dtype == np.float32
    assert image.shape == (SIDE, SIDE)
    assert image.min() >= 0
    assert image.max() <= 1


def test_an_image_is_the_same_bytes_from_the_same_draws():
    land = land_near(*HERE)
    images = [coherence(make_cells(land, SIDE), land, pair(12), np.random.default_rng(5)) for _ in range(2)]
    assert images[0].tobytes() == images[1].tobytes()


@pytest.mark.parametrize("cover", [TREE, CROP, GRASS, BUILT, BARE])
def test_coherence_falls_with_the_days_between_the_dates(cover):
    means = [over_places(cover, days) for days in DAYS]
    assert means == sorted(means, reverse=True)
    assert means[0] > means[-1] + 0.01


@pytest.mark.parametrize("days", DAYS)
def test_towns_keep_it_longest_then_fields_then_woods_and_water_never_has_it(days):
    town, crop, tree, water = (over_places(cover, days) for cover in (BUILT, CROP, TREE, WATER))
    assert town > crop > tree > water
    assert town > water + 0.3


def test_rain_on_either_date_lowers_it():
    land = land_near(*HERE, 16)
    pairs = [pair(6, date(2020, 1, 5) + timedelta(days=day)) for day in range(80)]
    rain = [max(_rain(land, later), _rain(land, earlier)) for later, earlier in pairs]
    assert min(rain) >= 0
    assert max(rain) <= 1
    for cover in (TREE, CROP, GRASS):
        found = [float(coherence(cells_of(cover), land, between, Still()).mean()) for between in pairs]
        # What the baseline takes besides, a few hundredths, is independent of rain.
        assert np.corrcoef(rain, found)[0, 1] < -0.9


def test_dry_plants_hold_it_longer_in_some_regions_than_in_others_and_houses_everywhere_alike():
    spread = {cover: np.std([seen(cells_of(cover), pair(12), p) for p in scattered(60)]) for cover in (GRASS, BUILT)}
    assert spread[GRASS] > 0.08
    assert spread[BUILT] < 0.04


def test_rain_falls_on_neighbouring_chips_alike():
    chip = chip_near(*HERE)
    near, next_to_it = (make_land(c, 16, 0) for c in (chip, beside(chip, east=1)))
    days = [FIELD_WORK_BEGINS + timedelta(days=day) for day in range(150)]
    rain = np.array([[_rain(land, day) for land in (near, next_to_it)] for day in days])
    assert np.abs(rain[:, 0] - rain[:, 1]).max() < 0.05
    assert rain[:, 0].std() > 0.1


def test_a_field_that_is_worked_between_the_dates_loses_it():
    worked = (date(2020, 2, 1) - FIELD_WORK_BEGINS).days // PERIOD_DAYS
    across, before, after = pair(24), pair(12, date(2020, 1, 17)), pair(12, date(2020, 3, 5))
    for between in (across, before, after):
        idle, busy = seen(cells_of(CROP), between), seen(cells_of(CROP, worked), between)
        if between is across:
            assert busy < idle - 0.1
        else:
            assert busy == idle


def test_rock_keeps_its_coherence_and_drifting_sand_does_not():
    sand, gravel, rock = (seen(cells_of(BARE, stones=stones), pair(12)) for stones in (-5.0, 0.0, 5.0))
    assert sand < gravel - 0.1
    assert gravel < rock


def test_mountains_lose_more_to_the_distance_of_the_orbits():
    assert over_places(BUILT, 12, slope=1.0) < over_places(BUILT, 12) - 0.01


@pytest.mark.parametrize("cover", [WATER, TREE, GRASS, BUILT])
def test_the_estimate_is_the_length_of_a_complex_number_with_the_noise_of_so_many_looks(cover):
    land, rng = land_near(*HERE, 16), np.random.default_rng(0)
    true = seen(cells_of(cover), pair(6))
    draws = np.stack([coherence(cells_of(cover), land, pair(6), rng) for _ in range(400)])
    spread = (1 - true**2) / (2 * LOOKS) ** 0.5
    # Each of its two parts has that spread; four standard errors of 400 images of seven cells a side, alike to neighbours.
    assert (draws.astype(np.float64) ** 2).mean() == pytest.approx(
        true**2 + 2 * spread**2, abs=8 * true * spread / 60 + 8 * spread**2 / 60
    )
    if true > 0.3:
        assert draws.std() == pytest.approx(spread, rel=0.1)


def test_few_looks_make_low_coherence_look_higher():
    land, rng = land_near(*HERE, 16), np.random.default_rng(0)
    draws = [coherence(cells_of(WATER), land, pair(48), rng) for _ in range(100)]
    assert np.mean(draws) > 1.5 * seen(cells_of(WATER), pair(48))
    # Of no coherence at all: mean of a Rayleigh distribution.
    assert np.mean(draws) == pytest.approx((np.pi / 4 / LOOKS) ** 0.5, rel=0.1)


def test_neighbouring_cells_share_noise_as_far_as_the_window_reaches():
    land, rng = land_near(*HERE, 16), np.random.default_rng(0)
    noise = np.stack([coherence(cells_of(BUILT), land, pair(6), rng) for _ in range(400)]) - seen(
        cells_of(BUILT), pair(6)
    )
    shared = np.correlate(WINDOW, WINDOW, "full")[2:] / (WINDOW @ WINDOW)
    for lag in (1, 2, 3):
        found = np.corrcoef(noise[:, :, lag:].ravel(), noise[:, :, :-lag].ravel())[0, 1]
        assert found == pytest.approx([*shared, 0][lag], abs=0.04)
