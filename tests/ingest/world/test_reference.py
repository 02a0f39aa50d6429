"""Reference maps: cells of their own whatever the chips, and errors of their kind."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from simulated_ground import beside, chip_near, covered, four_quarters, land_near, lat_deg, lon_off_180_deg, scattered
from terrashot.ingest.world.covers import BARE, BUILT, COVERS, CROP, GRASS, TREE, WATER
from terrashot.ingest.world.land import make_land, mean_shares
from terrashot.ingest.world.reference import (
    BUILT_CELL_M,
    MOST_TREE,
    TREE_CELL_M,
    _built_up,
    _cells,
    _land_cover,
    _tree_cover,
    read_reference,
)
from terrashot.ingest.world.sites import EARTH_RADIUS_M

TARGETS = {"vegetation": TREE, "builtup": BUILT, "cropland": CROP, "water": WATER}
PLACES = [(9.4, 45.1), (-43.2, -22.4), (3.1, 63.9), (11.9, 57.0), (179.5, 83.9), (20.9, 0.001), (0.0005, 51.5)]
"""Ordinary ones; the west and east ends of the widest zone, whose rows run most aslant of the parallels; the far north;
astride the equator and Greenwich, where cells begin."""


def with_rim(chip, side_px=64):
    """The ground that a label is read from: with all of every cell that touches the chip."""
    return make_land(chip, side_px, 0, math.ceil(1.1 * TREE_CELL_M * side_px / chip.size_m))


def with_roofs(land, where, share):
    """The same ground, with roofs on so much of some pixels."""
    built = np.where(where, share, 0).astype(np.float32)
    shares = land.shares * (1 - built)
    shares[BUILT] += built
    return replace(land, shares=shares)


def values_of_cells(chip, cell_m):
    """Name to mean shares of each cell that holds a pixel of the chip."""
    land = with_rim(chip)
    key, means = _cells(land, cell_m, land.shares)
    inner = [land.lattice.inner(plane).ravel() for plane in (key, *means)]
    return {int(name): tuple(values) for name, *values in zip(*inner, strict=True)}


@pytest.mark.parametrize("cell_m", [TREE_CELL_M, BUILT_CELL_M])
@given(lon=lon_off_180_deg, lat=lat_deg)
@settings(max_examples=15)
def test_chips_that_share_a_cell_see_the_same_value_in_it_to_the_last_bit(cell_m, lon, lat):
    chip = chip_near(lon, lat)
    here = values_of_cells(chip, cell_m)
    neighbours = [values_of_cells(beside(chip, *step), cell_m) for step in ((0, 1), (1, 0), (0, -1), (-1, 0))]
    for there in neighbours:
        shared = here.keys() & there.keys()
        assert [here[cell] for cell in shared] == [there[cell] for cell in shared]
    # Where a row of cells ends with the chips, as at the equator, the neighbour there shares none.
    assert any(here.keys() & there.keys() for there in neighbours)


@pytest.mark.parametrize("cell_m", [TREE_CELL_M, BUILT_CELL_M])
def test_across_the_antimeridian_too_but_for_the_rounding_of_a_turn(cell_m):
    # Of four chips in a row there are two that count longitude from different turns.
    chips = [beside(chip_near(179.9999, -17.0), east=east) for east in range(-1, 3)]
    for here, there in pairwise(values_of_cells(chip, cell_m) for chip in chips):
        shared = here.keys() & there.keys()
        assert shared
        for cell in shared:
            assert here[cell] == pytest.approx(there[cell], abs=1e-6)


@pytest.mark.parametrize("cell_m", [TREE_CELL_M, BUILT_CELL_M])
@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_a_cell_is_all_of_its_pixels_by_a_naive_count(lon, lat, cell_m):
    land = with_rim(chip_near(lon, lat))
    names, trees = [], {}
    for east_deg, north_deg, tree in zip(
        land.lattice.lon_deg, land.lattice.lat_deg, land.shares[TREE].tolist(), strict=True
    ):
        row = math.floor(math.radians(north_deg) * EARTH_RADIUS_M / cell_m)
        around_m = 2 * math.pi * EARTH_RADIUS_M * math.cos((row + 0.5) * cell_m / EARTH_RADIUS_M)
        names.append((row, math.floor(east_deg / 360 * round(around_m / cell_m))))
        trees.setdefault(names[-1], []).append(tree)
    key, means = _cells(land, cell_m, land.shares)
    assert len(np.unique(key)) == len(trees)
    assert means[TREE] == pytest.approx([np.mean(trees[name]) for name in names], abs=1e-9)
    # Square and whole where they touch the chip: as many pixels of 10 m as fit, but for a row or column at each edge.
    touching = {names[pixel] for pixel in land.lattice.inner(np.arange(len(names))).ravel()}
    per_side = np.sqrt([len(trees[name]) for name in touching])
    assert np.abs(per_side - cell_m / 10).max() < 1


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_the_label_of_a_large_chip_is_the_mean_of_those_of_its_quarters(lon, lat):
    chip = chip_near(lon, lat, 1280.0)
    whole = read_reference(chip, 128, 0)
    parts = [read_reference(quarter, 64, 0) for row in four_quarters(chip) for quarter in row]
    for target in TARGETS:
        known = np.array([part[target].valid_share for part in parts])
        values = np.nan_to_num([part[target].value for part in parts])
        assert whole[target].valid_share == pytest.approx(known.mean(), abs=1e-12)
        if known.any():
            assert whole[target].value == pytest.approx((values * known).sum() / known.sum(), abs=1e-12)


@pytest.fixture(scope="module")
def maps():
    """(as published, exact) by target, over many chips all over the globe."""
    read, exact = [], []
    for lon, lat in scattered(160):
        land = land_near(lon, lat)
        read.append(read_reference(chip_near(lon, lat), 64, 0))
        exact.append(mean_shares(land))
    return {
        target: (np.array([r[target].value for r in read]), np.array([e[COVERS[cover]] for e in exact]))
        for target, cover in TARGETS.items()
    }


@pytest.mark.parametrize("target", TARGETS)
def test_maps_are_right_on_the_whole_and_wrong_chip_by_chip(maps, target):
    published, exact = maps[target]
    known = np.isfinite(published)
    assert known.mean() > 0.8
    assert published[known].min() >= 0
    assert published[known].max() <= 1
    error = (published - exact)[known]
    assert abs(error.mean()) < 0.08
    assert np.corrcoef(published[known], exact[known])[0, 1] > 0.8
    assert error.std() > 0.002


def test_no_wood_is_denser_than_the_map_of_trees_knows(maps):
    published, exact = maps["vegetation"]
    assert exact[np.isfinite(published)].max() > MOST_TREE
    assert np.nanmax(published) <= MOST_TREE + 1e-12
    woods = _tree_cover(covered(land_near(9.4, 45.1), TREE))
    assert 0.6 < woods.value <= MOST_TREE + 1e-12


def test_thick_grass_passes_for_a_few_trees():
    found = [_tree_cover(covered(land_near(*place, 32), GRASS)).value for place in scattered(40)]
    assert 0.02 < np.mean(found) < 0.2


def test_lone_farms_are_missed_and_towns_are_not():
    farms = towns = 0.0
    for place in scattered(20):
        land = covered(land_near(*place), GRASS)
        farms += _built_up(with_roofs(land, np.arange(land.shares.shape[1]) % 97 == 0, 0.5)).value / (0.5 / 97)
        towns += _built_up(with_roofs(land, np.ones(land.shares.shape[1], np.bool_), 0.5)).value / 0.5
    assert farms / 20 < 0.4
    assert towns / 20 == pytest.approx(1, abs=0.1)


def test_bright_bare_ground_passes_for_a_few_roofs():
    found = [_built_up(covered(land_near(*place), BARE)).value for place in scattered(40)]
    assert 0 < np.mean(found) < 0.01
    assert np.median(found) == 0


def test_where_water_covers_all_the_map_of_trees_knows_nothing():
    reading = _tree_cover(covered(land_near(9.4, 45.1, 16), WATER))
    assert math.isnan(reading.value)
    assert reading.valid_share == 0


def test_water_that_holds_little_more_than_half_of_a_pixel_is_lost():
    land = covered(land_near(9.4, 45.1, 16), GRASS)

    def with_water(share):
        shares = land.shares.copy()
        shares[WATER], shares[GRASS] = share, 1 - share
        return _land_cover(replace(land, shares=shares))

    assert (with_water(0.6) != WATER).all()
    assert (with_water(0.95) == WATER).all()


def test_some_fields_pass_for_grass_and_some_grass_for_fields_a_parcel_at_a_time():
    for cover, taken_for in ((CROP, GRASS), (GRASS, CROP)):
        lands = [covered(land_near(*place, 32), cover) for place in scattered(60)]
        wrong = [_land_cover(land) == taken_for for land in lands]
        assert 0.01 < np.mean(wrong) < 0.25
        for land, mistaken in zip(lands, wrong, strict=True):
            assert not set(land.parcels.key[mistaken].tolist()) & set(land.parcels.key[~mistaken].tolist())


def test_a_label_is_the_same_whatever_else_was_asked_before():
    chips = [chip_near(lon, lat) for lon, lat in scattered(4)]
    forward = [repr(read_reference(chip, 64, 0)) for chip in chips]
    assert [repr(read_reference(chip, 64, 0)) for chip in reversed(chips)] == forward[::-1]
