"""Leakage and transfer change who is learnt from, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from terrashot.domain.tables import Chips, Labels
from terrashot.errors import InputError
from terrashot.evaluate.protocol.comparison import DrawSettings, compare_areas, labelled_chips
from terrashot.evaluate.protocol.leakage import leakage_comparisons
from terrashot.evaluate.protocol.transfer import transfer_comparisons

SETTINGS = DrawSettings(repeats=3)
SIDE = 40


def lattice(areas=("a", "b"), *, places=True, groups=False):
    """Two areas of 40 x 40 chips in bands of 4 rows: train, train, buffer, test, val by turns."""
    rows = np.arange(SIDE * SIDE * len(areas))
    row, column, area = rows % SIDE, rows // SIDE % SIDE, rows // SIDE**2
    band = ("train", "train", "buffer", "test", "val")
    chips = Chips(
        tuple(f"c{n:05d}" for n in rows), tuple(areas[n] for n in area),
        tuple(f"g{n // 16}" if groups else None for n in rows), tuple(band[n // 4 % 5] for n in row),
        lon_deg=column / 10 + 10.0 * area if places else None, lat_deg=row / 10 if places else None,
    )  # fmt: skip
    share = np.sin(column / 5) + 0.3 * np.random.default_rng(0).random(len(rows)) + area
    return labelled_chips(chips, Labels(chips.ids, {"share": share}), np.ones(len(chips), bool))


def split_of(labelled, rows):
    place = {row: number for number, row in enumerate(labelled.rows)}
    return [labelled.chips.split[place[row]] for row in rows], [labelled.chips.area[place[row]] for row in rows]


def test_every_scheme_judges_the_same_test_chips_at_the_same_numbers_of_labels():
    labelled = lattice()
    for one in leakage_comparisons(labelled, SETTINGS, "bands"):
        splits, areas = split_of(labelled, one.judge)
        assert set(splits) == {"test"}
        assert set(areas) == {one.area}
        assert {task.scheme for task in one.tasks} == {"random", "bands", "bands_adjoining", "leave_area_out"}
        assert len({tuple((d.asked, d.repeat, len(d.rows)) for d in task.draws) for task in one.tasks}) == 1
        assert len({tuple(task.member) for task in one.tasks}) == 1


def test_each_scheme_draws_from_where_it_says_and_never_a_judged_chip():
    labelled = lattice()
    one = leakage_comparisons(labelled, SETTINGS, "bands")[0]
    allowed = {
        "random": {"train", "val", "test", "buffer"}, "bands": {"train"}, "bands_adjoining": {"train", "buffer"}, "leave_area_out": {"train"},
    }  # fmt: skip
    for task in one.tasks:
        drawn = one.learn[np.unique(np.concatenate([draw.rows for draw in task.draws]))]
        splits, areas = split_of(labelled, drawn)
        assert set(splits) == allowed[task.scheme]
        assert set(areas) == ({"b"} if task.scheme == "leave_area_out" else {"a"})
        assert not set(drawn) & set(one.judge)


@pytest.mark.parametrize("scheme", ["random", "bands"])
def test_chips_without_place_or_group_have_no_leakage_to_measure(scheme):
    labelled = lattice(places=False)
    assert leakage_comparisons(labelled, SETTINGS, scheme) == []


def test_groups_set_chips_apart_without_a_place():
    found = leakage_comparisons(lattice(places=False, groups=True), SETTINGS, "groups")
    assert {task.scheme for task in found[0].tasks} >= {"random", "groups", "leave_area_out"}


def test_transfer_asks_the_question_of_the_test_area():
    labelled = lattice()
    first, second = transfer_comparisons(labelled, SETTINGS, "bands")
    assert {task.train_area for task in first.tasks} == {"a", "b", "b+a"}
    assert first.tasks[0].learn.threshold != second.tasks[0].learn.threshold
    for task in first.tasks:
        assert task.learn.threshold == first.tasks[0].learn.threshold


def test_foreign_labels_stay_the_same_while_local_ones_are_added():
    labelled = lattice()
    both = next(task for task in transfer_comparisons(labelled, SETTINGS, "bands")[0].tasks if task.train_area == "b+a")
    sizes = {(draw.asked, len(draw.rows)) for draw in both.draws}
    assert sizes == {(10, 260), (100, 350), (250, 500)}
    small, large = (next(d for d in both.draws if (d.asked, d.repeat) == (n, 1)) for n in (10, 100))
    assert set(small.rows) < set(large.rows)


def with_b_left_out():
    """Area b tests whole; a trains and validates in bands of rows, its test chips in the buffer."""
    labelled = lattice()
    names = zip(labelled.chips.area, labelled.chips.split, strict=True)
    split = tuple("test" if area == "b" else {"test": "buffer"}.get(name, name) for area, name in names)
    labels = Labels(labelled.chips.ids, dict(labelled.targets))
    return labelled_chips(replace(labelled.chips, split=split), labels, np.ones(len(split), bool))


@pytest.mark.parametrize("pooled", [False, True])
def test_of_an_area_left_out_labels_are_drawn_from_the_others_and_it_alone_is_judged(pooled):
    labelled = with_b_left_out()
    (one,) = compare_areas(labelled, replace(SETTINGS, pooled=pooled), "leave_area_out")
    assert one.area == "b" and {(task.train_area, task.scheme) for task in one.tasks} == {("others", "leave_area_out")}
    for rows, wanted in ((one.learn, ("train", "a")), (one.choose, ("val", "a")), (one.judge, ("test", "b"))):
        splits, areas = split_of(labelled, rows)
        assert set(zip(splits, areas, strict=True)) == {wanted}
    assert len(one.judge) == SIDE**2 and len(one.tasks[0].pool) == len(one.learn)
    assert any("area 'b' is left out" in note for note in labelled.notes)


def test_the_cut_of_an_area_left_out_is_that_of_the_others_and_moves_with_no_label_of_its_own():
    labelled = with_b_left_out()
    cut = compare_areas(labelled, SETTINGS, "leave_area_out")[0].tasks[0].learn.threshold
    is_b = np.array([area == "b" for area in labelled.chips.area])
    moved = replace(labelled, targets={"share": np.where(is_b, 7.0, labelled.targets["share"])})
    assert compare_areas(moved, SETTINGS, "leave_area_out")[0].tasks[0].learn.threshold == cut
    assert transfer_comparisons(moved, SETTINGS, "leave_area_out")[0].tasks[0].learn.threshold == cut


def test_leakage_into_an_area_left_out_is_beside_labels_from_between_its_test_chips():
    labelled = with_b_left_out()
    (one,) = leakage_comparisons(labelled, SETTINGS, "leave_area_out")
    assert {(task.train_area, task.scheme) for task in one.tasks} == {("b", "random"), ("others", "leave_area_out")}
    for task in one.tasks:
        drawn = one.learn[np.unique(np.concatenate([draw.rows for draw in task.draws]))]
        assert set(split_of(labelled, drawn)[1]) == {"a" if task.train_area == "others" else "b"}
        assert not set(drawn) & set(one.judge)


def test_each_other_area_teaches_the_one_left_out_alone_in_the_transfer():
    (one,) = transfer_comparisons(with_b_left_out(), SETTINGS, "leave_area_out")
    assert one.area == "b" and {task.train_area for task in one.tasks} == {"a"}


def test_labels_that_are_merely_missing_leave_no_area_out():
    labelled = lattice()
    names = zip(labelled.chips.area, labelled.chips.split, labelled.targets["share"], strict=True)
    labels = {"share": np.array([np.nan if (area, split) == ("b", "train") else one for area, split, one in names])}
    found = labelled_chips(labelled.chips, Labels(labelled.chips.ids, labels), np.ones(len(labelled.chips), bool))
    with pytest.raises(InputError, match="area 'b'"):
        compare_areas(found, SETTINGS, "bands")


def test_a_single_area_has_no_transfer():
    assert transfer_comparisons(lattice(("a",)), SETTINGS, "bands") == []
