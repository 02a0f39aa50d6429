"""The simulated ground: same place, same ground, whichever chip shows it."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from terrashot.domain.grid import Grid, chip_from_id, to_degrees, to_metres
from terrashot.ingest.world.land import BUILT, WATER, fractions, make_land
from terrashot.ingest.world.noise import _mix, between, field, hashed

RADIUS_M = 6_371_008.8


def on_sphere(n=20_000, seed=0):
    points = np.random.default_rng(seed).normal(size=(n, 3))
    return points * RADIUS_M / np.linalg.norm(points, axis=1, keepdims=True)


def ground(chip_id, side_px=64, seed=0):
    return make_land(chip_from_id(chip_id), side_px, seed)


def naive_value_noise(point, cell_m, seed):
    """One octave by its definition: fading weights of eight hashed corners."""
    place = point / cell_m
    low, weight = np.floor(place).astype(int), place - np.floor(place)
    weight = weight**3 * (weight * (weight * 6 - 15) + 10)
    corners = [(dx, dy, dz) for dx in (0, 1) for dy in (0, 1) for dz in (0, 1)]
    return sum(
        _mix(*(low + corner).tolist(), seed) * np.prod(np.where(np.array(corner) == 1, weight, 1 - weight))
        for corner in corners
    )


def test_a_field_is_value_noise_by_its_definition():
    points = np.concatenate([on_sphere(20), on_sphere(1) + np.arange(30)[:, None] * 7.0])
    naive = np.array([naive_value_noise(point, 90.0, 5 * 1_000_003) for point in points])
    assert field(points, seed=5, wavelength_m=90.0) == pytest.approx(naive / 0.20, abs=1e-6)


@pytest.mark.parametrize("octaves", [1, 3])
def test_a_field_has_mean_zero_and_spread_one_and_its_own_seed(octaves):
    first, other = (field(on_sphere(), seed=seed, wavelength_m=700.0, octaves=octaves) for seed in (3, 4))
    assert first.mean() == pytest.approx(0, abs=0.03)
    assert first.std() == pytest.approx(1, abs=0.03)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.03


def test_a_field_does_not_depend_on_what_else_is_asked_or_in_what_order():
    points, order = on_sphere(500), np.random.default_rng(1).permutation(500)
    whole = field(points, seed=1, wavelength_m=300.0, octaves=2)
    assert field(points[order], seed=1, wavelength_m=300.0, octaves=2).tolist() == whole[order].tolist()
    assert field(points[7:8], seed=1, wavelength_m=300.0, octaves=2).tolist() == whole[7:8].tolist()


def test_hashes_are_uniform_and_differ_for_neighbours():
    row, col = np.meshgrid(np.arange(-100, 100), np.arange(-100, 100))
    values = hashed(np.column_stack([row.ravel(), col.ravel()]), 9)
    assert len(set(values.tolist())) == len(values)
    assert np.histogram(values, 10, (-0.5, 0.5))[0] == pytest.approx(4000, rel=0.08)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.02


def test_between_nodes_values_are_bilinear():
    x, y = np.meshgrid(np.linspace(0, 1, 4), np.linspace(0, 1, 4))
    centres = (np.arange(6) + 0.5) / 6
    plane = between((2 * x - 3 * y)[..., None], 6)[:, 0].reshape(6, 6)
    assert plane == pytest.approx(2 * centres[None, :] - 3 * centres[:, None])


@pytest.mark.parametrize(("side_px", "chip_m"), [(64, 640.0), (448, 4480.0), (100, 1000.0)])
def test_pixels_lie_where_the_projection_puts_them_to_a_centimetre(side_px, chip_m):
    chip = Grid(32633, chip_m).chip_at(301_000.0, 5_400_000.0)
    west, _, _, north = chip.bounds_m
    at = (np.arange(side_px) + 0.5) * chip_m / side_px
    x, y = np.meshgrid(west + at, north - at)
    lon, lat = (np.radians(axis.ravel()) for axis in to_degrees(32633).transform(x, y))
    exact = RADIUS_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    assert np.linalg.norm(make_land(chip, side_px, 0).points_m - exact, axis=1).max() < 0.05


def test_neighbouring_chips_continue_each_other():
    # A chip of 1,280 m shows the same pixels as the four chips of 640 m that fill it.
    large = make_land(Grid(32632, 1280.0).chip(3900, 400), 128, 0).cover.reshape(128, 128)
    half = Grid(32632, 640.0)
    small = [[make_land(half.chip(7800 + i, 800 + j), 64, 0).cover.reshape(64, 64) for j in (0, 1)] for i in (0, 1)]
    assert (large == np.block(small)).mean() > 0.999


def test_slow_fields_join_at_the_edge_of_two_chips():
    left, right = ground("32632_640m_r007794_c000830"), ground("32632_640m_r007794_c000831")
    assert left.nodes_m[:, -1] == pytest.approx(right.nodes_m[:, 0], abs=1e-6)
    step = right.smooth(3, 2500.0).reshape(64, 64)[:, 0] - left.smooth(3, 2500.0).reshape(64, 64)[:, -1]
    assert np.abs(step).max() < 0.03


@pytest.mark.parametrize(("lon", "lat", "zones"), [(12.0, 47.0, (32632, 32633)), (-180.0, -17.0, (32701, 32760))])
def test_two_zones_show_the_same_ground_where_they_meet(lon, lat, zones):
    here, there = (Grid(epsg, 1280.0).chip_at(*to_metres(epsg).transform(lon, lat)) for epsg in zones)
    one, other = make_land(here, 256, 0), make_land(there, 256, 0)
    distance_m, nearest = cKDTree(other.points_m).query(one.points_m)
    same_place = distance_m < 2.0
    assert same_place.sum() > 1000
    assert (one.cover[same_place] == other.cover[nearest[same_place]]).mean() > 0.97


def test_parcels_do_not_slant_far_from_greenwich():
    # A width in metres that shrinks inside a row of parcels would shear them, the more the farther from Greenwich.
    parcel = make_land(Grid(32648, 640.0).chip_at(500_000.0, 4_000_000.0), 64, 0).parcel.reshape(64, 64)
    above, below = parcel[:-1], parcel[1:]
    in_fields = (above != 0) & (below != 0)
    assert (above != below)[in_fields].mean() < 0.01


def test_a_chip_across_the_antimeridian_holds_no_more_parcels_than_another():
    chip = Grid(32660, 640.0).chip_at(*to_metres(32660).transform(180.0, 40.0))
    assert len(np.unique(make_land(chip, 64, 0).parcel)) <= 21


def test_fractions_are_the_exact_shares_of_the_cover():
    land = ground("32632_640m_r007794_c000830")
    shares = np.bincount(land.cover, minlength=6) / 4096
    assert shares.sum() == pytest.approx(1)
    assert fractions(land)["water"] == shares[WATER]
    assert fractions(land)["builtup"] == shares[BUILT]
    assert set(fractions(land)) == {"vegetation", "builtup", "cropland", "water"}


@pytest.mark.parametrize(("epsg", "x_m", "y_m"), [(32632, 5e5, 5e6), (32723, 3e5, 7.5e6), (32654, 6e5, 1e5)])
def test_a_box_anywhere_holds_all_covers_with_towns_and_water_on_some_chips_only(epsg, x_m, y_m):
    corner = Grid(epsg, 640.0).chip_at(x_m, y_m)
    chips = [Grid(epsg, 640.0).chip(corner.row + i, corner.col + j) for i in range(0, 28, 2) for j in range(0, 28, 2)]
    found = [fractions(make_land(chip, 16, 0)) for chip in chips]
    held = {target: np.mean([one[target] > 0 for one in found]) for target in found[0]}
    assert 0.2 < held["builtup"] < 0.6
    assert 0.2 < held["water"] < 0.6
    assert held["vegetation"] > 0.4
    assert held["cropland"] > 0.4


def test_another_seed_is_another_world():
    assert (ground("32632_640m_r007794_c000830").cover != ground("32632_640m_r007794_c000830", seed=1).cover).any()
