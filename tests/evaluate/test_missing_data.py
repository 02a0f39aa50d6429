"""Leaving nothing out is the study's own protocol; leaving out noise costs nothing, and leaving out all that tells costs all."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.simulated_channels import MONTHS, chips_of, modality, study

from terrashot.domain.channel_vectors import ChannelVectors, side_by_side
from terrashot.domain.tables import Labels
from terrashot.domain.tasks import TaskRule
from terrashot.errors import InputError
from terrashot.evaluate.absence import judging
from terrashot.evaluate.absence.altered import Material
from terrashot.evaluate.absence.measure import MOST_CHIPS, AbsenceSettings, measure_absence, sampled_rows
from terrashot.evaluate.answers.answers import make_answers
from terrashot.evaluate.protocol.comparison import DrawSettings
from terrashot.evaluate.protocol.feature_sets import FeatureSet
from terrashot.evaluate.protocol.fewshot import FewshotSettings, run_fewshot
from terrashot.evaluate.protocol.fitting import FitSettings, Workshop

DRAWS = DrawSettings(sizes=(20, 100), repeats=4)
SETTINGS = AbsenceSettings("mean", draws=DRAWS, fits=FitSettings(heads=("logistic",)))


def measure(vectors, labels, settings=SETTINGS, **how):
    how = {"split_scheme": "groups", "n_chips": len(vectors.chips), **how}
    return finish(measure_absence(vectors, labels, settings, **how))


def finish(work):
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def rows(report, **wanted):
    return [row for row in report.scores if all(getattr(row, name) == value for name, value in wanted.items())]


def one(report, left_out, **wanted):
    wanted = {"answer": "met", "n_labels": 100, **wanted}
    (row,) = rows(report, left_out=left_out, **wanted)
    return row


@pytest.fixture(scope="module")
def report():
    return measure(*study(areas=("north", "south"), n=800))


def own_protocol(vectors, labels, heads, settings):
    """What the study's own few-label protocol says of the same vectors."""
    material = Material(vectors, settings.channels, settings.strategy)
    blocks = {name: parts.reshape(len(parts), -1) for name, parts in material.whole.items()}
    sets = {name: FeatureSet((block,)) for name, block in blocks.items()}
    sets["modsconcat"] = FeatureSet(tuple(blocks.values()))
    told = FewshotSettings(settings.draws, FitSettings(heads=heads), most_repeats=4, leakage=False, transfer=False)
    tables = finish(
        run_fewshot(sets, vectors.chips, labels, told, split_scheme="groups", workshop=Workshop()),
    )
    points, _ = make_answers(tables, vectors.chips, labels, 0)
    return {(p.features, p.n_labels): (p.score, p.low, p.high) for p in points}


@pytest.mark.parametrize("head", ["logistic", "forest"])
def test_with_nothing_left_out_the_score_and_its_interval_are_those_of_the_study(head):
    vectors, labels = study(200)
    settings = replace(SETTINGS, fits=FitSettings(heads=(head,)))
    theirs = own_protocol(vectors, labels, (head,), settings)
    ours = measure(vectors, labels, settings)
    whole = rows(ours, case="nothing")
    assert {row.n_labels for row in whole} == {100, 120}
    for row in whole:
        assert (row.score, row.low, row.high) == theirs["modsconcat", row.n_labels]
        assert (row.change, row.change_low, row.change_high) == (0, 0, 0) and row.cosine == pytest.approx(1)
    alone = rows(ours, left_out="s1grdm, gunw", answer="learnt")
    assert [(row.score, row.low, row.high) for row in alone] == [theirs["s2rgbm", row.n_labels] for row in alone]
    assert {row.features for row in alone} == {"s2rgbm"}


def test_every_case_has_the_answers_and_strategies_that_it_can_have(report):
    met = {(row.case, row.strategy) for row in rows(report, answer="met")}
    of_modalities = {("modality", strategy) for strategy in ("training-mean", "ridge", "drop")}
    assert met == of_modalities | {(case, "rest") for case in ("nothing", "kind", "month", "channel", "pairs")}
    learnt = {(row.case, row.strategy) for row in rows(report, answer="learnt")}
    assert learnt == {(case, "rest") for case in ("modality", "kind", "month")}
    assert {(row.area, row.n_labels, row.is_full, row.repeats) for row in report.scores} == {
        (area, n, full, repeats)
        for area in ("north", "south")
        for n, full, repeats in ((100, False, 4), (240, True, 1))
    }


def test_a_change_is_the_difference_of_the_two_scores_inside_its_interval(report):
    whole = {(row.area, row.n_labels): row.score for row in rows(report, case="nothing")}
    for row in report.scores:
        assert row.change == pytest.approx(row.score - whole[row.area, row.n_labels])
        assert row.change_low <= row.change <= row.change_high
        assert row.low <= row.score <= row.high


def test_dropped_chips_are_guessed_and_their_share_is_told(report):
    vectors, labels = study(800, areas=("north", "south"))
    dropped = one(report, "gunw", strategy="drop", area="north", n_labels=240)
    assert dropped.absent_share == 1 and dropped.cosine is None and dropped.recall1 is None
    own = np.array([area == "north" for area in vectors.chips.area])
    values, split = labels.targets["wet"][own], np.array(vectors.chips.split)[own]
    above = values > np.median(values[split == "train"])
    guess = above[split == "train"].mean() > 0.5
    assert dropped.score == pytest.approx((above[split == "test"] == guess).mean(), abs=0.02)
    assert dropped.change_high < -0.2


def test_what_is_foretold_is_nearer_to_what_is_gone_than_the_mean_is(report):
    for gone in ("s2rgbm", "s1grdm", "gunw", "s1grdm, gunw"):
        ridge, mean = (one(report, gone, strategy=own, area="north") for own in ("ridge", "training-mean"))
        assert ridge.cosine > mean.cosine and ridge.cosine_low5 <= ridge.cosine
        assert 0 <= mean.recall1 < ridge.recall1 <= ridge.recall5 <= ridge.recall10 <= 1


def test_a_modality_that_follows_linearly_from_another_costs_nothing_with_the_ridge():
    rng = np.random.default_rng(0)
    n, truth = 900, np.random.default_rng(1).standard_normal((900, 3))
    seen = modality(truth, ("red",), (None,), seed=2)
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0].astype(np.float32)
    mirrored = replace(seen, kinds=("vv",), vectors=seen.vectors @ turn)
    chips = chips_of(n)
    vectors = ChannelVectors(chips, {"s2rgbm": seen, "s1grdm": mirrored})
    found = measure(vectors, Labels(chips.ids, {"wet": truth[:, 0]}))
    ridge, mean = (one(found, "s1grdm", strategy=own, case="modality") for own in ("ridge", "training-mean"))
    assert ridge.change == pytest.approx(0, abs=0.01) and ridge.cosine > 0.999
    assert mean.cosine < 0.9
    assert one(found, "s1grdm", answer="learnt").change == pytest.approx(0, abs=0.02)


def test_noise_is_left_out_for_nothing_and_without_all_that_tells_only_chance_is_left():
    n, rng = 700, np.random.default_rng(3)
    truth = rng.standard_normal((n, 3))
    shown = {
        "s2rgbm": modality(truth, ("red",), MONTHS, seed=2),
        "s1grdm": modality(rng.standard_normal((n, 3)), ("vv",), MONTHS, seed=3),
    }
    chips = chips_of(n)
    found = measure(ChannelVectors(chips, shown), Labels(chips.ids, {"wet": truth[:, 0]}))
    for answer, strategy in (("met", "ridge"), ("met", "training-mean"), ("learnt", "rest")):
        of_noise = one(found, "s1grdm", answer=answer, strategy=strategy, case="modality")
        assert of_noise.change_low < 0.02 and of_noise.change_high > 0 and of_noise.change > -0.02
        of_signal = one(found, "s2rgbm", answer=answer, strategy=strategy, case="modality")
        assert of_signal.low < 0.55 and of_signal.score < 0.6 and of_signal.change_high < -0.2


def test_parts_by_kind_have_strategies_for_a_kind_that_is_gone():
    found = measure(*study(400), replace(SETTINGS, channels="each"))
    assert {row.strategy for row in rows(found, left_out="red", answer="met")} == {"training-mean", "ridge", "drop"}
    assert {row.strategy for row in rows(found, case="channel")} == {"rest"}
    assert one(found, "red", strategy="ridge").cosine > one(found, "red", strategy="training-mean").cosine
    assert one(found, "red", answer="learnt").strategy == "rest"


@pytest.mark.slow
def test_gaps_of_the_study_itself_are_filled_as_the_study_does_and_chips_without_a_modality_are_left_out():
    vectors, labels = study(500, absent=0.3)
    for channels in ("mean", "each"):
        found = measure(vectors, labels, replace(SETTINGS, channels=channels))
        (whole,) = rows(found, case="nothing", n_labels=100)
        assert whole.absent_share == 0 and whole.strategy == "rest" and whole.score > 0.8
        assert any("labelled chips lack a modality" in note for note in found.notes)
        month = rows(found, left_out=MONTHS[0], answer="met", n_labels=100)
        assert {row.strategy for row in month} == {"training-mean", "ridge", "drop"}
        assert all(0 < row.absent_share < 1 for row in month), "some chips had nothing but that month"


def test_under_drop_only_chips_with_every_kind_are_compared():
    vectors, _ = study(600, absent=0.15)
    by = {name: Material(vectors, "each", name) for name in ("ridge", "drop")}
    has_all = np.logical_and.reduce([~np.isnan(parts).any(axis=(1, 2)) for parts in by["drop"].whole.values()])
    np.testing.assert_array_equal(by["drop"].complete, has_all)
    assert by["ridge"].complete.sum() > has_all.sum()
    assert not np.isnan(by["ridge"].full(np.flatnonzero(by["ridge"].complete))).any()


def test_a_numeric_target_is_scored_by_r2_with_a_head_that_can_learn_it():
    vectors, labels = study(400)
    found = measure(
        vectors, labels, replace(SETTINGS, draws=replace(DRAWS, rules={"wet": TaskRule(is_regression=True)}))
    )
    whole = rows(found, case="nothing", n_labels=100)[0]
    assert (whole.head, whole.measure) == ("ridge", "R2") and 0.5 < whole.score < 1
    assert one(found, "gunw", strategy="drop").score < 0.05, "a guess of the mean explains nothing"


def test_one_modality_has_no_partners_and_no_subsets():
    vectors, labels = study(300)
    found = measure(ChannelVectors(vectors.chips, {"s2rgbm": vectors.modalities["s2rgbm"]}), labels)
    assert {row.case for row in found.scores} == {"nothing", "kind", "month", "channel"}
    assert {row.recall1 for row in found.scores} == {None} and {row.features for row in found.scores} == {"s2rgbm"}


def test_an_area_with_fewer_chips_than_a_budget_is_measured_with_all_of_its_labels():
    found = measure(*study(120))
    assert {(row.n_labels, row.is_full) for row in found.scores} == {(72, True)}


def test_heads_that_cannot_be_learnt_without_something_are_named():
    vectors, labels = study(200)
    optical = vectors.modalities["s2rgbm"]
    # In the second month a chip has red or blue, so that without the first none has both.
    optical.vectors[::2, 2] = np.nan
    optical.vectors[1::2, 3] = np.nan
    found = measure(vectors, labels, replace(SETTINGS, channels="each"))
    assert rows(found, left_out=MONTHS[0], answer="met") and not rows(found, left_out=MONTHS[0], answer="learnt")
    assert rows(found, left_out=MONTHS[1], answer="learnt")
    (note,) = found.notes
    assert note.startswith("heads without 2020-01 could not be learnt in north") and "0 training chips" in note


def test_without_a_ridge_the_training_mean_still_stands_in():
    vectors, labels = study(200)
    optical = vectors.modalities["s2rgbm"]
    optical.vectors[::2, [0, 2]] = np.nan
    optical.vectors[1::2, [1, 3]] = np.nan
    found = measure(vectors, labels, replace(SETTINGS, channels="each"))
    assert {row.strategy for row in rows(found, answer="met")} == {"rest", "training-mean", "drop"}
    assert any(note.startswith("no ridge was learnt") for note in found.notes)


def test_what_stands_in_is_the_same_in_every_area_and_so_are_the_heads():
    vectors, labels = study(600, areas=("north", "south"))
    # One test chip of the south has the second month alone.
    lone = next(
        row
        for row, chip in enumerate(zip(vectors.chips.area, vectors.chips.split, strict=True))
        if chip == ("south", "test")
    )
    vectors.modalities["s2rgbm"].vectors[lone, :2] = np.nan
    settings = replace(SETTINGS, fits=FitSettings(heads=("forest", "logistic")))
    found = rows(measure(vectors, labels, settings), left_out=MONTHS[1], answer="met", n_labels=100)
    expected = [(area, strategy) for area in ("north", "south") for strategy in ("training-mean", "ridge", "drop")]
    assert [(row.area, row.strategy) for row in found] == expected
    assert [row.absent_share > 0 for row in found] == [False] * 3 + [True] * 3
    assert {row.score for row in found[:3]} == {found[0].score} and {row.head for row in found} == {"logistic"}


@pytest.mark.slow
def test_neither_threads_nor_how_much_is_judged_at_once_change_a_row(monkeypatch):
    vectors, labels = study(200, areas=("north", "south"))
    settings = replace(SETTINGS, fits=FitSettings(heads=("forest",)), draws=replace(DRAWS, repeats=2))
    expected = measure(vectors, labels, settings)
    assert measure(vectors, labels, settings, workers=2) == expected
    monkeypatch.setattr(judging, "JUDGED_BYTES", 5000)
    assert measure(vectors, labels, settings) == expected


def test_the_order_of_the_chips_changes_nothing_but_rounding():
    vectors, labels = study(300)
    order = np.random.default_rng(0).permutation(300)
    turned = {name: replace(own, vectors=own.vectors[order]) for name, own in vectors.modalities.items()}
    ours, theirs = measure(vectors, labels), measure(ChannelVectors(vectors.chips.take(order), turned), labels)
    assert [row.score for row in ours.scores] == pytest.approx([row.score for row in theirs.scores], abs=0.01)


def test_progress_grows_to_its_end():
    vectors, labels = study(200)
    work = measure_absence(vectors, labels, SETTINGS, split_scheme="groups", n_chips=200)
    events = list(work)
    assert all(a.done <= b.done <= b.total for a, b in pairwise(events))
    assert events[-1].done == pytest.approx(events[-1].total) and {event.area for event in events} == {"north"}


def test_a_sample_is_said():
    found = measure(*study(200), n_chips=845_000)
    assert found.notes[0] == "measured on a random sample of 200 of the 845,000 chips"
    rows_taken = sampled_rows(30_000, seed=1)
    assert len(rows_taken) == MOST_CHIPS and (np.diff(rows_taken) > 0).all()
    np.testing.assert_array_equal(sampled_rows(500, seed=1), np.arange(500))


def test_without_whole_chips_there_is_no_report():
    vectors, labels = study(200)
    vectors.modalities["gunw"].vectors[:] = np.nan
    with pytest.raises(InputError, match="no chip with labels has something of s2rgbm, s1grdm, gunw at once"):
        measure(vectors, labels)
    vectors, labels = study(200)
    vectors.modalities["s2rgbm"].vectors[:, [0, 2]] = np.nan
    with pytest.raises(InputError, match="missing-data report: absence: no training chip has some of the parts"):
        measure(vectors, labels, replace(SETTINGS, channels="each"))


def test_whole_vectors_stand_side_by_side_in_the_order_of_the_modalities():
    vectors, _ = study(40)
    material = Material(vectors, "mean", "ridge")
    np.testing.assert_array_equal(material.full(np.arange(40)), side_by_side(list(material.whole.values())))
    assert material.length == 18
