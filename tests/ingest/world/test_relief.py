"""Hills and valleys, and water where it gathers."""

import numpy as np
from hypothesis import given, settings

from simulated_ground import chip_near, lat_deg, lon_deg, scattered
from terrashot.ingest.world.lattice import make_lattice
from terrashot.ingest.world.relief import make_relief, water_share


def ground(lon, lat, side_px=64, size_m=640.0):
    lattice = make_lattice(chip_near(lon, lat, size_m), side_px)
    return lattice, make_relief(lattice, 200)


def water_near(lon, lat, moisture=0.0, side_px=64, size_m=640.0):
    lattice, relief = ground(lon, lat, side_px, size_m)
    return water_share(lattice, relief, np.full(side_px**2, moisture, np.float32), lattice.exact(600, 34.0), 400)


@given(lon_deg, lat_deg)
@settings(max_examples=30)
def test_water_is_a_share_and_a_wetter_country_has_no_less_of_it_anywhere(lon, lat):
    dry, middling, wet = (water_near(lon, lat, moisture) for moisture in (-1.5, 0.0, 1.5))
    assert dry.min() >= 0
    assert wet.max() <= 1
    assert (dry <= middling).all()
    assert (middling <= wet).all()


def test_most_chips_have_no_water_and_some_are_full_of_it():
    share = np.array([water_near(lon, lat, side_px=16).mean() for lon, lat in scattered(300)])
    assert 0.3 < (share == 0).mean() < 0.95
    assert (share > 0.1).any()


def test_shores_are_sharp():
    water = np.concatenate([water_near(lon, lat) for lon, lat in scattered(60)])
    on_shore = (water > 0) & (water < 1)
    assert on_shore.mean() < 0.5 * (water == 1).mean()


def test_rivers_run_where_valleys_are():
    in_valleys, elsewhere = [], []
    for lon, lat in scattered(12):
        _, relief = ground(lon, lat, 100, 10_000.0)
        water = water_near(lon, lat, 0.8, 100, 10_000.0)
        in_valleys.append(water[relief.valley < 0.02].mean())
        elsewhere.append(water[relief.valley > 0.3].mean())
    assert np.mean(in_valleys) > 3 * np.mean(elsewhere)


def test_a_lake_is_round_rather_than_a_valley_and_even_dry_land_has_some():
    wet = [water_near(lon, lat, -1.0)[ground(lon, lat)[1].valley > 0.3].max(initial=0) for lon, lat in scattered(150)]
    assert max(wet) == 1


def test_land_rises_from_its_valleys():
    for lon, lat in scattered(12, seed=1):
        _, relief = ground(lon, lat, 100, 10_000.0)
        assert relief.valley.min() >= 0
        assert relief.height_m[relief.valley < 0.1].mean() < relief.height_m[relief.valley > 0.6].mean()


def test_some_countries_are_plains_and_some_are_mountains():
    spread_m = [np.ptp(ground(lon, lat, 50, 5000.0)[1].height_m) for lon, lat in scattered(60)]
    assert min(spread_m) < 60
    assert max(spread_m) > 200


def test_nearly_all_slopes_are_those_one_can_stand_on():
    slopes = []
    for lon, lat in scattered(60, between_deg=(-79.0, 83.0)):
        lattice, relief = ground(lon, lat)
        slopes.append(np.hypot(*np.gradient(lattice.square(relief.height_m), lattice.pixel_m)))
    assert np.quantile(slopes, 0.98) < 1
    assert np.median(slopes) > 0.005
