"""A split keeps its promises: shares, a buffer around test, whole groups, and no say of the order."""

from collections import Counter
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.buffer import Buffer, near
from terrashot.domain.split import Scheme, SplitRecipe, band_pattern, choose_scheme, make_split
from terrashot.domain.split_check import broken_promise, check_split
from terrashot.domain.tables import SPLIT_NAMES, Chips
from terrashot.errors import InputError

SCHEMES = get_args(Scheme)


def lattice(rows=30, cols=30, *, group=None, split=None, lon=9.0):
    row, col = (axis.ravel() for axis in np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij"))
    n = rows * cols
    ids = tuple(f"r{r:02d}c{c:02d}" for r, c in zip(row, col, strict=True))
    return Chips(
        ids, ("a",) * n, group or (None,) * n, split or (None,) * n,
        lon_deg=lon + col * 0.0081, lat_deg=45.0 - row * 0.00575,
    )  # fmt: skip


def steps_to_nearest(chips, names, of, to):
    """Chebyshev distance, in chips, from each chip of split `of` to the nearest of split `to`; naive."""
    places = np.array([(int(i[1:3]), int(i[4:6])) for i in chips.ids])
    names = np.array(names)
    return np.abs(places[names == of][:, None] - places[names == to][None]).max(-1).min(1)


@settings(max_examples=15)
@given(st.floats(-1.5, 1.5), st.integers(0, 2), st.integers(5, 9))
def test_no_training_chip_lies_within_the_buffer_of_a_test_or_validation_chip(angle, buffer, bands):
    chips = lattice()
    names = make_split(chips, SplitRecipe("bands", bands, {"a": angle}, buffer=Buffer(chips=buffer)))
    for of, to in (("train", "test"), ("val", "test"), ("train", "val")):
        if of in names and to in names:
            assert steps_to_nearest(chips, names, of, to).min() > buffer


@settings(max_examples=15)
@given(st.floats(-1.5, 1.5), st.integers(1, 3))
def test_the_buffer_takes_nothing_from_the_test_set(angle, buffer):
    chips = lattice()
    plain = make_split(chips, SplitRecipe("bands", 10, {"a": angle}, buffer=Buffer(chips=0)))
    buffered = make_split(chips, SplitRecipe("bands", 10, {"a": angle}, buffer=Buffer(chips=buffer)))
    assert [name == "test" for name in plain] == [name == "test" for name in buffered]
    assert all(after in (before, "buffer") for before, after in zip(plain, buffered, strict=True))


def two_areas(*, on_grid=True, groups=False, places=True):
    """Two areas that touch, of some 40 chips each, in a table whose split is that of rows by turns."""
    boxes = {"west": (9.0, 45.0, 9.4, 45.2), "east": (9.4, 45.0, 9.8, 45.2)}
    chips, _ = chips_of_areas([Area(name, box_outline(*box)) for name, box in boxes.items()], 4480.0)
    n = len(chips)
    turns = tuple(("train", "test", "train", "val")[row % 4] for row in range(n))
    chips = replace(chips, split=turns, group=tuple(f"g{row // 3}" if groups else None for row in range(n)))
    if not on_grid:
        chips = replace(chips, utm=None, ids=tuple(f"c{row:03d}" for row in range(n)))
    return chips if places else replace(chips, utm=None, footprint=None, lon_deg=None, lat_deg=None)


buffers = st.sampled_from([None, Buffer(), Buffer(1), Buffer(2), Buffer(metres=5000.0)])


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(SCHEMES), st.booleans(), st.booleans(), buffers)
def test_the_order_of_the_chips_changes_nothing(data, scheme, on_grid, groups, buffer):
    chips = two_areas(on_grid=on_grid, groups=groups)
    shuffled = data.draw(st.permutations(range(len(chips))))
    recipe = SplitRecipe(scheme, 6, block_km=9.0, area="east", buffer=buffer)
    names = make_split(chips, recipe)
    assert [names[i] for i in shuffled] == list(make_split(chips.take(shuffled), recipe))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SCHEMES),
    st.booleans(),
    st.booleans(),
    st.sampled_from([Buffer(1), Buffer(2), Buffer(metres=5000.0)]),
)
def test_a_buffer_that_is_asked_for_is_cut_in_every_scheme_and_its_promise_holds(scheme, on_grid, groups, buffer):
    chips = two_areas(on_grid=on_grid, groups=groups)
    recipe = SplitRecipe(scheme, 6, block_km=9.0, area="east", buffer=buffer)
    plain, cut = make_split(chips, replace(recipe, buffer=Buffer())), make_split(chips, recipe)
    assert "buffer" not in plain and "buffer" in cut
    assert [name == "test" for name in plain] == [name == "test" for name in cut], "test is never cut"
    assert all(after in (before, "buffer") for before, after in zip(plain, cut, strict=True))
    check = check_split(chips, cut)
    assert check is None or broken_promise(chips, check, buffer) is None
    if "val" in cut and "train" in cut:
        is_val = np.array([name == "val" for name in cut])
        assert "train" not in np.array(cut)[near(chips, is_val, buffer.reach_chips(chips))]


@pytest.mark.parametrize("scheme", ["groups", "random", "given"])
def test_schemes_that_do_not_part_places_have_no_buffer_unless_it_is_asked_for(scheme):
    assert "buffer" not in make_split(two_areas(), SplitRecipe(scheme))


@pytest.mark.parametrize("scheme", ["groups", "random", "given", "leave_area_out"])
@pytest.mark.parametrize("buffer", [Buffer(1), Buffer(metres=1.0)])
def test_a_buffer_for_chips_without_a_place_is_refused_with_what_to_do(scheme, buffer):
    chips = two_areas(places=False)
    with pytest.raises(InputError, match="needs the place of every chip; give lon and lat, or leave out"):
        make_split(chips, SplitRecipe(scheme, area="east", buffer=buffer))
    assert "train" in make_split(chips, SplitRecipe(scheme, area="east", buffer=Buffer()))


@pytest.mark.parametrize("shares", [(0.6, 0.2, 0.2), (0.5, 0.25, 0.25)])
@pytest.mark.parametrize("how", [{}, {"groups": True}, {"places": False}, {"places": False, "groups": True}])
def test_the_area_left_out_tests_whole_and_the_others_train_and_validate_by_their_shares(how, shares):
    chips = two_areas(**how)
    names = np.array(make_split(chips, SplitRecipe("leave_area_out", 8, area="east", shares=shares, buffer=Buffer())))
    is_east = np.array([area == "east" for area in chips.area])
    assert set(names[is_east]) == {"test"} and set(names[~is_east]) == {"train", "val"}
    assert (names[~is_east] == "val").mean() == pytest.approx(shares[1] / (shares[0] + shares[1]), abs=0.13)
    if how.get("groups"):
        pairs = set(zip(np.array(chips.group)[~is_east], names[~is_east], strict=True))
        assert len(pairs) == len({group for group, _ in pairs}), "a group straddles train and val"


def test_beside_the_area_left_out_a_strip_of_one_chip_is_cut_where_nothing_else_is_said():
    chips = two_areas()
    names = np.array(make_split(chips, SplitRecipe("leave_area_out", 8, area="east")))
    assert set(names[near(chips, names == "test", 1) & (names != "test")]) == {"buffer"}
    assert "buffer" not in make_split(two_areas(places=False), SplitRecipe("leave_area_out", area="east"))


@pytest.mark.parametrize("area", ["south", None])
def test_an_area_to_leave_out_that_is_not_there_is_refused_and_so_is_the_only_one(area):
    with pytest.raises(InputError, match="must be one of two areas or more; the chips are of west, east"):
        make_split(two_areas(), SplitRecipe("leave_area_out", area=area))
    with pytest.raises(InputError, match=r"the chips are of a$"):
        make_split(lattice(2, 2), SplitRecipe("leave_area_out", area="a"))


def test_bands_without_a_buffer_hold_the_shares():
    counts = Counter(make_split(lattice(60, 60), SplitRecipe("bands", 60, {"a": 0.0}, buffer=Buffer(chips=0))))
    assert [counts[name] / 3600 for name in ("train", "val", "test")] == pytest.approx([0.6, 0.2, 0.2], abs=0.02)


def test_sixty_twenty_twenty_is_the_authors_pattern():
    assert [SPLIT_NAMES[code] for code in band_pattern((0.6, 0.2, 0.2))] == ["train", "train", "train", "test", "val"]


def test_one_fold_of_blocks_tests_the_next_validates_and_every_chip_tests_once():
    chips = lattice(60, 60)
    plain = [SplitRecipe("blocks", block_km=6.0, folds=4, fold=fold, buffer=Buffer()) for fold in range(4)]
    names = np.array([make_split(chips, recipe) for recipe in plain])
    assert ((names == "test").sum(axis=0) == 1).all() and ((names == "val").sum(axis=0) == 1).all()
    assert (names[1:] == "test").tolist() == (names[:-1] == "val").tolist()
    shares = [(names[0] == name).mean() for name in ("train", "val", "test")]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.06)


def test_a_buffer_keeps_blocks_apart():
    chips = lattice(60, 60)
    names = make_split(chips, SplitRecipe("blocks", block_km=12.0, buffer=Buffer(chips=3)))
    for of, to in (("train", "test"), ("val", "test"), ("train", "val")):
        assert steps_to_nearest(chips, names, of, to).min() > 3


def test_blocks_need_a_place():
    with pytest.raises(InputError, match="'blocks' needs the place"):
        make_split(Chips(("a", "b"), ("x",) * 2, (None,) * 2, (None,) * 2), SplitRecipe("blocks"))


def test_a_group_never_straddles_a_split_and_shares_are_met():
    group = tuple(f"g{i % 37}" for i in range(900))
    names = make_split(lattice(group=group), SplitRecipe("groups"))
    assert all(len({n for n, g in zip(names, group, strict=True) if g == one}) == 1 for one in set(group))
    assert Counter(names)["train"] / 900 == pytest.approx(0.6, abs=0.02)


def test_groups_of_uneven_size_come_as_near_to_the_shares_as_random_deals_can():
    group = tuple("big" if i < 180 else "half" if i < 450 else f"g{i % 9}" for i in range(900))
    counts = Counter(make_split(lattice(group=group), SplitRecipe("groups")))
    assert [counts[name] / 900 for name in ("train", "val", "test")] == pytest.approx([0.6, 0.2, 0.2], abs=0.05)


def test_random_shares_are_met_to_the_chip_and_another_seed_draws_others():
    names = make_split(lattice(10, 10), SplitRecipe("random"))
    assert Counter(names) == {"train": 60, "val": 20, "test": 20}
    assert names != make_split(lattice(10, 10), SplitRecipe("random", seed=1))


def test_three_groups_fill_three_splits():
    names = make_split(lattice(3, 1, group=("x", "y", "z")), SplitRecipe("groups"))
    assert sorted(names) == ["test", "train", "val"]


def test_a_given_split_is_taken_as_it_is_and_an_unknown_name_is_refused():
    given_names = ("train", "val", "test", "buffer")
    assert make_split(lattice(2, 2, split=given_names), SplitRecipe("given")) == given_names
    with pytest.raises(InputError, match="chip 'r00c01': split 'dev' is none of train, val, test, buffer"):
        make_split(lattice(2, 2, split=("train", "dev", "test", "val")), SplitRecipe("given"))


def test_bands_need_places():
    with pytest.raises(InputError, match="needs the place of every chip"):
        make_split(Chips(("a", "b"), ("x",) * 2, (None,) * 2, (None,) * 2), SplitRecipe("bands"))


def test_a_table_that_states_no_split_gets_the_best_scheme_it_allows():
    assert choose_scheme(lattice(1, 2, split=("train", "test")))[0] == "given"
    assert choose_scheme(lattice(1, 2, group=("g", None)))[0] == "groups"
    assert choose_scheme(lattice(1, 2))[0] == "bands"
    assert choose_scheme(Chips(("a",), ("x",), (None,), (None,)))[0] == "random"


def test_bands_run_across_the_antimeridian_without_a_jump():
    here, there = lattice(lon=9.0), lattice(lon=179.9)
    moved = Chips(
        there.ids, there.area, there.group, there.split, None, (there.lon_deg + 180) % 360 - 180, there.lat_deg
    )
    recipe = SplitRecipe("bands", 10)
    assert make_split(here, recipe) == make_split(moved, recipe)
