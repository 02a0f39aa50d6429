"""Where pixels lie on the globe, and smooth fields that the next chip continues."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_ground import beside, chip_near, four_quarters, lat_deg, lon_deg, lon_off_180_deg
from terrashot.domain.grid import to_degrees
from terrashot.ingest.world.lattice import EARTH_RADIUS_M, FINE, make_lattice
from terrashot.ingest.world.noise import field

WAYS = ("exact", "smooth", "slow")


def naive_bump(distance):
    """The uniform cubic B-spline, by its textbook pieces."""
    t = np.abs(distance)
    return np.where(t < 1, 2 / 3 - t**2 + t**3 / 2, np.where(t < 2, (2 - t) ** 3 / 6, 0))


def naive_spread(nodes, lattice, density):
    """Every node's bump at every pixel; nodes lie `density` to a coarse cell, as many beyond one side as the other."""
    per_side = lattice.cells * density
    beyond = (len(nodes) - per_side - 1) // 2
    pixels = (np.arange(-lattice.rim_px, lattice.side_px + lattice.rim_px) + 0.5) * per_side / lattice.side_px
    bumps = naive_bump(pixels[:, None] - np.arange(-beyond, per_side + beyond + 1)[None, :])
    return bumps @ nodes.astype(np.float64) @ bumps.T


sizes = st.tuples(st.sampled_from([1, 7, 16, 33, 64, 100]), st.integers(0, 20))


@given(lon_deg, lat_deg, sizes)
@settings(max_examples=40)
def test_what_is_known_at_nodes_is_spread_over_pixels_as_a_b_spline(lon, lat, sizes):
    lattice = make_lattice(chip_near(lon, lat), *sizes)
    nodes = np.random.default_rng(0).normal(size=lattice.coarse_m.shape[:2]).astype(np.float32)
    spread = lattice.square(lattice.from_coarse(nodes))
    assert spread == pytest.approx(naive_spread(nodes, lattice, 1), abs=5e-6)


@pytest.mark.parametrize(("side_px", "rim_px"), [(64, 0), (64, 28), (16, 3), (100, 11)])
def test_a_smooth_field_is_spread_from_fine_nodes_a_quarter_of_the_coarse(side_px, rim_px):
    lattice = make_lattice(chip_near(9.4, 45.1), side_px, rim_px)
    at_nodes = field(lattice.fine_m.reshape(-1, 3), seed=3, wavelength_m=300.0).reshape(lattice.fine_m.shape[:2])
    smooth = lattice.square(lattice.smooth(3, 300.0))
    assert smooth == pytest.approx(naive_spread(at_nodes, lattice, FINE), abs=5e-6)


def test_a_spread_keeps_constants_and_straight_lines():
    lattice = make_lattice(chip_near(9.4, 45.1), 64, 5)
    node = np.arange(len(lattice.coarse_m), dtype=np.float32)
    plane = lattice.square(lattice.from_coarse(3 + 2 * node[:, None] - node[None, :]))
    per_pixel = lattice.cells / lattice.side_px
    assert np.diff(plane, axis=0) == pytest.approx(2 * per_pixel, abs=1e-5)
    assert np.diff(plane, axis=1) == pytest.approx(-per_pixel, abs=1e-5)


@pytest.mark.parametrize(("way", "wavelength_m"), [("slow", 1700.0), ("smooth", 420.0)])
def test_a_field_from_nodes_is_close_to_the_field_itself(way, wavelength_m):
    # The spline rounds peaks off: a sixth of the node distance squared times the curvature, a few hundredths here.
    lattice = make_lattice(chip_near(9.4, 45.1, 4480.0), 448)
    error = getattr(lattice, way)(3, wavelength_m) - lattice.exact(3, wavelength_m)
    assert np.sqrt((error**2).mean()) < 0.05


@pytest.mark.parametrize(("side_px", "size_m"), [(64, 640.0), (448, 4480.0), (100, 1000.0), (16, 640.0)])
@pytest.mark.parametrize(("lon", "lat"), [(6.3, 47.0), (12.0, 83.9), (-179.999, -17.0), (101.0, -79.9), (20.9, 0.0)])
def test_pixels_lie_where_the_projection_puts_them_to_a_centimetre(side_px, size_m, lon, lat):
    chip = chip_near(lon, lat, size_m)
    at = (np.arange(side_px) + 0.5) * size_m / side_px
    x, y = np.meshgrid(chip.bounds_m[0] + at, chip.bounds_m[3] - at)
    lon_rad, lat_rad = (np.radians(axis.ravel()) for axis in to_degrees(chip.epsg).transform(x, y))
    unit = [np.cos(lat_rad) * np.cos(lon_rad), np.cos(lat_rad) * np.sin(lon_rad), np.sin(lat_rad)]
    lattice = make_lattice(chip, side_px)
    assert np.linalg.norm(lattice.points_m - EARTH_RADIUS_M * np.stack(unit, axis=-1), axis=1).max() < 0.01
    astray_m = np.radians((lattice.lon_deg - np.degrees(lon_rad) + 180) % 360 - 180) * EARTH_RADIUS_M * np.cos(lat_rad)
    assert np.abs(astray_m).max() < 0.01
    assert np.abs(np.radians(lattice.lat_deg) - lat_rad).max() * EARTH_RADIUS_M < 0.01


@given(
    lon_off_180_deg,
    lat_deg,
    st.integers(1, 20),
    st.sampled_from([(0, 1), (1, 0)]),
    st.sampled_from([(640.0, 64), (1000.0, 100), (330.0, 33)]),
)
@settings(max_examples=30)
def test_the_rim_of_a_chip_is_its_neighbour_to_the_last_bit(lon, lat, rim_px, step, size):
    chip = chip_near(lon, lat, size[0])
    here, there = make_lattice(chip, size[1], rim_px), make_lattice(beside(chip, *step), size[1])
    beyond = np.s_[rim_px:-rim_px, -rim_px:] if step[1] else np.s_[-rim_px:, rim_px:-rim_px]
    within = np.s_[:, :rim_px] if step[1] else np.s_[:rim_px, :]
    for way in WAYS:
        ours, theirs = (lattice.square(getattr(lattice, way)(7, 700.0, 2)) for lattice in (here, there))
        assert ours[beyond].tobytes() == theirs[within].tobytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size_m", [1280.0, 640.0])
def test_a_chip_is_the_four_that_fill_it_to_the_last_bit_where_they_share_nodes(way, size_m):
    # Both have a coarse node each 160 m.
    chip = chip_near(-43.2, -22.4, size_m)
    side_px = int(size_m / 10)
    whole = make_lattice(chip, side_px)
    parts = [[make_lattice(quarter, side_px // 2) for quarter in row] for row in four_quarters(chip)]
    tiled = np.block([[part.square(getattr(part, way)(7, 700.0, 2)) for part in row] for row in parts])
    assert whole.square(getattr(whole, way)(7, 700.0, 2)).tobytes() == tiled.tobytes()


@pytest.mark.parametrize(("way", "worst"), [("exact", 0.001), ("smooth", 0.1), ("slow", 0.1)])
def test_chips_of_another_size_differ_only_by_where_their_nodes_lie(way, worst):
    # Nodes 142.9 m apart in chips of 1,000 m and 153.8 m in those of 2,000 m: as close as each is to the field itself.
    chip = chip_near(9.4, 45.1, 2000.0)
    whole, part = make_lattice(chip, 200), make_lattice(four_quarters(chip)[1][1], 100)
    wavelength_m = 2000.0 if way == "slow" else 500.0
    difference = whole.square(getattr(whole, way)(7, wavelength_m))[100:, 100:] - part.square(
        getattr(part, way)(7, wavelength_m)
    )
    assert np.abs(difference).max() < worst


def test_longitude_runs_on_past_180_across_the_antimeridian():
    lattice = make_lattice(chip_near(179.9999, -17.0), 64)
    assert lattice.lon_deg.min() < 180 < lattice.lon_deg.max()
    assert np.ptp(lattice.lon_deg) < 0.01


@pytest.mark.parametrize("lat", [-17.0, 65.0])
def test_across_the_antimeridian_chips_continue_each_other_but_for_the_rounding_of_a_turn(lat):
    here = chip_near(179.9999, lat)
    first, second = make_lattice(here, 64, 8), make_lattice(beside(here, east=1), 64, 8)
    # The Earth's radius in 64-bit numbers, and what wavelength and octaves make of it in 32 bits.
    ours_m, theirs_m = (lattice.points_m.reshape(80, 80, 3) for lattice in (first, second))
    assert np.abs(ours_m[:, -16:] - theirs_m[:, :16]).max() < 1e-7
    for way in WAYS:
        ours, theirs = (lattice.square(getattr(lattice, way)(7, 700.0, 2)) for lattice in (first, second))
        assert ours[:, -16:] == pytest.approx(theirs[:, :16], abs=2e-6)


def test_the_inner_part_is_the_chip_without_its_rim():
    lattice = make_lattice(chip_near(9.4, 45.1), 8, 3)
    bare = make_lattice(chip_near(9.4, 45.1), 8)
    assert lattice.width_px == 14
    assert lattice.inner(lattice.lat_deg).tolist() == bare.square(bare.lat_deg).tolist()
