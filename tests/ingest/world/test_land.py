"""The simulated ground: same place, same ground, whichever chip shows it."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from simulated_ground import beside, chip_near, covered, four_quarters, land_near, lat_deg, lon_off_180_deg, scattered
from terrashot.ingest.world.covers import BUILT, COVERS, CROP, TREE, WATER
from terrashot.ingest.world.land import make_land, mean_shares, surface_slopes

PLANES = {
    "water": lambda land: land.shares[WATER],
    "tree": lambda land: land.shares[TREE],
    "crop": lambda land: land.shares[CROP],
    "built": lambda land: land.shares[BUILT],
    "height": lambda land: land.relief.height_m,
    "moisture": lambda land: land.country.moisture,
    "parcel": lambda land: land.parcels.key,
    "house": lambda land: land.towns.house,
    "street": lambda land: land.towns.is_street,
    "paved": lambda land: land.is_paved,
    "scrub": lambda land: land.scrub,
    "texture": lambda land: land.texture,
}


def content(made):
    """Every array of a value, to the last bit."""
    if is_dataclass(made):
        return {field.name: content(getattr(made, field.name)) for field in fields(made)}
    return made.tobytes() if isinstance(made, np.ndarray) else made


def test_a_chip_is_the_same_bytes_whatever_else_was_asked_before():
    chips = [chip_near(lon, lat) for lon, lat in [*scattered(6), (12.0, 47.0), (12.001, 47.0), (180.0, -17.0)]]
    forward = [content(make_land(chip, 64, 0, 2)) for chip in chips]
    assert [content(make_land(chip, 64, 0, 2)) for chip in reversed(chips)] == forward[::-1]


@given(
    lon_off_180_deg,
    lat_deg,
    st.integers(1, 28),
    st.sampled_from([(0, 1), (1, 0)]),
    st.sampled_from([(640.0, 64), (1000.0, 100), (330.0, 33)]),
)
@settings(max_examples=25)
def test_the_rim_of_a_chip_is_its_neighbour_to_the_last_bit(lon, lat, rim_px, step, size):
    chip = chip_near(lon, lat, size[0])
    here, there = make_land(chip, size[1], 0, rim_px), make_land(beside(chip, *step), size[1], 0)
    beyond = np.s_[rim_px:-rim_px, -rim_px:] if step[1] else np.s_[-rim_px:, rim_px:-rim_px]
    within = np.s_[:, :rim_px] if step[1] else np.s_[:rim_px, :]
    for name, plane in PLANES.items():
        ours, theirs = here.lattice.square(plane(here))[beyond], there.lattice.square(plane(there))[within]
        assert ours.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize(("lon", "lat"), [(9.4, 45.1), (-43.2, -22.4), (101.0, 83.0)])
def test_a_chip_of_1280_m_is_the_four_of_640_m_that_fill_it_to_the_last_bit(name, lon, lat):
    chip, plane = chip_near(lon, lat, 1280.0), PLANES[name]
    whole = make_land(chip, 128, 0)
    parts = [[make_land(quarter, 64, 0) for quarter in row] for row in four_quarters(chip)]
    tiled = np.block([[part.lattice.square(plane(part)) for part in row] for row in parts])
    assert whole.lattice.square(plane(whole)).tobytes() == tiled.tobytes()


@pytest.mark.parametrize("lat", [-17.0, 65.0])
def test_across_the_antimeridian_chips_continue_each_other_but_for_the_rounding_of_a_turn(lat):
    here = chip_near(179.9999, lat)
    first, second = make_land(here, 64, 0, 8), make_land(beside(here, east=1), 64, 0, 8)
    for name, plane in PLANES.items():
        ours, theirs = first.lattice.square(plane(first))[:, -16:], second.lattice.square(plane(second))[:, :16]
        if ours.dtype == np.float32:
            assert np.abs(ours - theirs).max() < 1e-5 * max(1, np.abs(theirs).max()), name
        else:
            assert ours.tolist() == theirs.tolist(), name


def test_chips_whose_nodes_lie_elsewhere_show_the_same_ground_but_for_the_edges_of_fields():
    # Chips of 1,000 m and 2,000 m: fields and houses begin some decimetres off, on few pixels.
    chip = chip_near(9.4, 45.1, 2000.0)
    whole, part = make_land(chip, 200, 0), make_land(four_quarters(chip)[0][0], 100, 0)
    other = np.abs(whole.shares.reshape(6, 200, 200)[:, :100, :100] - part.shares.reshape(6, 100, 100)).max(axis=0)
    assert (other > 0.1).mean() < 0.05


@pytest.mark.parametrize(
    ("lon", "lat", "zones"),
    [
        (12.0, 47.0, (32632, 32633)),
        (-180.0, -17.0, (32701, 32760)),
        (6.0, -30.0, (32731, 32732)),
        (-60.0, 60.0, (32620, 32621)),
    ],
)
def test_two_zones_show_the_same_ground_where_they_meet(lon, lat, zones):
    one, other = (make_land(chip_near(lon, lat, 1280.0, epsg), 128, 0) for epsg in zones)
    distance_m, nearest = cKDTree(other.lattice.points_m).query(one.lattice.points_m)
    same = distance_m < 1.0
    there = nearest[same]
    assert same.sum() > 200
    # Within a metre of each other, two pixels may still lie on two sides of a fence.
    shares, shares_there = one.shares[:, same], other.shares[:, there]
    assert (np.abs(shares - shares_there).max(axis=0) > 0.1).mean() < 0.05
    assert np.abs(shares.mean(axis=1) - shares_there.mean(axis=1)).max() < 0.02
    assert (one.parcels.key[same] == other.parcels.key[there]).mean() > 0.95
    for smooth in ("height", "moisture"):
        rise = PLANES[smooth](one)[same] - PLANES[smooth](other)[there]
        assert np.abs(rise).max() < 0.02 * np.ptp(PLANES[smooth](one)), smooth


def test_mean_shares_are_those_of_the_chip_without_its_rim():
    chip = chip_near(9.4, 45.1)
    bare, rimmed = make_land(chip, 64, 0), make_land(chip, 64, 0, 9)
    assert mean_shares(rimmed) == mean_shares(bare)
    assert list(mean_shares(bare)) == list(COVERS)
    assert mean_shares(bare)["tree"] == pytest.approx(float(bare.shares[TREE].mean()), abs=1e-6)


def test_another_seed_is_another_world():
    chip = chip_near(9.4, 45.1)
    one, other = make_land(chip, 64, 0), make_land(chip, 64, 1)
    assert np.abs(one.shares - other.shares).mean() > 0.05
    assert not set(one.parcels.key.tolist()) & set(other.parcels.key.tolist())


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
@settings(max_examples=20)
def test_slopes_are_those_of_a_plane(east, north):
    land = covered(land_near(9.4, 45.1, 16), CROP)
    rows, cols = np.mgrid[0:20, 0:20]
    plane = (10 * (east * cols - north * rows)).ravel().astype(np.float32)
    found = surface_slopes(replace(land, relief=replace(land.relief, height_m=plane)))
    for slope, expected in zip(found, (east, north), strict=True):
        # Heights of up to 200 m in 32-bit numbers, over 20 m.
        assert land.lattice.square(slope)[1:-1, 1:-1] == pytest.approx(expected, abs=1e-5)
