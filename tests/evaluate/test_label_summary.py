"""What is said of labels before anything is learnt: shares by split, and whether neighbours agree more than by chance."""

import numpy as np
import pytest

from terrashot.domain.label_summary import ALL, summary_sentences
from terrashot.domain.tables import Chips, Labels
from terrashot.domain.tasks import TaskRule
from terrashot.evaluate.answers.label_summary import summarize_labels

SIDE = 30
ROW, COL = np.divmod(np.arange(SIDE * SIDE), SIDE)
CHIPS = Chips(
    tuple(f"c{number:03d}" for number in range(SIDE * SIDE)), ("a",) * SIDE**2, (None,) * SIDE**2,
    tuple(("train", "train", "test", "val")[number % 4] for number in range(SIDE * SIDE)),
    lon_deg=COL / 100, lat_deg=ROW / 100,
)  # fmt: skip


def of(values, rule=TaskRule(), valid=None):
    fractions = {} if valid is None else {"t": valid}
    rows = summarize_labels(CHIPS, Labels(CHIPS.ids, {"t": values}, fractions), {"t": rule}, seed=0)
    return {row.split: row for row in rows}, " ".join(summary_sentences(rows))


def test_neighbours_agree_as_chance_says_where_labels_lie_at_random():
    values = (np.random.default_rng(0).random(SIDE**2) < 0.3).astype(float)
    whole = of(values)[0][ALL]
    assert whole.agree_by_chance == pytest.approx(values.mean() ** 2 + (1 - values.mean()) ** 2)
    assert whole.neighbours_agree == pytest.approx(whole.agree_by_chance, abs=0.04) and abs(whole.moran) < 0.1


def test_in_patches_they_agree_more_and_on_a_chequerboard_never():
    patches = of(((ROW // 10 + COL // 10) % 2).astype(float))[0][ALL]
    # Of 870 pairs along each axis 60 lie across a side of a patch.
    assert patches.neighbours_agree == pytest.approx(1 - 60 / 870) and patches.agree_by_chance == pytest.approx(41 / 81)
    assert of(((ROW + COL) % 2).astype(float))[0][ALL].neighbours_agree == 0


def test_shares_known_labels_and_valid_ground_are_those_of_each_split():
    values, valid = (np.arange(SIDE**2) % 4 == 2).astype(float), np.linspace(0, 1, SIDE**2)
    values[0] = values[1] = 1
    values[5] = np.nan
    rows, said = of(values, TaskRule("present"), valid)
    assert rows["test"].positive_share == 1 and rows["val"].positive_share == 0
    assert (rows["train"].n_chips, rows["train"].n_known) == (450, 449)
    assert rows["train"].positive_share == pytest.approx(2 / 449)
    assert rows[ALL].valid_fraction == pytest.approx(0.5) and rows[ALL].cut == 0
    assert "test 100.0 % of 225" in said and "one-sided" not in said


def test_a_target_that_hardly_any_chip_has_is_called_one_sided():
    values = np.where(np.arange(SIDE**2) % 40 == 0, 0.1, 0.0)
    assert "one-sided: read balanced accuracy" in of(values)[1]


def test_a_label_that_is_all_alike_is_told_and_stops_nothing():
    rows, said = of(np.full(SIDE**2, 0.25))
    assert rows[ALL].n_known == SIDE**2 and rows[ALL].n_classes is None and "900 of 900" in said
