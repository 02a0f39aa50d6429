"""Backscatter: speckle of so many looks, what each cover returns, walls that face the radar, wind on water."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_ground import Still, chip_near, covered, flat, four_quarters, land_near, lat_deg, lon_deg, scattered
from terrashot.ingest.world.covers import BARE, BUILT, COVERS, CROP, GRASS, TREE, WATER
from terrashot.ingest.world.land import make_land
from terrashot.ingest.world.radar import (
    LOOK_AZIMUTH_RAD,
    LOOKS,
    RESOLUTION_M,
    RESPONSE,
    backscatter_db,
    make_echoes,
    speckle,
)

HERE = (9.4, 45.1)


def seen_db(land, month=6, acquisitions=4):
    return backscatter_db(make_echoes(land), month, 2020, acquisitions, Still())


def power(db):
    return 10 ** (np.float64(db) / 10)


@given(lon_deg, lat_deg, st.integers(1, 12), st.sampled_from([16, 64, 100]))
@settings(max_examples=40)
def test_backscatter_is_that_of_land_and_water(lon, lat, month, side_px):
    image = backscatter_db(make_echoes(land_near(lon, lat, side_px)), month, 2020, 4, np.random.default_rng(0))
    assert image.dtype == np.float32
    assert image.shape == (2, side_px, side_px)
    assert image.min() > -60
    assert image.max() < 20


def test_an_image_is_the_same_bytes_from_the_same_draws():
    echoes = make_echoes(land_near(*HERE))
    first, second = (backscatter_db(echoes, 6, 2020, 4, np.random.default_rng(5)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("acquisitions", [1, 3, 6])
def test_speckle_of_an_image_has_as_many_looks_as_all_acquisitions_together(acquisitions):
    echoes, rng = make_echoes(land_near(*HERE, 100)), np.random.default_rng(0)
    clear = power(backscatter_db(echoes, 6, 2020, acquisitions, Still()))
    ratio = np.stack([power(backscatter_db(echoes, 6, 2020, acquisitions, rng)) for _ in range(5)]) / clear
    # Over 100,000 pixels, each alike to its neighbours.
    assert ratio.mean() == pytest.approx(1, abs=0.015)
    assert ratio.var() == pytest.approx(1 / (LOOKS * acquisitions), rel=0.06)
    assert abs(np.corrcoef(ratio[:, 0].ravel(), ratio[:, 1].ravel())[0, 1]) < 0.03, "polarisations share no speckle"


@pytest.mark.parametrize("looks", [LOOKS, 6 * LOOKS])
def test_speckle_of_pixels_as_coarse_as_the_sensor_sees_is_gamma(looks):
    drawn = speckle(400, RESOLUTION_M, looks, np.random.default_rng(0))
    # Mean, variance and third moment of a gamma, over 320,000 pixels.
    assert drawn.mean() == pytest.approx(1, abs=0.005)
    assert drawn.var() == pytest.approx(1 / looks, rel=0.02)
    assert ((drawn - 1.0) ** 3).mean() == pytest.approx(2 / looks**2, rel=0.1)
    assert abs(np.corrcoef(drawn[:, :, 1:].ravel(), drawn[:, :, :-1].ravel())[0, 1]) < 0.01


@pytest.mark.parametrize("axis", [1, 2])
def test_finer_pixels_share_speckle_with_neighbours_as_far_as_the_response_reaches(axis):
    drawn = speckle(400, 10.0, LOOKS, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(1, abs=0.01)
    assert drawn.var() == pytest.approx(1 / LOOKS, rel=0.03)
    shared = np.correlate(RESPONSE, RESPONSE, "full")[2:] / (RESPONSE @ RESPONSE)
    for lag in range(1, 4):
        one, other = np.take(drawn, range(lag, 400), axis), np.take(drawn, range(400 - lag), axis)
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] == pytest.approx([*shared, 0][lag], abs=0.015)


def test_more_acquisitions_leave_the_mean_power_as_it_is():
    # Averaged as decibels the mean would be the lower the fewer the looks.
    echoes, rng = make_echoes(land_near(*HERE)), np.random.default_rng(0)
    clear = power(backscatter_db(echoes, 6, 2020, 1, Still())).mean()
    for acquisitions in (1, 6):
        means = [power(backscatter_db(echoes, 6, 2020, acquisitions, rng)).mean() for _ in range(8)]
        assert np.mean(means) == pytest.approx(clear, rel=0.01)


def test_polarisation_kept_is_stronger_than_polarisation_turned_on_every_cover():
    for cover in range(len(COVERS)):
        vv_db, vh_db = np.mean(
            [seen_db(covered(land_near(*p, 16), cover)).mean(axis=(1, 2)) for p in scattered(12)], axis=0
        )
        assert vv_db > vh_db + 3
    for place in scattered(12):
        vv_db, vh_db = seen_db(land_near(*place))
        assert (vv_db > vh_db).mean() > 0.95


def test_covers_return_what_they_do():
    mean_db = {
        cover: np.mean([seen_db(covered(land_near(*place, 16), cover)).mean() for place in scattered(40)])
        for cover in (WATER, TREE, CROP, GRASS, BUILT, BARE)
    }
    assert mean_db[WATER] == min(mean_db.values())
    assert mean_db[WATER] < mean_db[GRASS] - 3
    assert mean_db[TREE] > mean_db[GRASS]
    assert mean_db[TREE] > mean_db[BARE]
    assert mean_db[BUILT] > mean_db[GRASS]


def test_streets_that_face_the_radar_shine_and_streets_askew_do_not():
    town = covered(land_near(*HERE), BUILT)

    def roofs_db(askew_deg):
        turn = np.full_like(town.towns.turn_rad, (LOOK_AZIMUTH_RAD + np.radians(askew_deg)) % (np.pi / 2))
        houses = np.arange(1, len(turn) + 1)
        return seen_db(replace(town, towns=replace(town.towns, turn_rad=turn, house=houses))).mean(axis=(1, 2))

    facing, aside, askew = roofs_db(0), roofs_db(10), roofs_db(45)
    assert (facing > aside).all()
    assert (aside > askew).all()
    assert facing[0] > askew[0] + 2
    assert facing[1] > askew[1] + 1, "the bounce turns the polarisation less than it returns"
    # Streets cross at right angles: a quarter turn shows the radar the other walls, and either side is as good.
    assert roofs_db(-10) == pytest.approx(aside, abs=1e-3)
    assert roofs_db(90) == pytest.approx(facing, abs=1e-3)


def test_slopes_that_face_the_radar_shine():
    land = covered(flat(land_near(*HERE, 16)), GRASS)
    rows, cols = np.mgrid[0:20, 0:20]
    # The radar looks along this direction: ground that rises along it turns its face to the sensor.
    along_m = 10 * (cols * np.sin(LOOK_AZIMUTH_RAD) - rows * np.cos(LOOK_AZIMUTH_RAD))
    across_m = 10 * (cols * np.cos(LOOK_AZIMUTH_RAD) + rows * np.sin(LOOK_AZIMUTH_RAD))

    def hill_db(height_m):
        height_m = height_m.ravel().astype(np.float32)
        return seen_db(replace(land, relief=replace(land.relief, height_m=height_m))).mean()

    level = hill_db(0 * along_m)
    assert hill_db(0.3 * along_m) > level + 1
    assert hill_db(-0.3 * along_m) < level - 1
    assert hill_db(0.3 * across_m) == pytest.approx(level, abs=0.01)


def test_wind_changes_water_from_month_to_month_more_than_land():
    def change_db(cover):
        return np.mean([
            np.std([seen_db(covered(land_near(*place, 16), cover), month)[0].mean() for month in range(1, 13)])
            for place in scattered(12, 0, (-15.0, 15.0))
        ])  # fmt: skip

    assert change_db(WATER) > 2 * change_db(GRASS)
    assert change_db(GRASS) > 0.1


def test_fields_return_more_when_they_are_green():
    lands = [covered(land_near(*place, 16), CROP) for place in scattered(20, 0, (44.0, 52.0))]
    winter_db, summer_db = (np.mean([seen_db(land, month)[1].mean() for land in lands]) for month in (11, 6))
    assert summer_db > winter_db + 0.3


@pytest.mark.parametrize("month", [1, 7])
@pytest.mark.parametrize("lat", [45.1, 18.0])
def test_an_image_is_that_of_the_four_chips_that_fill_its_own_to_the_last_bit_but_for_speckle(lat, month):
    chip = chip_near(9.4, lat, 1280.0)
    whole = seen_db(make_land(chip, 128, 0, 2), month)
    tiled = np.block([[seen_db(make_land(part, 64, 0, 2), month) for part in row] for row in four_quarters(chip)])
    assert whole.tobytes() == tiled.tobytes()
