"""No chip of a weaker split is left within the buffer of a stronger one: on the lattice, across zones, across areas."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.buffer import EARTH_RADIUS_M, TEST, Buffer, cut_buffer, near, spacing_m
from terrashot.domain.grid import to_metres
from terrashot.domain.split import SplitRecipe, make_split
from terrashot.domain.tables import Chips


def table(*boxes, size_m=4480.0):
    """Each box an area, of whose chips none is in another's."""
    return chips_of_areas([Area(f"a{i}", box_outline(*box)) for i, box in enumerate(boxes)], size_m)[0]


def smallest_gap_m(chips, of, to):
    """Between footprints of two sets, in the metres of the first chip's zone; naive."""
    epsg = int(chips.utm[0, 0])
    flat = shapely.transform(
        np.array(chips.footprint), lambda points: np.column_stack(to_metres(epsg).transform(*points.T))
    )
    return min(shapely.distance(flat[i], flat[to]).min() for i in np.flatnonzero(of))


@settings(max_examples=20)
@given(
    st.integers(1, 4), st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), min_size=1, max_size=6, unique=True)
)
def test_on_one_lattice_the_buffer_is_counted_in_whole_chips(reach, kept_at):
    row, col = (axis.ravel() for axis in np.meshgrid(np.arange(25), np.arange(25), indexing="ij"))
    ids = tuple(f"{r}_{c}" for r, c in zip(row, col, strict=True))
    utm = np.column_stack([np.full(625, 32632), row + 1000, col + 100])
    chips = Chips(ids, ("a",) * 625, (None,) * 625, (None,) * 625, None, 9 + col * 0.0081, 45 - row * 0.00575, utm)
    kept = np.array([(r, c) in kept_at for r, c in zip(row, col, strict=True)])
    naive = np.abs(utm[:, None, 1:] - utm[None, kept, 1:]).max(-1).min(1) <= reach
    assert near(chips, kept, reach).tolist() == naive.tolist()


@pytest.mark.parametrize("reach", [1, 3])
@pytest.mark.parametrize("box", [(5.5, 48.0, 6.5, 48.6), (-66.4, -54.6, -65.6, -54.0)])
def test_across_a_seam_of_two_zones_the_gap_is_as_wide_as_inside_a_zone(reach, box):
    chips = table(box)
    codes = np.where(chips.utm[:, 0] == chips.utm[0, 0], TEST, 0)
    left = cut_buffer(chips, codes, Buffer(reach)) == 0
    assert 0 < left.sum() < (codes == 0).sum()
    assert smallest_gap_m(chips, left, codes == TEST) > reach * 4480 * 0.93


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([-180.0, 0.0, 77.3, 180.0]), st.floats(-85, 85), st.integers(1, 6))
def test_off_the_grid_a_chip_is_near_where_it_lies_in_the_square_around_another(seed, lon, lat, reach):
    rng = np.random.default_rng(seed)
    wide = 0.3 / np.cos(np.radians(lat))
    x, y = (lon + rng.uniform(-wide, wide, 120) + 180) % 360 - 180, lat + rng.uniform(-0.3, 0.3, 120)
    chips = Chips(tuple(map(str, range(120))), ("a",) * 120, (None,) * 120, (None,) * 120, None, x, y)
    kept = rng.uniform(size=120) < 0.1
    high = np.degrees((reach + 0.5) * spacing_m(chips) / EARTH_RADIUS_M)
    across = np.abs((x[:, None] - x[kept] + 180) % 360 - 180)
    naive = (across <= (high / np.cos(np.radians(np.abs(y) + high)))[:, None]) & (np.abs(y[:, None] - y[kept]) <= high)
    assert near(chips, kept, reach).tolist() == naive.any(axis=1).tolist()


def test_chips_that_all_lie_at_one_place_are_neighbours():
    chips = Chips(("a", "b", "c"), ("x",) * 3, (None,) * 3, (None,) * 3, None, np.full(3, 9.0), np.full(3, 45.0))
    assert near(chips, np.array([True, False, False]), 1).tolist() == [True, True, True]
    assert Buffer(metres=100.0).reach_chips(chips) == 100


def overlapping(chips):
    """Pairs of rows of chips of two zones that share ground."""
    left, right = shapely.STRtree(chips.footprint).query(chips.footprint)
    shared = shapely.area(shapely.intersection(chips.footprint[left], chips.footprint[right]))
    across = (chips.utm[left, 0] != chips.utm[right, 0]) & (shared > 1e-9)
    return np.column_stack([left, right])[across]


@settings(max_examples=12, deadline=None)
@given(st.integers(-30, 29), st.floats(-78, 82), st.sampled_from([Buffer(1), Buffer(4), Buffer(metres=1.0)]))
def test_chips_of_two_zones_that_overlap_are_neighbours_in_every_buffer(seam, lat, buffer):
    wide = 0.1 / np.cos(np.radians(lat))
    chips = table(((6 * seam - wide + 180) % 360 - 180, lat - 0.3, 6 * seam + wide, lat + 0.3))
    pairs, reach = overlapping(chips), buffer.reach_chips(chips)
    for one, other in pairs:
        assert near(chips, np.arange(len(chips)) == one, reach)[other]
    for scheme in ("bands", "blocks", "random"):
        split = np.array(make_split(chips, SplitRecipe(scheme, 5, {"a0": 0.0}, block_km=20.0, buffer=buffer)))
        unlike = split[pairs[:, 0]] != split[pairs[:, 1]]
        assert (split[pairs[unlike]] == "buffer").any(axis=1).all()


def test_chips_of_two_zones_do_overlap():
    assert len(overlapping(table((5.5, 48.0, 6.5, 48.6)))) > 10


def test_far_from_the_mean_latitude_no_neighbour_is_missed():
    # One area from 55 S to 10 N: degrees of longitude shrink by 40 % along it.
    chips = table((-70.0, -55.0, -69.6, -54.4), (-70.0, 9.0, -69.0, 10.0))
    bare = Chips(chips.ids, ("a",) * len(chips), chips.group, chips.split, None, chips.lon_deg, chips.lat_deg)
    south = np.array([row for row in np.argsort(chips.ids) if chips.lat_deg[row] < 0])
    kept = np.zeros(len(chips), dtype=bool)
    kept[south[len(south) // 2]] = True
    assert near(bare, kept, 2).sum() == near(chips, kept, 2).sum() == 25


def test_touching_areas_are_buffered_against_each_other():
    chips = table((9.0, 45.0, 9.4, 45.4), (9.4, 45.0, 9.8, 45.4), size_m=2000.0)
    names = np.array(make_split(chips, SplitRecipe("bands", 5, {"a0": 0.0, "a1": 1.5})))
    test = names == "test"
    assert set(np.array(chips.area)[test]) == {"a0", "a1"}
    assert not (near(chips, test, 1) & np.isin(names, ["train", "val"])).any()


def test_the_antimeridian_is_no_gap():
    chips = table((179.7, -17.0, -179.7, -16.6))
    kept = chips.lon_deg > 0
    neighbours = near(chips, kept, 1) & ~kept
    assert 0 < neighbours.sum() < (~kept).sum()


def test_without_a_buffer_nothing_is_cut_and_the_input_is_left_alone():
    chips = table((9.0, 45.0, 9.3, 45.3))
    codes = np.arange(len(chips)) % 3
    before = codes.copy()
    assert cut_buffer(chips, codes, Buffer()).tolist() == before.tolist()
    cut_buffer(chips, codes, Buffer(1))
    assert codes.tolist() == before.tolist()


@pytest.mark.parametrize(("metres", "chips_wide"), [(1.0, 1), (4480.0, 1), (4700.0, 2), (8960.0, 2), (20_000.0, 5)])
def test_a_buffer_in_metres_is_at_least_so_wide(metres, chips_wide):
    chips = table((9.0, 45.0, 9.8, 45.5))
    assert Buffer(metres=metres).reach_chips(chips) == chips_wide
    codes = np.where(chips.utm[:, 2] == chips.utm[0, 2] + 3, TEST, 0)
    left = cut_buffer(chips, codes, Buffer(metres=metres)) == 0
    # The scale of the projection: a metre of the lattice is not quite one of the ground.
    assert smallest_gap_m(chips, left, codes == TEST) >= 0.999 * metres - 1
