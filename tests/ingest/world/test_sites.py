"""Places strewn over the globe: which one a pixel belongs to, and how large they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_ground import lat_deg, lon_deg
from terrashot.ingest.world.noise import mixed, uniform
from terrashot.ingest.world.sites import EARTH_RADIUS_M, JITTER, Sizes, sites

SEED = 3
MIXED_SIZES = Sizes(smallest_m=100.0, largest_m=1000.0, steepness=1.2, share=0.6)
SMALL = Sizes(smallest_m=20.0, largest_m=200.0, steepness=1.5, share=0.7)


def naive_larger(radius_m, sizes):
    """Share of places larger than a radius: a power law that ends at the largest."""
    left, end = ((r / sizes.smallest_m) ** -sizes.steepness for r in (radius_m, sizes.largest_m))
    return (left - end) / (1 - end)


def naive_radius_m(smaller, sizes):
    """The radius that such a share of places falls short of, found by halving."""
    low, high = sizes.smallest_m, sizes.largest_m
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if naive_larger(middle, sizes) > 1 - smaller else (low, middle)
    return low


def naive_places(lon, lat, cell_m, sizes, reach=4):
    """(depth, name) of every place in the cells so many rows and columns around, deepest first."""
    lon, lat = np.radians(lon), np.radians(lat)
    middle_row, found = int(np.floor(lat * EARTH_RADIUS_M / cell_m)), []
    for row in range(middle_row - reach, middle_row + reach + 1):
        around_m = 2 * np.pi * EARTH_RADIUS_M * np.cos((row + 0.5) * cell_m / EARTH_RADIUS_M)
        in_row = max(1, round(around_m / cell_m))
        middle_col = int(np.floor(lon / (2 * np.pi) * in_row))
        for col in range(middle_col - reach, middle_col + reach + 1):
            bits = np.uint64(mixed(row, col % in_row, 0, SEED))
            up, along, size, there = (uniform(np.uint64(mixed(bits, number, 0, 0))) for number in (1, 2, 3, 4))
            if there >= sizes.share:
                continue
            place_lat = (row + 0.5 + JITTER * (up - 0.5)) * cell_m / EARTH_RADIUS_M
            place_lon = (col + 0.5 + JITTER * (along - 0.5)) / in_row * 2 * np.pi
            radius_m = naive_radius_m(size, sizes) if sizes.largest_m else 0.0
            east_m, north_m = (lon - place_lon) * np.cos(place_lat) * EARTH_RADIUS_M, (lat - place_lat) * EARTH_RADIUS_M
            found.append((radius_m - np.hypot(east_m, north_m), int(bits) >> 1))
    return sorted(found, reverse=True)


def at(lon, lat, cell_m=1000.0, sizes=Sizes()):
    return sites(np.atleast_1d(np.float64(lon)), np.atleast_1d(np.float64(lat)), cell_m=cell_m, seed=SEED, sizes=sizes)


def all_of(sizes, cell_m=1000.0, cells=60):
    """Name to radius of every place in a square of so many cells a side, and how many cells that square has."""
    degrees = np.degrees((np.arange(8 * cells) + 0.5) * cell_m / 8 / EARTH_RADIUS_M)
    lon, lat = (axis.ravel() for axis in np.meshgrid(degrees, degrees))
    found = at(lon, lat, cell_m, sizes)
    is_near = found.depth_m > -cell_m / 4
    return dict(zip(found.key[is_near].tolist(), found.radius_m[is_near].tolist(), strict=True)), cells**2


@given(lon_deg, lat_deg)
@settings(max_examples=60)
def test_a_pixel_belongs_to_the_nearest_place_of_all_around(lon, lat):
    found, (first, second) = at(lon, lat), naive_places(lon, lat, 1000.0, Sizes())[:2]
    # Thousands of metres in 32-bit numbers.
    assert found.depth_m[0] == pytest.approx(first[0], abs=1e-3)
    assert found.border_m[0] == pytest.approx(first[0] - second[0], abs=2e-3)
    if first[0] - second[0] > 0.01:
        assert (found.key[0], found.second[0]) == (first[1], second[1])


@given(lon_deg, lat_deg)
@settings(max_examples=60)
def test_a_pixel_inside_a_place_belongs_to_the_one_it_lies_deepest_in(lon, lat):
    found, ((depth_m, key), (other_m, _), *_) = (
        at(lon, lat, sizes=MIXED_SIZES),
        naive_places(lon, lat, 1000.0, MIXED_SIZES),
    )
    if abs(depth_m) > 0.01:
        assert (found.depth_m[0] > 0) == (depth_m > 0)
    if depth_m > 0 and depth_m - other_m > 0.01:
        assert found.key[0] == key
        assert found.depth_m[0] == pytest.approx(depth_m, abs=1e-3)


@given(lon_deg, lat_deg)
@settings(max_examples=30)
def test_from_any_pixel_its_place_says_the_way_to_its_middle(lon, lat):
    found = at(lon, lat)
    middle_lat = lat - np.degrees(np.float64(found.north_m) / EARTH_RADIUS_M)
    middle_lon = lon - np.degrees(np.float64(found.east_m) / (EARTH_RADIUS_M * np.cos(np.radians(middle_lat))))
    there = at(middle_lon, middle_lat)
    assert there.key == found.key
    # A thousand metres in 32-bit numbers, and their way back through degrees.
    assert [there.east_m[0], there.north_m[0], there.depth_m[0]] == pytest.approx([0, 0, 0], abs=1e-3)


@given(st.integers(-5000, 5000), lat_deg)
@settings(max_examples=30)
def test_rows_of_cells_close_on_themselves_at_the_antimeridian(metres, lat):
    lon = 180 + np.degrees(metres / EARTH_RADIUS_M)
    past, anew = at(lon, lat), at(lon - 360, lat)
    assert past.key == anew.key
    assert past.second == anew.second
    assert past.depth_m[0] == pytest.approx(anew.depth_m[0], abs=1e-3)


def test_a_pixel_has_the_same_place_whatever_stands_before_it_in_the_row():
    rng = np.random.default_rng(0)
    lon, lat = 9 + rng.integers(0, 40, 400) / 4000, 45 + rng.integers(0, 40, 400) / 4000
    together = at(lon, lat, sizes=MIXED_SIZES)
    alone = [at(x, y, sizes=MIXED_SIZES) for x, y in zip(lon, lat, strict=True)]
    for name in ("key", "second", "depth_m", "east_m"):
        assert getattr(together, name).tolist() == [getattr(one, name)[0] for one in alone]


def test_radii_follow_a_power_law_between_the_smallest_and_the_largest():
    radii = np.array(list(all_of(SMALL)[0].values()))
    assert radii.min() >= 20 * (1 - 1e-6)
    assert radii.max() <= 200 * (1 + 1e-6)
    for radius_m in (25, 30, 40, 60, 90, 140):
        # Four standard errors of a share among 2,500.
        assert (radii > radius_m).mean() == pytest.approx(naive_larger(radius_m, SMALL), abs=0.04)
    # No heap of equals at the end.
    assert len(np.unique(radii)) > 0.99 * len(radii)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_only_a_share_of_the_places_exists(share):
    found, cells = all_of(Sizes(smallest_m=20.0, largest_m=30.0, share=share))
    # Four standard errors among 3,600 cells, and those that a jitter puts across the border of the square.
    assert len(found) / cells == pytest.approx(share, abs=0.05)


def test_where_no_place_is_near_depth_is_far_below_zero():
    nothing = at(9.0, 45.0, sizes=Sizes(smallest_m=20.0, largest_m=30.0, share=0.0))
    assert nothing.depth_m[0] < -1e6


def test_another_seed_strews_other_places():
    lon, lat = np.array([9.0]), np.array([45.0])
    assert sites(lon, lat, cell_m=1000.0, seed=4).key != at(lon, lat).key
