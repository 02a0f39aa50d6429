"""Reflectance: of each cover its colour, shaded by slopes, through air that changes by month and region."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from simulated_ground import Still, chip_near, covered, flat, four_quarters, land_near, lat_deg, lon_deg, scattered
from terrashot.ingest.world.colours import make_scenery
from terrashot.ingest.world.covers import GRASS, WATER
from terrashot.ingest.world.land import make_land
from terrashot.ingest.world.optical import BLUR, SENSOR_NOISE, cloud, reflectance, upper_quantile
from terrashot.ingest.world.season import sun

HERE = (9.4, 45.1)
month = st.integers(1, 12)


def seen(land, month=6, year=2020):
    return reflectance(make_scenery(land), month, year, Still())


def painted(land, colour):
    """Scenery of one colour all over, as still water has no seasons."""
    plane = np.full((3, land.shares.shape[1]), colour, np.float32)
    return replace(make_scenery(covered(land, WATER)), water=plane)


@given(lon_deg, lat_deg, month, st.sampled_from([16, 64, 100]))
@settings(max_examples=40)
def test_reflectance_is_that_of_land_and_water(lon, lat, month, side_px):
    image = reflectance(make_scenery(land_near(lon, lat, side_px)), month, 2020, np.random.default_rng(0))
    assert image.dtype == np.float32
    assert image.shape == (3, side_px, side_px)
    assert image.min() > 0
    assert image.max() < 0.8
    assert image.mean() < 0.4


def test_an_image_is_the_same_bytes_from_the_same_draws():
    land = land_near(*HERE)
    first, second = (reflectance(make_scenery(land), 6, 2020, np.random.default_rng(5)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_noise_is_that_of_the_sensor_and_no_more():
    land = land_near(*HERE)
    noise = reflectance(make_scenery(land), 6, 2020, np.random.default_rng(5)) - seen(land)
    # Four standard errors of 12,288 draws; few pixels are so dark that the noise is cut.
    assert noise.std() == pytest.approx(SENSOR_NOISE, rel=0.04)
    assert abs(noise.mean()) < 0.1 * SENSOR_NOISE


@pytest.mark.parametrize("month", [1, 6])
@pytest.mark.parametrize("lat", [45.1, -33.0, 5.0])
def test_ground_that_faces_the_sun_is_brighter_and_ground_that_turns_away_is_darker(lat, month):
    land = covered(flat(land_near(9.4, lat, 16)), GRASS)
    level, azimuth = make_scenery(land), sun(lat, month).azimuth_rad

    def brightness(rise):
        """Of ground that rises so steeply towards the sun, and so turns its back to it."""
        east, north = (np.full_like(level.rise_east, rise * part) for part in (np.sin(azimuth), np.cos(azimuth)))
        return reflectance(replace(level, rise_east=east, rise_north=north), month, 2020, Still()).mean()

    steps = [brightness(rise) for rise in (-0.3, -0.15, 0.0, 0.15, 0.3)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > 1.05 * steps[-1]


def test_still_water_has_no_slopes():
    land = land_near(*HERE, 16)
    level = painted(land, 0.1)
    tilted = replace(level, rise_east=level.rise_east + 0.5)
    assert (reflectance(tilted, 6, 2020, Still()) == reflectance(level, 6, 2020, Still())).all()


def test_haze_and_its_correction_change_blue_most_and_red_least():
    # Over ground so dark that nearly all light comes from the air, under a sky without the white of thin clouds.
    lands = [
        land for land in (land_near(*place, 16) for place in scattered(120)) if not cloud(land, 6, 2020, 0.25).any()
    ]
    dark = [reflectance(painted(land, 0.004), 6, 2020, Still()).mean(axis=(1, 2)) for land in lands]
    red, green, blue = np.std(dark, axis=0)
    assert len(lands) > 50
    assert blue > 1.2 * green
    assert green > 1.2 * red


def test_air_and_correction_differ_by_month_and_more_by_region_than_within_a_chip():
    bright = [
        [reflectance(painted(land_near(*place, 16), 0.3), month, 2020, Still())[0] for month in (1, 2, 3)]
        for place in scattered(40)
    ]
    images = np.array(bright) / 0.3
    means = images.mean(axis=(2, 3))
    assert means.mean() == pytest.approx(1, abs=0.1)
    assert means.std(axis=0).min() > 0.05
    assert means.std(axis=1).mean() > 0.05
    assert images.std(axis=(2, 3)).mean() < means.std(axis=0).mean()


def test_a_bright_point_spreads_over_its_neighbours_and_loses_nothing():
    dark = painted(land_near(*HERE, 16), 0.1)
    water = dark.water.reshape(3, 20, 20).copy()
    water[:, 9, 9] = 0.6
    added = reflectance(replace(dark, water=water.reshape(3, -1)), 6, 2020, Still()) - reflectance(
        dark, 6, 2020, Still()
    )
    kernel = np.outer(BLUR, BLUR)
    for band in added:
        assert band[6:9, 6:9] / band.sum() == pytest.approx(kernel / kernel.sum(), abs=1e-5)


@pytest.mark.parametrize("month", [1, 7])
def test_images_of_neighbouring_chips_continue_each_other(month):
    # Exact but for the sun, which is that of a chip's first pixel: up to 0.006 degrees farther north.
    chip = chip_near(*HERE, 1280.0)
    whole = seen(make_land(chip, 128, 0, 2), month)
    tiled = np.block([[seen(make_land(quarter, 64, 0, 2), month) for quarter in row] for row in four_quarters(chip)])
    assert np.abs(whole - tiled).max() < 0.001


def test_clouds_hide_the_share_asked_for_and_grow_from_their_middles():
    shares = (0.0, 0.1, 0.3, 0.6, 1.0)
    hidden = [[cloud(land_near(*place, 16), 6, 2020, share) for place in scattered(300)] for share in shares]
    for share, masks in zip(shares, hidden, strict=True):
        # Four standard errors of the 300 chips, most of which are all clear or all cloud.
        assert np.mean(masks) == pytest.approx(share, abs=4 * 0.5 / 300**0.5)
    for thin, thick in pairwise(hidden):
        assert all((b | ~a).all() for a, b in zip(thin, thick, strict=True))


@pytest.mark.parametrize("share", [0.01, 0.15, 0.5, 0.9])
def test_the_upper_quantile_is_that_of_a_standard_normal(share):
    # Winitzki's approximation is good to a few thousandths.
    assert upper_quantile(share) == pytest.approx(norm.isf(share), abs=0.006)


def test_another_month_has_other_clouds():
    land = land_near(*HERE)
    masks = {cloud(land, month, year, 0.5).tobytes() for month in range(1, 13) for year in (2019, 2020)}
    assert len(masks) > 12
