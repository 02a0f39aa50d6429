"""Who trains, chooses and tests: whole groups, each tested once."""

import numpy as np
from real_chips import DATA_SETS, group_folds, group_split, random_split

from terrashot.domain.tables import Chips


def chips(groups):
    ids = tuple(f"c{number:04d}" for number in range(len(groups)))
    return Chips(ids, ("here",) * len(ids), tuple(groups), (None,) * len(ids))


QUARTERS = chips([f"source{number // 4:02d}" for number in range(80)])


def splits_of(split, group):
    return {name for name, own in zip(split, QUARTERS.group, strict=True) if own == group}


def test_no_group_straddles_a_split_and_each_is_tested_in_one_fold():
    folds = group_folds(QUARTERS, 5)
    for group in set(QUARTERS.group):
        assert all(len(splits_of(split, group)) == 1 for split in folds)
        assert sum(splits_of(split, group) == {"test"} for split in folds) == 1
    assert all(set(split) == {"train", "val", "test"} for split in folds)


def test_every_fold_validates_on_other_groups_a_fifth_of_what_is_not_tested():
    folds = group_folds(QUARTERS, 5)
    assert [split.count("val") for split in folds] == [12] * 5
    val = [{group for name, group in zip(split, QUARTERS.group, strict=True) if name == "val"} for split in folds]
    assert all(one != other for number, one in enumerate(val) for other in val[:number])


def test_one_group_a_fold_leaves_each_place_out_in_turn():
    places = chips([name for name in "abcdefg" for _ in range(3)])
    folds = group_folds(places, 7)
    tested = [{group for name, group in zip(split, places.group, strict=True) if name == "test"} for split in folds]
    assert sorted(map(min, tested)) == list("abcdefg") and all(len(own) == 1 for own in tested)


def test_a_split_by_group_keeps_its_shares_of_groups():
    (split,) = group_split(chips([f"place{number // 16:02d}" for number in range(88 * 16)]))
    assert [split.count(name) // 16 for name in ("train", "val", "test")] == [44, 9, 35]


def test_eurosat_is_split_by_the_rule_that_others_use_too():
    (split,) = random_split(chips([None] * 3000))
    order = np.random.default_rng(1234).permutation(3000)
    for name, rows in zip(("train", "val", "test"), np.split(order, [1800, 2400]), strict=True):
        assert {split[row] for row in rows} == {name}


def test_the_test_country_is_asked_alone():
    assert DATA_SETS["ombria"].area == "france"
