"""What the curves say agrees with the fits they came from, and with an Earth whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from terrashot.domain.results import summarize
from terrashot.domain.tables import Chips, Labels
from terrashot.evaluate.answers.answers import make_answers
from terrashot.evaluate.protocol.comparison import DrawSettings
from terrashot.evaluate.protocol.feature_sets import FeatureSet
from terrashot.evaluate.protocol.fewshot import FewshotSettings, run_fewshot
from terrashot.evaluate.protocol.fitting import FitSettings, Workshop
from terrashot.steps.progress import finish
from terrashot.store.answers import read_answers, write_answers

SETTINGS = FewshotSettings(DrawSettings(sizes=(5, 20, 100), repeats=5), FitSettings(("forest",), (20,), (4,)), 8)


def study(n=600, *, signal=2.0, places=True):
    """Two areas on a lattice, bands of test chips; one feature set that knows the label, one that knows a little, one nothing."""
    rng = np.random.default_rng(0)
    row, column = np.arange(n) // 20, np.arange(n) % 20
    area = tuple("ab"[c // 10] for c in column)
    split = tuple(("train", "train", "train", "test", "val")[r // 2 % 5] for r in row)
    chips = Chips(
        tuple(f"c{i:04d}" for i in range(n)), area, (None,) * n, split,
        lon_deg=column / 25 if places else None, lat_deg=row / 25 if places else None,
    )  # fmt: skip
    share = np.clip(0.5 + 0.3 * np.sin(row / 6) + 0.15 * rng.normal(size=n), 0, 1)
    noise = rng.normal(size=(n, 4)).astype(np.float32)
    learnt = noise + signal * (share[:, None] - 0.5).astype(np.float32) * 4
    features = {
        "s2rgbm": FeatureSet((learnt,)), "image_stats": FeatureSet((noise[:, ::-1].copy() + learnt / 8,)), "majority": FeatureSet(()),
    }  # fmt: skip
    return features, chips, Labels(chips.ids, {"share": share})


def tables_of(features, chips, labels, settings=SETTINGS, scheme="bands"):
    return finish(run_fewshot(features, chips, labels, settings, split_scheme=scheme, workshop=Workshop()))


@pytest.fixture(scope="module")
def found():
    features, chips, labels = study()
    tables = tables_of(features, chips, labels)
    return tables, *make_answers(tables, chips, labels, 0)


def test_means_are_those_of_the_fits_and_lie_in_their_intervals(found):
    tables, points, _ = found
    assert [replace(p, low=None, high=None) for p in points] == summarize(tables.fitted.results)
    assert all(p.low <= p.score <= p.high for p in points if p.low is not None)
    assert sum(p.low is not None for p in points) > len(points) / 2


def test_a_good_embedding_beats_every_floor_and_the_gain_is_that_of_the_means(found):
    _, points, answers = found
    score = {(p.area, p.features, p.n_labels): p.score for p in points if not p.is_full}
    assert {v.n_labels for v in answers.verdicts} == {100}
    for verdict in answers.verdicts:
        assert (verdict.features, verdict.beats_floors) == ("s2rgbm", True)
        assert verdict.gain == pytest.approx(verdict.score - score[verdict.area, verdict.floor, 100])
        assert verdict.certainty > 0.97
        assert "beats every floor" in verdict.sentence


def test_an_embedding_that_knows_no_more_than_a_floor_is_not_said_to_win():
    features, chips, labels = study()
    features = {
        "s2rgbm": features["image_stats"],
        "image_stats": features["image_stats"],
        "majority": features["majority"],
    }
    _, answers = make_answers(tables_of(features, chips, labels), chips, labels, 0)
    assert [v.beats_floors for v in answers.verdicts] == [None, None]


def test_a_budget_over_a_third_of_the_pool_is_also_drawn_from_resampled_pools(found):
    tables, _, answers = found
    assert {row.n_labels_asked for row in tables.resampled.results} == {100}, "180 training chips an area"
    assert not {id(row) for row in tables.resampled.results} & {id(row) for row in tables.fitted.results}
    plain = replace(tables, resampled=replace(tables.resampled, blocks=[]))
    _, chips, labels = study()
    without = make_answers(plain, chips, labels, 0)[1].verdicts
    for verdict, other in zip(answers.verdicts, without, strict=True):
        assert (verdict.score, verdict.low) == (other.score, other.low), "means are over plain draws"
        assert verdict.gain_high - verdict.gain_low != other.gain_high - other.gain_low


def test_labels_that_are_enough_never_exceed_all_of_them(found):
    _, _, answers = found
    assert {row.form for row in answers.enough} == {"dot", "crossing", "skill", "common"}
    assert all(row.n_labels is None or row.n_labels <= row.n_full for row in answers.enough)
    assert all("reach 95 % of the accuracy" in line for line in answers.sentences)
    assert len(answers.sentences) == 2


def test_repeats_are_added_where_the_draws_leave_a_mean_uncertain(found):
    _, points, _ = found
    for size in (5, 20):
        assert {p.repeats for p in points if p.n_labels == size} == {5}, "below 100 labels they stay as asked"
    assert {p.repeats for p in points if p.n_labels == 100 and not p.is_full} == {8}, "to the most that is allowed"


def test_leakage_shows_optimism_where_neighbours_are_alike(found):
    _, _, answers = found
    schemes = {row.scheme for row in answers.leakage}
    assert schemes == {"random", "bands", "leave_area_out"}
    assert all(row.optimism is None for row in answers.leakage if row.scheme == "bands")
    assert all(
        row.optimism_low <= row.optimism <= row.optimism_high for row in answers.leakage if row.scheme != "bands"
    )
    assert {(row.task, row.area) for row in answers.ranges} == {("share", "a"), ("share", "b")}


def test_transfer_holds_every_pair_of_areas(found):
    _, _, answers = found
    assert {(row.train_area, row.area) for row in answers.transfer} == {
        (t, a) for a in "ab" for t in ("a", "b", f"{'ba'[a == 'b']}+{a}")
    }
    assert {row.n_local for row in answers.transfer if "+" in row.train_area} == {10, 100}


def test_chips_without_a_place_have_no_leakage_and_no_range():
    features, chips, labels = study(places=False)
    tables = tables_of(features, chips, labels, scheme="random")
    answers = make_answers(tables, chips, labels, 0)[1]
    assert (answers.leakage, answers.ranges) == ((), ())


def test_answers_come_back_as_they_were_written_and_are_the_same_twice(found, tmp_path):
    tables, points, answers = found
    _, chips, labels = study()
    assert make_answers(tables, chips, labels, 0) == (points, answers)
    write_answers(tmp_path / "answers.json", answers)
    assert read_answers(tmp_path / "answers.json") == answers
