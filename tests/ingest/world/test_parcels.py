"""Fields: parcels whose edges are where they say, of one shape near Greenwich and far from it."""

import numpy as np
import pytest
from hypothesis import given, settings

from simulated_ground import chip_near, lat_deg, lon_deg, scattered
from terrashot.ingest.world.lattice import make_lattice
from terrashot.ingest.world.parcels import make_parcels

STEP_M = 10.0
HALF_A_STEP_M = 7.0
"""Half of the way from pixel to pixel, and four tenths more where fields bend."""


def parcels_near(lon, lat, spacing=1.0):
    lattice = make_lattice(chip_near(lon, lat), 64)
    return lattice, make_parcels(lattice, np.full(64 * 64, spacing, np.float32), 300)


def steps(lattice, *planes):
    """Each plane at pixels and at their neighbours to the south and to the east, one after the other."""
    squares = [lattice.square(plane) for plane in planes]
    return [(np.append(square[:-1], square[:, :-1]), np.append(square[1:], square[:, 1:])) for square in squares]


@given(lon_deg, lat_deg)
@settings(max_examples=30)
def test_from_one_parcel_to_the_next_both_know_that_the_edge_is_near(lon, lat):
    lattice, parcels = parcels_near(lon, lat)
    (key, next_key), (edge_m, next_edge_m), (district, next_district) = steps(
        lattice, parcels.key, parcels.edge_m, parcels.district
    )
    crossed = (key != next_key) & (district == next_district)
    assert np.minimum(edge_m, next_edge_m)[crossed].max(initial=0) < HALF_A_STEP_M
    assert parcels.edge_m.min() >= 0


@given(lon_deg, lat_deg)
@settings(max_examples=30)
def test_from_one_district_to_the_next_both_know_that_the_border_is_near(lon, lat):
    lattice, parcels = parcels_near(lon, lat)
    (district, next_district), (border_m, next_border_m) = steps(lattice, parcels.district, parcels.border_m)
    crossed = district != next_district
    assert np.minimum(border_m, next_border_m)[crossed].max(initial=0) < HALF_A_STEP_M
    assert parcels.border_m.min() >= 0


def test_both_sides_of_a_border_name_each_other_so_that_both_have_the_road_or_neither():
    named = []
    for lon, lat in scattered(20):
        lattice, parcels = parcels_near(lon, lat)
        (here, there), (next_of_here, next_of_there) = steps(lattice, parcels.district, parcels.next_district)
        crossed = here != there
        named += ((next_of_here == there) & (next_of_there == here))[crossed].tolist()
    # Where three districts meet the next may be the third.
    assert np.mean(named) > 0.93


def test_a_parcel_lies_in_one_district():
    _, parcels = parcels_near(12.0, 47.0)
    pairs = set(zip(parcels.key.tolist(), parcels.district.tolist(), strict=True))
    assert len(pairs) == len(np.unique(parcels.key)) > 5


@pytest.mark.parametrize(("lon", "lat"), [(0.1, 36.0), (105.0, 36.0), (-179.9, 36.0), (-70.0, -55.0), (179.9999, 70.0)])
def test_parcels_do_not_slant_far_from_greenwich(lon, lat):
    # With metres counted from Greenwich rather than from the place, a step north would also lead east, the more the
    # farther: a metre across the furrows would no longer be one.
    lattice, parcels = parcels_near(lon, lat)
    across, district = lattice.square(parcels.along_m), lattice.square(parcels.district)
    same = (district[:-1, :-1] == district[1:, :-1]) & (district[:-1, :-1] == district[:-1, 1:])
    south, east = across[1:, :-1] - across[:-1, :-1], across[:-1, 1:] - across[:-1, :-1]
    # Fields bend by up to a sixth.
    assert np.median(np.hypot(south, east)[same]) / STEP_M == pytest.approx(1, abs=1 / 6)


def test_where_fields_are_large_a_chip_holds_fewer():
    small, large = (
        sum(len(np.unique(parcels_near(lon, lat, spacing)[1].key)) for lon, lat in scattered(10))
        for spacing in (0.7, 2.1)
    )
    # Three times as wide and as long; chips cut parcels off, so not nine times fewer.
    assert small > 3 * large
    assert large > 10


def test_a_chip_across_the_antimeridian_holds_parcels_like_another():
    across, beside = (len(np.unique(parcels_near(lon, 40.0)[1].key)) for lon in (180.0, 179.0))
    assert beside / 4 < across < 4 * beside
