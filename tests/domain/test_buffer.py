"""No chip of a weaker split is left within the buffer of a stronger one: on the lattice, across zones, across areas."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.buffer import TEST, Buffer, cut_buffer, near
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


def test_far_from_the_mean_latitude_no_neighbour_is_missed():
    # One area from 55 S to 10 N: degrees of longitude shrink by 40 % along it.
    chips = table((-70.0, -55.0, -69.6, -54.4), (-70.0, 9.0, -69.0, 10.0))
    bare = Chips(chips.ids, ("a",) * len(chips), chips.group, chips.split, None, chips.lon_deg, chips.lat_deg)
    south = np.flatnonzero(chips.lat_deg < 0)
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
