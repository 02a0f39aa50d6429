"""The documented case: of a target that 3 % of the chips have, the balanced task keeps all of the rare class and as many others."""

import numpy as np
import pytest

from terrashot.domain.tasks import TaskRule
from terrashot.errors import InputError
from terrashot.evaluate.protocol.balance import balanced
from terrashot.evaluate.protocol.target import make_target

N = 2000
IDS = [f"c{number:04d}" for number in range(N)]
PARTS = [np.arange(0, N, 2), np.arange(1, N, 4), np.arange(3, N, 4)]
"""Rows of the training, validation and test chips."""


def rare(ids=IDS, share=0.03):
    """Mostly 0: without any built-up ground; the others have a little."""
    values = np.random.default_rng(0).random(N)
    values = np.where(values < share, 1e-3 + values, 0.0)
    by_id = dict(zip(IDS, values, strict=True))
    own = np.array([by_id[one] for one in ids])
    return make_target("builtup", own, np.isin(np.arange(N), PARTS[0]), TaskRule("present"))


def test_each_part_keeps_all_of_the_rare_class_and_as_many_of_the_other():
    plain = rare()
    kept = balanced(plain, PARTS, IDS, (0, "builtup", "a"))
    for rows in PARTS:
        assert np.array_equal(kept.y[rows] == 1, plain.y[rows] == 1)
        assert (kept.y[rows] == 0).sum() == (plain.y[rows] == 1).sum() > 0
    assert 0.02 < (plain.y == 1).mean() < 0.04 and (kept.y[kept.known] == plain.y[kept.known]).all()


def test_who_is_drawn_hangs_on_the_seed_and_the_ids_and_not_on_the_order_of_the_rows():
    ids = list(IDS)
    kept = [balanced(rare(), PARTS, IDS, (seed, "builtup", "a")).y for seed in (0, 0, 1)]
    assert np.array_equal(kept[0], kept[1]) and not np.array_equal(kept[0], kept[2])
    for rows in PARTS:
        for row, other in zip(rows, rows[::-1], strict=True):
            ids[row] = IDS[other]
    turned = balanced(rare(ids), PARTS, ids, (0, "builtup", "a")).y
    assert dict(zip(ids, turned, strict=True)) == dict(zip(IDS, kept[0], strict=True))


def test_a_cut_nearest_to_balance_is_that_between_none_and_any_where_most_have_none():
    values = np.where(np.arange(N) % 33 == 0, 0.2, 0.0) + (np.arange(N) % 66 == 0) * 0.1
    target = make_target("builtup", values, np.ones(N, bool), TaskRule())
    assert target.threshold == 0 and (target.y == 1).sum() == (values > 0).sum()


def test_test_chips_without_one_class_cannot_be_balanced_and_that_is_said():
    plain = rare()
    plain.y[PARTS[2]] = 0
    with pytest.raises(InputError, match="test chips have none of 'above 0'"):
        balanced(plain, PARTS, IDS, (0, "builtup", "a"))
