"""What a month brings: a sun that stands low in winter, leaves, and crops on fields alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_ground import chip_near, four_quarters, land_near, lat_deg, lon_deg, scattered
from terrashot.ingest.world.covers import CROP, TREE
from terrashot.ingest.world.land import make_land
from terrashot.ingest.world.season import OVERPASS_HOUR_ANGLE, make_plants, make_season, sun

month = st.integers(1, 12)
ROUNDING = 1e-6
"""Of shares in 32-bit numbers."""


def season_of(land, month):
    return make_season(make_plants(land), month)


def half_a_year_later(month):
    return (month + 5) % 12 + 1


def naive_sun(lat_deg, month):
    """Zenith and azimuth by turning the Earth: the sun's direction against up, east and north of the place."""
    ecliptic = 2 * np.pi * (30.4 * (month - 0.5) - 80) / 365
    tilt, lat = np.arcsin(np.sin(np.radians(23.44)) * np.sin(ecliptic)), np.radians(lat_deg)
    to_sun = [np.cos(tilt) * np.cos(OVERPASS_HOUR_ANGLE), -np.cos(tilt) * np.sin(OVERPASS_HOUR_ANGLE), np.sin(tilt)]
    up, east, north = [np.cos(lat), 0, np.sin(lat)], [0, 1, 0], [-np.sin(lat), 0, np.cos(lat)]
    return np.arccos(np.dot(to_sun, up)), np.arctan2(np.dot(to_sun, east), np.dot(to_sun, north))


@given(lat_deg, month)
def test_the_sun_stands_where_the_turning_earth_puts_it(lat, month):
    light, (zenith_rad, azimuth_rad) = sun(lat, month), naive_sun(lat, month)
    # Declination by sine of the day is off by up to a degree; so is the zenith.
    assert light.zenith_rad == pytest.approx(min(zenith_rad, np.radians(80)), abs=np.radians(1.5))
    if zenith_rad > np.radians(15):
        astray = (light.azimuth_rad - azimuth_rad + np.pi) % (2 * np.pi) - np.pi
        assert abs(astray * np.sin(zenith_rad)) < np.radians(1.5)


@given(st.integers(24, 66))
def test_the_sun_is_lower_in_winter_and_half_a_year_later_in_the_south(lat):
    assert sun(lat, 1).zenith_rad > sun(lat, 4).zenith_rad > sun(lat, 7).zenith_rad
    assert sun(-lat, 1).zenith_rad < sun(-lat, 4).zenith_rad < sun(-lat, 7).zenith_rad
    for month in range(1, 13):
        south, north = sun(-lat, month), sun(lat, half_a_year_later(month))
        # Twice six months of 30.4 days are not quite a year.
        assert south.zenith_rad == pytest.approx(north.zenith_rad, abs=0.01)
        assert np.cos(south.azimuth_rad) == pytest.approx(-np.cos(north.azimuth_rad), abs=0.02)
        assert np.sin(south.azimuth_rad) > 0, "the sun of the morning stands in the east"


def test_the_polar_night_is_lit_as_by_a_sun_ten_degrees_high():
    assert np.degrees(sun(80.0, 12).zenith_rad) == pytest.approx(80)


@given(lon_deg, lat_deg, month)
@settings(max_examples=60)
def test_crops_stand_on_fields_and_leaves_on_trees_alone(lon, lat, month):
    land = land_near(lon, lat, 32)
    season = season_of(land, month)
    for plane, within in (
        (season.growth, land.shares[CROP]),
        (season.stubble, land.shares[CROP]),
        (season.flooded, land.shares[CROP]),
        (season.leaves, land.shares[TREE]),
        (season.green, 1),
        (season.frost, 1),
    ):
        assert plane.min() >= 0
        assert (plane <= within + ROUNDING).all()


def test_green_crop_dry_residue_and_flood_together_never_exceed_the_field():
    worst = 0.0
    for place, month in zip(scattered(240), 20 * list(range(1, 13)), strict=True):
        land = land_near(*place, 32)
        season = season_of(land, month)
        worst = max(worst, (season.growth + season.stubble + season.flooded - land.shares[CROP]).max())
    assert worst <= ROUNDING


def over_the_year(lands, plane, of):
    """Mean of a season's plane over places, as a share of its cover, by month."""
    covers = sum(land.shares[of].sum() for land in lands)
    return np.array([sum(getattr(season_of(land, m), plane).sum() for land in lands) for m in range(1, 13)]) / covers


@pytest.fixture(scope="module")
def middle_latitudes():
    north = [land_near(lon, lat, 32) for lon, lat in scattered(25, 0, (42.0, 52.0))]
    south = [land_near(lon, lat, 32) for lon, lat in scattered(25, 1, (-52.0, -42.0))]
    return north, south


@pytest.mark.parametrize(("plane", "of"), [("leaves", TREE), ("growth", CROP)])
def test_plants_grow_in_the_summer_of_their_own_hemisphere(middle_latitudes, plane, of):
    north, south = (over_the_year(lands, plane, of) for lands in middle_latitudes)
    summer, winter = slice(4, 8), [10, 11, 0, 1]
    assert north[summer].mean() > 1.3 * north[winter].mean()
    assert south[winter].mean() > 1.3 * south[summer].mean()


def test_residue_follows_growth(middle_latitudes):
    growth, stubble = (over_the_year(middle_latitudes[0], plane, CROP) for plane in ("growth", "stubble"))
    assert growth.argmax() < stubble.argmax()
    assert stubble.max() > 0.1


def test_near_the_equator_trees_keep_their_leaves():
    leaves = over_the_year([land_near(lon, lat, 32) for lon, lat in scattered(10, 0, (-5.0, 5.0))], "leaves", TREE)
    assert np.ptp(leaves) < 0.05
    assert leaves.min() > 0.8


def test_ground_freezes_in_the_winter_of_cold_places_alone():
    frozen = {
        lat: [season_of(land_near(30.0, lat, 16), m).frost.mean() for m in range(1, 13)] for lat in (65.0, -60.0, 5.0)
    }
    assert frozen[65.0][0] == frozen[-60.0][6] == 1
    assert frozen[65.0][6] == frozen[-60.0][0] == 0
    assert not any(frozen[5.0])


def test_fields_of_one_chip_have_calendars_of_their_own():
    spreads = []
    for lon, lat in scattered(40, 0, (-50.0, 50.0)):
        land = land_near(lon, lat)
        is_field = land.shares[CROP] > 0.5
        if is_field.mean() > 0.2:
            spreads.append((season_of(land, 6).growth[is_field] / land.shares[CROP][is_field]).std())
    assert np.mean(spreads) > 0.1


@pytest.mark.parametrize("lat", [45.1, 18.0, 0.002, -18.0])
def test_plants_of_a_chip_are_those_of_the_four_that_fill_it_to_the_last_bit(lat):
    # At the ends of the tropics and on the equator too.
    chip = chip_near(9.4, lat, 1280.0)
    whole = season_of(make_land(chip, 128, 0), 5)
    parts = [[season_of(make_land(quarter, 64, 0), 5) for quarter in row] for row in four_quarters(chip)]
    for name in ("growth", "stubble", "flooded", "leaves", "green", "frost"):
        tiled = np.block([[getattr(part, name).reshape(64, 64) for part in row] for row in parts])
        assert getattr(whole, name).reshape(128, 128).tobytes() == tiled.tobytes(), name
