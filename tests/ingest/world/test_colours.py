"""Colours of the ground: of each cover its own, by region and by plot, the same each month."""

import numpy as np
import pytest
from hypothesis import given, settings

from simulated_ground import Still, covered, land_near, lat_deg, lon_deg, scattered
from terrashot.ingest.world.colours import make_scenery
from terrashot.ingest.world.covers import BARE, BUILT, CROP, GRASS, TREE, WATER
from terrashot.ingest.world.optical import reflectance

PAINTS = ("water", "soil", "roof", "bush", "leaf")


def seen(land, month):
    return reflectance(make_scenery(land), month, 2020, Still())


def mean_colour(cover, month=6):
    """Over many places wholly under a cover: red, green, blue."""
    return np.mean(
        [seen(covered(land_near(*place, 16), cover), month).mean(axis=(1, 2)) for place in scattered(60)], axis=0
    )


def test_covers_have_their_colours():
    water, tree, crop, grass, built, bare = (mean_colour(c) for c in (WATER, TREE, CROP, GRASS, BUILT, BARE))
    for leafy in (tree, crop, grass):
        assert leafy[1] > leafy[2], "green over blue"
    assert tree[1] > tree[0]
    assert bare[0] > bare[1] > bare[2]
    for dark in (water, tree):
        assert dark.mean() < 0.75 * bare.mean()
        assert dark.mean() < built.mean()


def test_grass_and_fields_of_the_north_are_greener_in_june_than_in_december():
    def greenness(cover, month):
        red, green, _ = np.mean(
            [seen(covered(land_near(*p, 16), cover), month).mean(axis=(1, 2)) for p in scattered(25, 0, (42.0, 52.0))],
            axis=0,
        )
        return green / red

    for cover in (CROP, TREE, GRASS):
        assert greenness(cover, 6) > greenness(cover, 12)


@given(lon_deg, lat_deg)
@settings(max_examples=30)
def test_every_paint_is_a_reflectance(lon, lat):
    scenery = make_scenery(land_near(lon, lat, 32))
    for paint in PAINTS:
        plane = getattr(scenery, paint)
        assert plane.dtype == np.float32
        assert plane.shape == (3, 36 * 36)
        assert plane.min() >= 0
        assert plane.max() < 0.8


@pytest.mark.parametrize("paint", PAINTS)
def test_paints_differ_by_region(paint):
    by_place = np.array([getattr(make_scenery(land_near(*p, 16)), paint).mean(axis=1) for p in scattered(40)])
    assert by_place.std(axis=0).min() > 0.02 * by_place.mean()


def test_roofs_of_one_house_are_of_one_paint():
    lon, lat = max(scattered(60), key=lambda place: land_near(*place, 16).towns.density.mean())
    land = land_near(lon, lat, 64)
    roof, house = make_scenery(land).roof[0], land.towns.house
    spreads = [np.ptp(roof[house == one]) for one in np.unique(house[house != 0])]
    assert len(spreads) > 20
    # A region's liking for tiles and its light change over many kilometres, and seldom within a house.
    assert np.quantile(spreads, 0.98) < 1e-3
    assert np.std([roof[house == one].mean() for one in np.unique(house[house != 0])]) > 0.01
