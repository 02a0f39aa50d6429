"""A dry run tells what pretraining will cost, from what is there or from the study file alone."""

import json
import time

import numpy as np
import pytest

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.model.towers import make_towers
from terrashot.steps.foresee import GPUS, foresee
from terrashot.steps.foresee_text import amount, cost_of_pretraining, duration
from terrashot.steps.material import PACKED_SHARE, area_m2, foresee_material
from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, make_context, run_and_report, run_study
from terrashot.store.chips import open_chip_store
from terrashot.store.study import find_study
from terrashot.store.tables import read_chips

STUDY = """
[study]
workers = 1
[grid]
chip_px = 32
pixel_m = 20.0
[areas.north]
bbox = [9.40, 45.10, 9.47, 45.15]
[split]
bands = 5
[pretrain]
preset = "tiny"
epochs = 3
batch_size = 16
"""
EVERYTHING = ("chips", "ingest", "labels", "pretrain", "embed", "fewshot", "report")


def context(folder, text=STUDY):
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(text)
    return make_context(find_study(folder))


@pytest.fixture(scope="module")
def harvested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    at = context(folder)
    finish(run_study(at.study, Wishes(only=["chips", "ingest"])))
    return at


def test_chips_are_as_many_as_the_run_will_make(harvested):
    before, after = foresee_material(harvested, EVERYTHING), foresee_material(harvested, ("pretrain", "embed"))
    chips = read_chips(harvested.study.chips)
    assert before.n_chips == after.n_chips == len(chips)
    assert (after.n_train, after.n_val) == (len(chips.rows_in("train")), len(chips.rows_in("val")))
    assert (before.n_train, before.n_val) == (round(0.6 * len(chips)), round(0.2 * len(chips)))
    assert (before.basis.split(";")[0], after.basis) == ("counted in [areas]", "as in chips.parquet")


def test_the_store_will_have_the_form_and_about_the_size_that_it_gets(harvested):
    before, after = foresee_material(harvested, EVERYTHING), foresee_material(harvested, ("pretrain",))
    store = open_chip_store(harvested.study.folder)
    assert before.modalities == after.modalities == store.modalities
    assert before.chip_px == after.chip_px == store.chip_px
    for ahead, found in zip(before.stored, after.stored, strict=True):
        assert (ahead.side_px, ahead.n_bytes, ahead.n_shown) == (found.side_px, found.n_bytes, found.n_shown)
    assert 0.5 < before.store_bytes / after.store_bytes < 2
    raw = sum(one.n_stored * one.n_bytes * one.side_px**2 for one in before.stored)
    shards = sum(path.stat().st_size for path in (harvested.study.store).rglob("*/0") if path.is_file())
    assert shards / (raw * before.n_chips) == pytest.approx(PACKED_SHARE, rel=0.25)


def test_a_chip_folder_is_looked_at_without_reading_all_of_it(tmp_path):
    (tmp_path / "mine" / "s2rgbm").mkdir(parents=True)
    ids = [f"c{number}" for number in range(30)]
    splits = ["train"] * 20 + ["val"] * 6 + ["test"] * 4
    rows = [f"{name},{split}" for name, split in zip(ids, splits, strict=True)]
    (tmp_path / "mine" / "chips.csv").write_text("\n".join(["id,split", *rows]) + "\n")
    for name in ids:
        np.save(tmp_path / "mine" / "s2rgbm" / f"{name}.npy", np.ones((3, 32, 32), np.float32))
    at = context(tmp_path / "study", '[source]\nkind = "folder"\npath = "../mine"\n')
    found = foresee_material(at, EVERYTHING)
    assert (found.n_chips, found.n_train, found.n_val) == (30, 20, 6)
    assert (found.modalities, found.chip_px) == (("s2rgbm",), 32)
    assert found.stored[0].n_stored == 3


def test_a_large_area_is_measured_and_a_small_one_counted():
    outline = box_outline(68, 20, 71, 22)
    counted = len(chips_of_areas([Area("a", outline)], 4480.0)[0])
    assert area_m2(outline) / 4480.0**2 == pytest.approx(counted, rel=0.02)
    assert area_m2(box_outline(-180, -90, 180, 90)) == pytest.approx(510.1e12, rel=1e-3)


def test_a_continent_is_foreseen_in_a_moment(tmp_path):
    at = context(tmp_path, "[areas.all]\nbbox = [-180, -60, 180, 75]\n[pretrain]\nepochs = 1\n")
    started = time.monotonic()
    found = foresee_material(at, EVERYTHING)
    assert time.monotonic() - started < 20  # counting them would take minutes
    assert found.n_chips > 20_000_000


def test_costs_add_up(harvested):
    found = foresee(harvested, EVERYTHING)
    whole, rest = divmod(found.material.n_train, 16)
    assert found.steps_an_epoch == whole + (rest > 0)
    assert found.step_flops == pytest.approx(16 * found.chip_flops, rel=0.01)
    learning = found.epoch_flops - found.validation_flops
    assert learning == pytest.approx(found.material.n_train * found.chip_flops, rel=0.01)
    assert found.total_flops == 3 * found.epoch_flops
    a100, h100 = GPUS
    assert found.seconds_on(a100, 8) == pytest.approx(found.total_flops / (312e12 * 0.4 * 8))
    assert found.seconds_on(h100, 1) == pytest.approx(found.total_flops / (989e12 * 0.35))
    assert found.seconds_here == pytest.approx(found.total_flops / found.speed.flops)
    assert found.disk["model"] == 8 * make_towers(found.step.towers, 0).n_parameters


def test_settings_that_save_memory_cost_operations(harvested, tmp_path):
    plain = foresee(harvested, EVERYTHING)
    frugal = foresee(context(tmp_path, STUDY + "chips_at_once = 4\ncheckpoint_activations = true\n"), EVERYTHING)
    assert frugal.memory.activations < plain.memory.activations / 4
    assert frugal.chip_flops > 4 / 3 * plain.chip_flops
    quick = foresee(context(tmp_path, STUDY + "keep_patches = 0.5\n"), EVERYTHING)
    assert quick.chip_flops < 0.6 * plain.chip_flops
    wide = foresee(context(tmp_path, STUDY + 'precision = "bfloat16"\n'), EVERYTHING)
    assert (plain.speed.precision, wide.speed.precision) == ("float32", "bfloat16")


def test_views_and_windows_are_counted_as_the_preset_has_them_or_as_the_study_says(harvested, tmp_path):
    plain = foresee(harvested, EVERYTHING)
    twice = foresee(context(tmp_path, STUDY + "views = 2\n"), EVERYTHING)
    assert twice.chip_flops == 2 * plain.chip_flops
    assert twice.memory.activations == pytest.approx(2 * plain.memory.activations, rel=0.05)
    cut = foresee(context(tmp_path, STUDY + "crop = 0.5\n"), EVERYTHING)
    assert 0.4 < cut.chip_flops / plain.chip_flops < 0.8
    small = foresee(context(tmp_path, STUDY.replace("tiny", "small")), EVERYTHING)
    assert small.step.n_views == 2 * len(small.material.modalities)


def test_a_dry_run_tells_it_in_words_and_as_facts(tmp_path):
    at = context(tmp_path)
    answer = finish(run_and_report(at.study, Wishes(dry_run=True)))
    text = "\n".join(answer.lines)
    assert "pretrain: would run: may run: 'chips' runs before it\n" in text
    for words in ("0.6 million parameters", "FLOP a chip", "for a process", "disk: ", "time here: ", "on 64 (at 40% of 312 TFLOP/s",
                  "a goal, not measured"):  # fmt: skip
        assert words in text
    facts = json.loads(json.dumps(answer.facts))["pretrain"]
    assert [(one["gpu"], one["count"]) for one in facts["gpus"]] == [
        (g, n) for g in ("A100", "H100") for n in (1, 8, 64)
    ]
    assert facts["here"]["hours"] > 0 and facts["memory"]["total"] > facts["memory"]["weights"]


def test_no_cost_is_told_where_nothing_is_trained(harvested):
    answer = finish(run_and_report(harvested.study, Wishes(only=["chips", "ingest"], dry_run=True)))
    assert len(answer.lines) == 2 and "pretrain" not in answer.facts


def test_what_cannot_be_foreseen_is_said_and_stops_nothing(tmp_path):
    at = context(tmp_path, STUDY.replace("chip_px = 32", "chip_px = 33"))
    answer = cost_of_pretraining(at, EVERYTHING)
    assert answer.lines == (
        "what pretraining will cost cannot be said: chips of 33 px do not divide into patches of 8 px; "
        "change [grid] chip_px or [pretrain] preset",
    )
    assert answer.facts == {}


@pytest.mark.parametrize(
    "value, words", [(0, "0.00 B"), (999, "999 B"), (1000, "1.00 kB"), (1.407e12, "1.41 TB"), (2.5e22, "25,000 EB")]
)
def test_amounts_have_three_digits(value, words):
    assert amount(value, "B") == words


@pytest.mark.parametrize(
    "seconds, words",
    [(0.2, "under a second"), (1, "1.0 seconds"), (119, "119 seconds"), (120, "2.0 minutes"), (7199, "120 minutes"), (36_000, "10 hours"),
     (8.64e6, "100 days")],
)  # fmt: skip
def test_times_are_in_the_largest_unit_of_which_there_are_two(seconds, words):
    assert duration(seconds) == words
