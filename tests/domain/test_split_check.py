"""The check of a split measures what a loop over all pairs of footprints measures."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
import shapely.affinity

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.buffer import Buffer
from terrashot.domain.grid import to_metres
from terrashot.domain.split import SplitRecipe, make_split
from terrashot.domain.split_check import SplitCheck, broken_promise, check_split
from terrashot.domain.tables import Chips

ONE_ZONE, SEAM, FIJI = (9.0, 45.0, 9.8, 45.4), (11.7, 45.0, 12.3, 45.3), (179.8, -17.0, -179.8, -16.8)


def table(*box, size_m=4480.0):
    return chips_of_areas([Area("a", box_outline(*box))], size_m)[0]


def off_grid(chips):
    return replace(chips, utm=None, ids=tuple(f"c{row:04d}" for row in range(len(chips))))


def naive(chips, split):
    """Smallest gap and number of test chips that share ground, in the metres of one zone, pair by pair."""
    epsg = 32632 if chips.lon_deg[0] < 100 else 32701
    unrolled = shapely.transform(
        chips.footprint, lambda p: np.column_stack([p[:, 0] % 360 if epsg == 32701 else p[:, 0], p[:, 1]])
    )
    flat = shapely.transform(unrolled, lambda p: np.column_stack(to_metres(epsg).transform(*p.T)))
    flat = shapely.buffer(flat, 0)
    names = np.array(split)
    test, train = flat[names == "test"], flat[names == "train"]
    gaps = [min(shapely.distance(one, train)) for one in test]
    shared = [max(shapely.area(shapely.intersection(one, train))) for one in test]
    return min(gaps), sum(area > 100 for area in shared)


@pytest.mark.parametrize("buffer", [0, 1, 3])
def test_on_the_lattice_the_gap_is_that_of_the_footprints(buffer):
    chips = table(*ONE_ZONE)
    split = make_split(chips, SplitRecipe("bands", 6, {"a": 0.3}, buffer=Buffer(buffer)))
    check = check_split(chips, split)
    gap, _ = naive(chips, split)
    assert check.smallest_gap_m == pytest.approx(gap, abs=2) == pytest.approx(buffer * 4480, rel=2e-3)
    assert check.n_sharing == 0
    assert [check.share_within[reach] > 0 for reach in (1, 2, 5)] == [buffer < 1, buffer < 2, buffer < 5]


def test_at_a_corner_the_gap_is_its_diagonal():
    chips = table(*ONE_ZONE)
    row, col = (chips.utm[:, 1:] - chips.utm[:, 1:].min(axis=0)).T
    split = tuple(np.select([(row == 0) & (col == 0), (row == 4) & (col == 3)], ["test", "train"], "buffer").tolist())
    assert check_split(chips, split).smallest_gap_m == pytest.approx(4480 * 13**0.5)


@pytest.mark.parametrize(("box", "size_m"), [((11.96, 45.0, 12.04, 45.15), 640.0), (FIJI, 4480.0)])
@pytest.mark.parametrize("is_on_grid", [True, False])
def test_across_zones_the_antimeridian_and_off_the_grid_it_is_that_too(box, size_m, is_on_grid):
    chips = table(*box, size_m=size_m)
    chips = chips if is_on_grid else off_grid(chips)
    split = make_split(chips, SplitRecipe("random", shares=(0.5, 0.1, 0.4)))
    check, (gap, n_sharing) = check_split(chips, split), naive(chips, split)
    assert check.smallest_gap_m == pytest.approx(gap, abs=5)
    assert check.n_sharing == pytest.approx(n_sharing, abs=1) and (box == FIJI or n_sharing > 0)
    assert "share pixels" in check.sentence() or not check.n_sharing


def test_chips_of_far_areas_have_no_gap_to_speak_of():
    chips = chips_of_areas(
        [Area("a", box_outline(9.0, 45.0, 9.1, 45.1)), Area("b", box_outline(30.0, 10.0, 30.1, 10.1))], 4480.0
    )[0]
    split = tuple("test" if name == "a" else "train" for name in chips.area)
    check = check_split(chips, split)
    assert (
        check.smallest_gap_m == np.inf and "far apart" in check.sentence() and set(check.share_within.values()) == {0.0}
    )


@pytest.mark.parametrize("buffer", [0, 2])
def test_where_outlines_are_not_known_the_gap_is_that_of_squares_around_the_centres(buffer):
    chips = table(*ONE_ZONE)
    bare = replace(off_grid(chips), footprint=None)
    split = make_split(bare, SplitRecipe("bands", 6, {"a": 0.3}, buffer=Buffer(buffer)))
    check = check_split(bare, split)
    assert check.smallest_gap_m == pytest.approx(naive(chips, split)[0], rel=0.03, abs=100)
    assert check.n_sharing is None and "chips have no outline" in check.sentence()
    assert broken_promise(bare, check, Buffer(buffer)) is None
    assert broken_promise(bare, check, Buffer(buffer + 1)) is not None


def test_a_buffer_around_chips_that_overlap_is_as_wide_as_their_outlines():
    chips = table(*ONE_ZONE)
    wide = np.array([shapely.affinity.scale(one, 2.5, 2.5) for one in chips.footprint])
    loose = replace(off_grid(chips), footprint=wide)
    split = make_split(loose, SplitRecipe("random", shares=(0.9, 0.05, 0.05), buffer=Buffer(1)))
    assert {"train", "test"} <= set(split)
    assert broken_promise(loose, check_split(loose, split), Buffer(1)) is None
    assert check_split(loose, split).n_sharing == 0


def test_without_places_or_without_a_side_there_is_nothing_to_check():
    bare = Chips(("a", "b"), ("x",) * 2, (None,) * 2, (None,) * 2)
    assert check_split(bare, ("train", "test")) is None
    chips = table(*ONE_ZONE)
    assert check_split(chips, ("train",) * len(chips)) is None


@pytest.mark.parametrize("scheme", ["bands", "blocks", "random"])
@pytest.mark.parametrize("box", [ONE_ZONE, SEAM])
def test_our_own_splits_hold_what_they_promise_and_a_broken_one_is_found(scheme, box):
    chips, buffer = table(*box), Buffer(1)
    split = make_split(chips, SplitRecipe(scheme, 6, block_km=15.0, buffer=buffer))
    check = check_split(chips, split)
    assert broken_promise(chips, check, buffer) is None
    unbuffered = make_split(chips, SplitRecipe(scheme, 6, block_km=15.0, buffer=Buffer()))
    assert "lies 0.00 km from a test chip" in broken_promise(chips, check_split(chips, unbuffered), buffer)
    assert broken_promise(chips, SplitCheck(0.0, {}, 0), Buffer()) is None
