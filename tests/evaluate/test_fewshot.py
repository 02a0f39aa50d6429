"""The protocol compares like with like, and says what it left out."""

from dataclasses import replace

import numpy as np
import pytest

from terrashot.domain.results import summarize
from terrashot.domain.tables import Chips, Labels
from terrashot.domain.tasks import TaskRule
from terrashot.durable.kept import SqliteParts
from terrashot.durable.parts import NO_PARTS
from terrashot.errors import InputError, MisalignedError
from terrashot.evaluate.protocol import fitting
from terrashot.evaluate.protocol.comparison import POOLED, DrawSettings
from terrashot.evaluate.protocol.feature_sets import FeatureSet
from terrashot.evaluate.protocol.fewshot import FewshotSettings, run_fewshot
from terrashot.evaluate.protocol.fits import fit_and_score
from terrashot.evaluate.protocol.fitting import FitSettings, Workshop
from terrashot.evaluate.protocol.sampling import nested_draws, seed_of

SETTINGS = FewshotSettings(DrawSettings(sizes=(5, 20, 500), repeats=3))


def study(n=120, areas=("a", "b")):
    rng = np.random.default_rng(0)
    area = tuple(areas[i % len(areas)] for i in range(n))
    split = tuple(("train", "train", "test", "val")[(i // len(areas)) % 4] for i in range(n))
    chips = Chips(tuple(f"c{i}" for i in range(n)), area, tuple(f"g{i // 6}" for i in range(n)), split)
    share = rng.random(n)
    good = np.column_stack([share, rng.random(n)]).astype(np.float32)
    features = {
        "good": good,
        "noise": rng.normal(size=(n, 3)).astype(np.float32),
        "majority": np.empty((n, 0), np.float32),
    }
    return chips, features, Labels(chips.ids, {"share": share})


def begin(chips, features, labels, settings=SETTINGS, workers=1, parts=NO_PARTS):
    sets = {name: FeatureSet((block,)) for name, block in features.items()}
    return run_fewshot(sets, chips, labels, settings, split_scheme="random", workshop=Workshop(workers, parts))


def run(*study, **how):
    return finish(begin(*study, **how))


def finish(work):
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def test_every_feature_set_and_head_meets_the_same_chips_and_the_same_draws():
    rows = run(*study()).fitted.results
    for task, area in {(row.task, row.area) for row in rows}:
        own = [row for row in rows if (row.task, row.area) == (task, area)]
        assert len({row.n_test for row in own}) == 1
        assert {row.n_labels for row in own} == {5, 20, 30}, "sizes are cut to what the area has"


def test_good_features_win_and_majority_is_the_floor_of_floors():
    points = {
        (p.features, p.head): p.score for p in summarize(run(*study()).fitted.results) if p.is_full and p.area == "a"
    }
    assert points["good", "forest"] > 0.85
    assert points["good", "logistic"] > 0.85
    assert points["majority", "forest"] <= 0.7


def test_the_number_of_workers_changes_nothing():
    assert run(*study()).fitted.results == run(*study(), workers=2).fitted.results


def counted(monkeypatch):
    """The fits that are really made from now on."""
    made = []
    monkeypatch.setattr(fitting, "fit_and_score", lambda fit, pool: (made.append(fit), fit_and_score(fit, pool))[1])
    return made


def rows_of(tables):
    return [
        (row.task, row.area, row.features, row.head, row.n_labels, row.repeat, row.score)
        for row in tables.fitted.results
    ]


def test_a_killed_run_goes_on_with_the_fits_it_had_and_ends_the_same(tmp_path, monkeypatch):
    whole = run(*study())
    parts = SqliteParts(tmp_path / "fits.sqlite")
    killed = begin(*study(), parts=parts)
    for _ in range(20):
        next(killed)
    killed.close()
    parts.close()
    made = counted(monkeypatch)
    parts = SqliteParts(tmp_path / "fits.sqlite")
    tables = run(*study(), parts=parts)
    assert 10 < len(whole.fitted.results) - len(made) <= 20
    assert rows_of(tables) == rows_of(whole)
    for mine, theirs in zip(tables.fitted.blocks, whole.fitted.blocks, strict=True):
        np.testing.assert_array_equal(mine.correct, theirs.correct)


def another_head(chips, features, labels):
    return (
        (chips, features, labels),
        FewshotSettings(SETTINGS.draws, FitSettings(("forest", "logistic", "ridge"))),
        {"ridge"},
    )


def another_size(chips, features, labels):
    return (chips, features, labels), FewshotSettings(DrawSettings(sizes=(5, 12, 20), repeats=3)), {12}


def another_repeat(chips, features, labels):
    return (chips, features, labels), FewshotSettings(DrawSettings(sizes=(5, 20), repeats=4)), {3}


def another_label(chips, features, labels):
    other = {"share": labels.targets["share"], "twice": labels.targets["share"] ** 2 + np.arange(120) % 2}
    return (chips, features, Labels(chips.ids, other)), SETTINGS, {"twice"}


@pytest.mark.parametrize("change", [another_head, another_size, another_repeat, another_label])
def test_a_changed_setting_fits_only_what_it_touches(change, tmp_path, monkeypatch):
    parts = SqliteParts(tmp_path / "fits.sqlite")
    run(*study(), parts=parts)
    made = counted(monkeypatch)
    given, settings, new = change(*study())
    run(*given, settings=settings, parts=parts)
    assert made
    assert all({fit.head, fit.draw.asked, fit.draw.repeat, fit.task.task} & new for fit in made)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:9000] + bytes([b[9000] ^ 1]) + b[9001:], lambda b: b[: len(b) // 2], lambda b: b"junk"]
)
def test_damaged_outcomes_are_worked_out_again(damage, tmp_path):
    whole = run(*study())
    parts = SqliteParts(tmp_path / "fits.sqlite")
    run(*study(), parts=parts)
    parts.close()
    (tmp_path / "fits.sqlite").write_bytes(damage((tmp_path / "fits.sqlite").read_bytes()))
    parts = SqliteParts(tmp_path / "fits.sqlite")
    assert rows_of(run(*study(), parts=parts)) == rows_of(whole)


def test_a_chip_that_lacks_one_feature_set_is_left_out_of_all_and_that_is_said():
    chips, features, labels = study()
    features["noise"][::5] = np.nan
    tables = run(chips, features, labels)
    assert {row.n_labels for row in tables.fitted.results if row.n_labels_asked is None} <= {23, 24, 25}
    assert any("24 of 120 labelled chips lack a modality" in note for note in tables.notes)


def test_a_fit_that_cannot_differ_between_repeats_is_done_once():
    rows = [row for row in run(*study()).fitted.results if row.n_labels_asked is None and row.area == "a"]
    counts = {
        (name, head): sum(r.features == name and r.head == head for r in rows)
        for name in ("good", "majority")
        for head in ("forest", "logistic")
    }
    assert counts == {
        ("good", "forest"): 3,
        ("good", "logistic"): 1,
        ("majority", "forest"): 1,
        ("majority", "logistic"): 1,
    }


def test_block_scores_add_up_to_the_accuracy():
    tables = run(*study())
    accuracy = {
        (row.task, row.area, row.features, row.head, row.n_labels_asked, row.repeat): (row.n_test, row.accuracy)
        for row in tables.fitted.results
    }
    for own in tables.fitted.blocks:
        for fit, correct in zip(own.fits, own.correct, strict=True):
            n_test, expected = accuracy[own.task, own.area, own.features, fit.head, fit.n_labels_asked, fit.repeat]
            assert own.n.sum() == n_test
            assert correct.sum() / n_test == pytest.approx(expected)


def test_a_numeric_target_may_be_learnt_as_a_number():
    settings = FewshotSettings(DrawSettings(sizes=(5, 20), repeats=3, rules={"share": TaskRule(is_regression=True)}))
    rows = [row for row in run(*study(), settings=settings).fitted.results if row.n_labels_asked is None]
    assert {row.head for row in rows} == {"forest"}, "a logistic head predicts no number"
    assert min(row.r2 for row in rows if row.features == "good") > 0.8
    assert all(row.accuracy is None and abs(row.r2) < 0.5 for row in rows if row.features == "majority")


def test_classes_by_name_are_told_apart():
    chips, features, labels = study()
    kinds = np.array(
        ["low" if v < 0.3 else "mid" if v < 0.6 else "high" for v in labels.targets["share"]], dtype=object
    )
    points = summarize(run(chips, features, Labels(chips.ids, {"kind": kinds})).fitted.results)
    full = [p for p in points if p.is_full and p.features == "good" and p.head == "forest"]
    assert all(p.score > 0.7 for p in full)


def test_draws_are_nested_and_fresh_in_each_repeat():
    draws = [nested_draws(50, [5, 20], np.random.default_rng(seed_of(0, "t", "a", repeat))) for repeat in range(2)]
    assert set(draws[0][0]) < set(draws[0][1])
    assert set(draws[0][0]) != set(draws[1][0])


def break_nothing_shared(chips, features, labels):
    return chips, features, Labels(tuple(f"x{i}" for i in range(120)), labels.targets)


def break_constant(chips, features, labels):
    return chips, features, Labels(chips.ids, {"share": np.full(120, 0.25)})


def break_no_test(chips, features, labels):
    return Chips(chips.ids, chips.area, chips.group, ("train",) * 120), features, labels


def break_too_few(chips, features, labels):
    rows = np.arange(16)
    return (
        chips.take(rows),
        {name: block[rows] for name, block in features.items()},
        Labels(chips.ids[:16], {"share": labels.targets["share"][:16]}),
    )


def break_no_labels(chips, features, labels):
    return chips, features, Labels(chips.ids, {"share": np.full(120, np.nan)})


@pytest.mark.parametrize(
    ("damage", "kind", "said"),
    [
        (break_nothing_shared, MisalignedError, "no chip id is in both tables"),
        (
            break_constant,
            InputError,
            "area 'a': label 'share': nothing to tell apart among its 30 training labels: all are 0.25",
        ),
        (break_no_test, InputError, "area 'a', label 'share': no test chip"),
        (break_too_few, InputError, "4 training chips have a label and every modality, the smallest draw asks for 5"),
        (break_no_labels, InputError, "none is known"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_area_and_label(damage, kind, said):
    with pytest.raises(kind) as error:
        run(*damage(*study()))
    assert said in str(error.value)


def test_a_balanced_task_with_too_few_chips_is_told_and_left_out_and_the_rest_goes_on():
    chips, features, labels = study()
    rare = np.where(np.arange(120) % 40 < 2, 1.0, 0.0)
    both = Labels(chips.ids, {**labels.targets, "rare": rare})
    rules = {"rare": TaskRule("present", also_balanced=True), "share": TaskRule(also_balanced=True)}
    found = run(chips, features, both, settings=replace(SETTINGS, draws=replace(SETTINGS.draws, rules=rules)))
    tasks = {(row.task, row.area) for row in found.fitted.results}
    assert tasks == {(task, area) for task in ("share", "share_balanced", "rare") for area in "ab"}
    told = [note for note in found.notes if "is left out of area" in note]
    assert [note.partition(":")[0] for note in told] == [
        f"'rare_balanced' is left out of area '{area}'" for area in "ab"
    ]


def test_all_areas_together_stand_beside_each_and_change_none():
    chips, features, labels = study()
    plain = run(chips, features, labels).fitted
    settings = replace(SETTINGS, draws=replace(SETTINGS.draws, pooled=True))
    both = run(chips, features, labels, settings=settings).fitted
    pooled = [row for row in both.results if row.area == POOLED]
    assert [row for row in both.results if row.area != POOLED] == plain.results
    assert {row.n_labels for row in pooled} == {5, 20, 60} and {row.n_test for row in pooled} == {30}
    assert len({row.threshold for row in pooled}) == 1
    assert len({row.threshold for row in plain.results}) == 2
    counts = {scores.area: len(scores.blocks) for scores in both.blocks}
    assert counts[POOLED] == counts["a"] + counts["b"], "no block of test chips lies in two areas"


def test_one_area_is_not_pooled_and_the_name_of_all_together_is_taken():
    settings = replace(SETTINGS, draws=replace(SETTINGS.draws, pooled=True))
    assert {row.area for row in run(*study(areas=("a",)), settings=settings).fitted.results} == {"a"}
    with pytest.raises(InputError, match="named 'all areas'"):
        run(*study(areas=("a", POOLED)), settings=settings)
