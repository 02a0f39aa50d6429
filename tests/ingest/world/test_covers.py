"""Shares of the covers: they sum to one everywhere, follow roads and parcels, and are unevenly strewn over the globe."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_ground import chip_near, land_near, lat_deg, lon_deg, scattered
from terrashot.ingest.world.covers import BARE, COVERS, CROP
from terrashot.ingest.world.land import make_land, mean_shares


def is_consistent(land):
    """Whether shares are shares and sum to one but for rounding: six numbers of 32 bits."""
    in_range = land.shares.min() >= 0 and land.shares.max() <= 1
    return bool(in_range and np.abs(land.shares.sum(axis=0, dtype=np.float64) - 1).max() < 1e-6)


@given(
    lon_deg,
    lat_deg,
    st.sampled_from([(64, 0), (64, 2), (100, 0), (16, 5), (7, 1), (1, 0)]),
    st.sampled_from([1.0, 10.0, 40.0]),
)
@settings(max_examples=60)
def test_in_each_pixel_the_shares_of_the_covers_sum_to_one(lon, lat, side_and_rim, pixel_m):
    side_px, rim_px = side_and_rim
    assert is_consistent(make_land(chip_near(lon, lat, max(10.0, side_px * pixel_m)), side_px, 0, rim_px))


@pytest.mark.parametrize(("lon", "lat"), [(9.4, 45.1), (12.0, 83.99), (20.9, 0.0), (180.0, -79.99)])
def test_shares_of_a_large_chip_sum_to_one_at_the_ends_of_the_globe_too(lon, lat):
    assert is_consistent(make_land(chip_near(lon, lat, 4480.0), 448, 0))


@pytest.fixture(scope="module")
def world():
    """Mean shares of many chips all over the globe."""
    made = [mean_shares(land_near(lon, lat, 32)) for lon, lat in scattered(200)]
    return {name: np.array([shares[name] for shares in made]) for name in COVERS}


@pytest.mark.parametrize("name", ["water", "built"])
def test_many_chips_have_no_water_or_no_roof_and_a_few_have_much(world, name):
    assert 0.15 < (world[name] == 0).mean() < 0.9
    assert np.median(world[name]) < 0.05
    assert world[name].max() > 0.15


@pytest.mark.parametrize("name", COVERS)
def test_every_cover_is_common_somewhere_and_rare_elsewhere(world, name):
    assert 0.01 < world[name].mean() < 0.6
    assert np.quantile(world[name], 0.1) < 0.1
    assert world[name].max() > 0.15


def test_roads_and_streets_are_bare_and_few():
    lands = [land_near(lon, lat) for lon, lat in scattered(40)]
    bare, paved = (
        np.concatenate(planes) for planes in zip(*((land.shares[BARE], land.is_paved) for land in lands), strict=True)
    )
    assert 0 < paved.mean() < 0.2
    assert bare[paved].mean() > 2 * bare[~paved].mean()


def test_fields_are_ploughed_parcel_by_parcel():
    # Within a parcel, far from its edge, nearly all is field or nearly nothing, but for a hedge or a pond.
    land = land_near(9.4, 45.1, 128)
    whole = [
        min(share, 1 - share)
        for key in np.unique(land.parcels.key)
        for inside in [(land.parcels.key == key) & (land.parcels.edge_m > 12)]
        if inside.sum() > 10
        for share in [(land.shares[CROP, inside] > 0.3).mean()]
    ]
    assert len(whole) > 20
    assert np.mean(whole) < 0.15
