"""The protocol compares like with like, and says what it left out."""

import numpy as np
import pytest

from terrashot.domain.results import summarize
from terrashot.domain.tables import Chips, Labels
from terrashot.durable.parts import DiskParts
from terrashot.errors import InputError, MisalignedError
from terrashot.evaluate import fewshot
from terrashot.evaluate.fewshot import FewshotSettings, fit_cell, run_fewshot
from terrashot.evaluate.sampling import nested_draws, seed_of
from terrashot.evaluate.verdict import verdicts

SETTINGS = FewshotSettings(sizes=(5, 20, 500), repeats=3)


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


def run(chips, features, labels, settings=SETTINGS, workers=1):
    return finish(run_fewshot(features, chips, labels, settings, split_scheme="random", workers=workers))


def finish(work):
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def test_every_feature_set_and_head_meets_the_same_chips_and_the_same_draws():
    rows = run(*study()).results
    for task, area in {(row.task, row.area) for row in rows}:
        own = [row for row in rows if (row.task, row.area) == (task, area)]
        assert len({row.n_test for row in own}) == 1
        assert {row.n_labels for row in own} == {5, 20, 30}, "sizes are cut to what the area has"


def test_good_features_win_and_majority_is_the_floor_of_floors():
    points = {(p.features, p.head): p.accuracy for p in summarize(run(*study()).results) if p.is_full and p.area == "a"}
    assert points["good", "forest"] > 0.85
    assert points["good", "logistic"] > 0.85
    assert points["majority", "forest"] <= 0.7


def test_the_number_of_workers_changes_nothing():
    assert run(*study()).results == run(*study(), workers=2).results


def test_a_killed_run_goes_on_with_the_cells_it_had_and_ends_the_same(tmp_path, monkeypatch):
    def begin():
        chips, features, labels = study()
        parts = DiskParts(tmp_path / "parts", "these inputs")
        return run_fewshot(features, chips, labels, SETTINGS, split_scheme="random", parts=parts)

    killed = begin()
    next(killed), next(killed)
    killed.close()
    fitted = []
    monkeypatch.setattr(
        fewshot, "fit_cell", lambda cell: (fitted.append((cell.area, cell.features)), fit_cell(cell))[1]
    )
    tables = finish(begin())
    assert len(fitted) == 4, "six cells, two of them kept"
    whole = run(*study())
    assert (tables.results, tables.blocks) == (whole.results, whole.blocks)


def test_a_chip_that_lacks_one_feature_set_is_left_out_of_all_and_that_is_said():
    chips, features, labels = study()
    features["noise"][::5] = np.nan
    tables = run(chips, features, labels)
    assert {row.n_labels for row in tables.results if row.n_labels_asked is None} <= {23, 24, 25}
    assert any("24 of 120 labelled chips lack a modality" in note for note in tables.notes)


def test_a_fit_that_cannot_differ_between_repeats_is_done_once():
    rows = [row for row in run(*study()).results if row.n_labels_asked is None and row.area == "a"]
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
    row = tables.results[0]
    key = ("task", "area", "features", "head", "n_labels_asked", "n_labels", "repeat")
    own = [b for b in tables.blocks if all(getattr(b, name) == getattr(row, name) for name in key)]
    assert sum(b.n for b in own) == row.n_test
    assert sum(b.correct for b in own) / row.n_test == pytest.approx(row.accuracy)


def test_classes_by_name_are_told_apart():
    chips, features, labels = study()
    kinds = np.array(
        ["low" if v < 0.3 else "mid" if v < 0.6 else "high" for v in labels.targets["share"]], dtype=object
    )
    points = summarize(run(chips, features, Labels(chips.ids, {"kind": kinds})).results)
    full = [p for p in points if p.is_full and p.features == "good" and p.head == "forest"]
    assert all(p.accuracy > 0.7 for p in full)


def test_draws_are_nested_and_fresh_in_each_repeat():
    draws = [nested_draws(50, [5, 20], np.random.default_rng(seed_of(0, "t", "a", repeat))) for repeat in range(2)]
    assert set(draws[0][0]) < set(draws[0][1])
    assert set(draws[0][0]) != set(draws[1][0])


def test_a_verdict_tells_the_gain_over_the_best_floor_draw_by_draw():
    chips, features, labels = study()
    features = {"s2rgbm": features["good"], "image_stats": features["noise"], "majority": features["majority"]}
    rows = run(chips, features, labels).results
    found = verdicts(summarize(rows), rows, budget=20)
    assert [v.area for v in found] == ["a", "b"]
    assert all(v.beats_floor and v.gain > 0.1 and "the embedding beats it" in v.sentence for v in found)


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
