"""Scores of a model beside floors, on tables small enough to know the answer."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from real_bar import compare, meets_bar
from real_chips import group_folds
from real_scores import Draws, Lesson, judge, outcomes
from real_table import as_json, markdown, write_scores

from terrashot.domain.tables import Chips, Labels
from terrashot.durable.parts import NO_PARTS

TEN, THEME = ("eurosat", "class"), ("eurosat", "water")
N = 240


def real(name="worldcover"):
    """Two folds of 60 sources of 4 chips, of which a share of water is known."""
    groups = tuple(f"s{number // 4:02d}" for number in range(N))
    chips = Chips(tuple(f"c{number:03d}" for number in range(N)), ("a",) * N, groups, (None,) * N)
    water = np.random.default_rng(0).random(N)
    folds = tuple(replace(chips, split=split) for split in group_folds(chips, 2))
    views = {"optical": ("s2rgbm",)}
    labels = Labels(chips.ids, {"water": water})
    return SimpleNamespace(name=name, asked=SimpleNamespace(views=views), folds=folds, labels=labels)


def vectors(chips):
    """An embedding that knows the label, a floor that knows something of it, and one of noise."""
    rng, water = np.random.default_rng(1), chips.labels.targets["water"]
    noise = rng.normal(size=(N, 3))
    known = {"embedding": 20 * water, "image_stats": water + 0.5 * noise[:, 0], "together": water + 0.3 * noise[:, 1]}
    made = {name: np.column_stack([column, noise[:, 2]]) for name, column in known.items()} | {"untrained": noise}
    return {name: {"s2rgbm": block.astype(np.float32)} for name, block in made.items()}


@pytest.fixture(scope="module")
def found():
    chips = real()
    return list(outcomes(chips, [vectors(chips)] * 2, Draws((25, 100), 4), NO_PARTS))


def test_sizes_are_cut_where_training_chips_are_fewer(found):
    # 240 chips less 120 that are tested and 24 that validate.
    assert found[0].sizes == (25,)
    assert Draws().within(520).sizes == (10, 25, 50, 100, 250, 500)


def test_folds_are_judged_together_every_chip_tested_once(found):
    assert all(outcome.test.n.sum() == N and set(outcome.test.n) == {4} for outcome in found)
    assert {outcome.features for outcome in found} == {
        "embedding", "untrained", "image_stats", "together", "majority", "embedding+image_stats",
    }  # fmt: skip
    for outcome in found:
        assert outcome.test.correct.shape == (2, 1, 4, 60)
        assert (outcome.test.correct <= outcome.test.n).all()


def test_judging_adds_up_the_hits_of_each_group():
    folds = real().folds
    lessons = [Lesson(fold, np.zeros(N, dtype=np.int64), ()) for fold in folds]
    # A hit wherever the chip's number is even: two of each group's four.
    hits = [(lesson.rows_in("val", "test") % 2 == 0)[None, None, None, :] for lesson in lessons]
    for split in ("val", "test"):
        judged = judge(lessons, hits, split)
        assert judged.n.min() == 4 and np.array_equal(judged.correct[0, 0, 0] * 2, judged.n)
        assert judged.accuracy[0, 0, 0] == 0.5


def test_the_better_embedding_is_seen_with_an_interval_above_zero(found):
    (row,) = compare(found, "test")
    assert row.embedding.score > 0.9 > row.over_highest.floor.score > 0.5
    assert row.over_highest.floor.features == "image_stats", "the highest single floor"
    assert row.over_highest.low > 0 and row.over_highest.meets_bar is None, "no bar at 25 labels"
    assert row.over_together.floor.features == "together"
    assert row.over_highest.estimate == pytest.approx(row.embedding.score - row.over_highest.floor.score)


def test_an_embedding_as_good_as_the_floor_gains_nothing(found):
    (own,) = (one for one in found if one.features == "embedding")
    same = [one for one in found if one.features != "image_stats"] + [replace(own, features="image_stats")]
    (row,) = compare(same, "test")
    assert row.over_highest.estimate == 0 and row.over_highest.low == row.over_highest.high == 0


def test_kept_fits_are_taken_and_other_vectors_are_fitted_anew():
    class Kept(dict):
        where = "memory"

        def put(self, key, content):
            self[key] = content

    chips, kept = real(), Kept()
    first = list(outcomes(chips, [vectors(chips)] * 2, Draws((25,), 2), kept))
    count = len(kept)
    again = list(outcomes(chips, [vectors(chips)] * 2, Draws((25,), 2), kept))
    assert len(kept) == count == 6 * 2
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.test.correct, other.test.correct) and np.array_equal(one.val.n, other.val.n)
    other = vectors(chips)
    other["embedding"]["s2rgbm"] = other["embedding"]["s2rgbm"] + 1
    list(outcomes(chips, [other] * 2, Draws((25,), 2), kept))
    assert len(kept) == count + 2 * 2, "the embedding, and the embedding with statistics, of two folds"


@pytest.mark.parametrize(
    ("task", "labels", "floor", "gain", "low", "wanted"),
    [
        (TEN, 100, 0.6, 0.12, 0.09, True), (TEN, 250, 0.6, 0.08, 0.05, False), (TEN, 100, 0.6, 0.12, None, False),
        (THEME, 250, 0.9, 0.02, 0.001, True), (THEME, 100, 0.9, 0.02, -0.001, False), (THEME, 50, 0.9, 0.2, 0.1, None),
        (THEME, 100, 0.96, -0.004, -0.02, True), (THEME, 100, 0.96, -0.006, -0.02, False),
        (("sen1floods", "water"), 100, 0.9, 0.02, 0.01, None),
    ],
)  # fmt: skip
def test_the_bar_is_as_the_measure_says(task, labels, floor, gain, low, wanted):
    assert meets_bar(task, labels, floor=floor, gain=gain, low=low) is wanted


def test_rows_of_validation_tell_nothing_of_test_chips(found, tmp_path):
    write_scores(tmp_path / "scores.csv", found, "val")
    with (tmp_path / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found) * 2
    assert all(row["accuracy"] == row["val_accuracy"] for row in rows)


def test_the_last_line_is_what_other_programs_read():
    chips = real()
    few = [replace(one, sizes=(100,)) for one in outcomes(chips, [vectors(chips)] * 2, Draws((25,), 3), NO_PARTS)]
    compared = compare(few, "test")
    line = json.loads(as_json(few, compared, "test"))
    assert line["name"] == "real_labels" and line["better"] == "higher" and line["repeats"] == 3
    assert line["low"] <= line["ratio"] <= line["high"] and line["ratio"] > 1
    assert line["bars"] == line["bars_met"] == 1
    table = markdown(compared).splitlines()
    assert len(table) == 3 and len({row.count("|") for row in table}) == 1 and "| met |" in table[2]
