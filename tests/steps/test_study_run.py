"""A whole study, small: every step, every artefact, and what a second run does."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from terrashot.config import read_config
from terrashot.durable.lock import sole_writer
from terrashot.errors import IntegrityError, LockedError, UsageError
from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_study
from terrashot.steps.status import study_status
from terrashot.steps.verify import verify_path
from terrashot.store.study import find_study

STUDY = """
[study]
name = "small"
workers = 1
[grid]
chip_px = 16
pixel_m = 40.0
[areas.north]
bbox = [9.40, 45.10, 9.46, 45.15]
[split]
scheme = "bands"
bands = 5
[pretrain]
preset = "tiny"
epochs = 2
batch_size = 16
[fewshot]
sizes = [5, 20]
repeats = 2
[report]
plates = 2
"""
CONTENTS = (
    "chips.parquet", "presence.parquet", "labels.parquet", "model/model.json", "model/weights.safetensors",
    "embeddings.parquet", "floors.parquet", "results.parquet", "block_scores.parquet", "projection.parquet",
    "figures/curves-forest.png", "figures/areas.svg", "report.html",
)  # fmt: skip


def make(folder: Path, text: str = STUDY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(text)
    return folder


def run(folder: Path, **wishes):
    return finish(run_study(find_study(folder), Wishes(**wishes)))


@pytest.fixture(scope="module")
def finished(made_once) -> Path:
    return made_once("small study", lambda folder: run(make(folder)))


@pytest.fixture
def copy(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_every_artefact_of_the_study_folder_is_there(finished):
    assert [name for name in CONTENTS if not (finished / name).is_file()] == []
    assert not list(finished.rglob("*.part"))
    assert not (finished / "model.state").exists()


def test_results_have_the_columns_that_other_programs_rely_on(finished):
    names = pq.read_schema(finished / "results.parquet").names
    assert names == [
        "task",
        "area",
        "train_area",
        "split_scheme",
        "features",
        "head",
        "n_labels_asked",
        "n_labels",
        "repeat",
        "seed",
        "n_test",
        "threshold",
        "balance",
        "accuracy",
        "balanced_accuracy",
        "f1",
        "auc",
        "average_precision",
        "mcc",
        "brier",
        "r2",
        "mae",
        "spearman",
        "settings",
    ]
    table = pq.read_table(finished / "results.parquet")
    assert {"s2rgbm", "s1grdm", "gunw", "modsconcat", "majority", "coordinates", "image_stats", "random_conv",
            "untrained", "image_stats:s2rgbm"} <= set(table["features"].to_pylist())  # fmt: skip
    assert set(table["task"].to_pylist()) == {"vegetation", "builtup", "cropland", "water"}


def test_chips_have_the_columns_that_other_programs_rely_on(finished):
    names = pq.read_schema(finished / "chips.parquet").names
    assert names == [
        "id",
        "area",
        "group",
        "split",
        "geometry",
        "bbox",
        "utm_epsg",
        "row",
        "col",
        "lon",
        "lat",
        "grid_cell",
    ]


def test_a_second_run_does_nothing_and_says_why(copy):
    decisions = run(copy)
    assert not any(decision.runs for decision in decisions)
    assert {d.why for d in decisions} == {"done, and nothing it depends on has changed"}


@pytest.mark.slow
def test_the_same_study_gives_the_same_bytes_with_two_workers(finished, tmp_path):
    other = make(tmp_path / "other", STUDY.replace("workers = 1", "workers = 2"))
    run(other)
    differing = [name for name in CONTENTS if (finished / name).read_bytes() != (other / name).read_bytes()]
    assert differing == []


def test_a_dry_run_tells_what_would_run_and_touches_nothing(copy):
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    text = (copy / "study.toml").read_text()
    (copy / "study.toml").write_text(text.replace("repeats = 2", "repeats = 3"))
    before[copy / "study.toml"] = (copy / "study.toml").stat().st_mtime_ns
    decisions = {d.step: d.runs for d in run(copy, dry_run=True)}
    assert decisions == {"chips": False, "ingest": False, "labels": False, "pretrain": False, "embed": False,
                         "fewshot": True, "missing": True, "report": True}  # fmt: skip
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


@pytest.mark.slow
def test_a_changed_setting_reruns_only_what_it_touches(copy):
    text = (copy / "study.toml").read_text()
    (copy / "study.toml").write_text(text.replace("plates = 2", "plates = 1"))
    assert [d.step for d in run(copy) if d.runs] == ["report"]


@pytest.mark.slow
def test_a_new_area_fetches_only_its_own_chips_embeds_none_twice_and_moves_none_on_the_map(copy):
    text = (copy / "study.toml").read_text()
    old = np.array(pq.read_table(copy / "embeddings.parquet")["id"].to_pylist())
    shards = {path: path.stat().st_mtime_ns for path in (copy / "chips.zarr").glob("*/c/*/0/0/0")}
    places = places_by_id(copy)
    more = text.replace("[split]", "[areas.west]\nbbox = [9.10, 45.10, 9.16, 45.17]\n[split]")
    (copy / "study.toml").write_text(more)
    ran = [d.step for d in run(copy) if d.runs]
    assert "pretrain" not in ran
    assert {path: path.stat().st_mtime_ns for path in shards} == shards
    new = pq.read_table(copy / "embeddings.parquet")
    assert set(old) < set(new["id"].to_pylist())
    assert places.items() < places_by_id(copy).items()


def places_by_id(folder):
    table = pq.read_table(folder / "projection.parquet")
    return {row.pop("id"): (row["s2rgbm_x"], row["gunw_y"]) for row in table.to_pylist()}


def test_a_split_that_tests_on_what_the_model_has_seen_trains_again(copy):
    text = (copy / "study.toml").read_text()
    (copy / "study.toml").write_text(text.replace("bands = 5", "bands = 6").replace('"bands"', '"random"'))
    decisions = {d.step: d for d in run(copy, dry_run=True)}
    assert decisions["chips"].runs
    run(copy, only=["chips"])
    why = {d.step: d.why for d in run(copy, only=["pretrain"], dry_run=True)}
    assert "are now in test" in why["pretrain"]


def test_two_runs_at_once_are_refused(copy):
    with sole_writer(copy), pytest.raises(LockedError, match="is locked by process"):
        run(copy)


def test_an_unknown_step_is_refused_by_name(copy):
    with pytest.raises(UsageError, match="no step 'train'; steps are chips, ingest"):
        run(copy, only=["train"])


def test_status_tells_steps_and_absences(finished):
    answer = study_status(find_study(finished))
    assert all(state.startswith("done") for state in answer.facts["steps"].values())
    assert any(modality == "gunw" for modality, *_ in answer.facts["absent"])


def test_a_whole_study_verifies(finished):
    answer = finish(verify_path(finished, repair=False))
    assert answer.facts["damaged"] == []
    assert {"chips.parquet", "chips.zarr", "model", "manifest.jsonl", "report.html"} <= set(answer.facts["checked"])


@pytest.mark.parametrize(
    "name", ["chips.parquet", "embeddings.parquet", "results.parquet", "model/weights.safetensors", "model/model.json", "metrics.jsonl",
             "report.html", "chips.zarr/s2rgbm/c/0/0/0/0"],
)  # fmt: skip
def test_one_flipped_bit_in_any_artefact_is_found_by_verify(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(IntegrityError, match="1 damaged"):
        finish(verify_path(copy, repair=False))


def test_the_report_says_simulated_and_asks_for_nothing_outside_itself(finished):
    page = (finished / "report.html").read_text()
    assert "(simulated)" in page
    assert "<strong>Simulated.</strong>" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert "<script" not in page


def test_training_chips_alone_are_seen_in_pretraining(finished):
    seen = set(json.loads((finished / "model" / "model.json").read_text())["summary"]["seen_chips"])
    table = pq.read_table(finished / "chips.parquet", columns=["id", "split"]).to_pydict()
    by_split = dict(zip(table["id"], table["split"], strict=True))
    assert {by_split[chip_id] for chip_id in seen} == {"train", "val"}


def test_the_template_is_a_study_that_may_run(tmp_path):
    from terrashot.steps.new import make_study

    make_study(tmp_path / "demo", "simulated", None)
    assert read_config(tmp_path / "demo" / "study.toml").study.name == "demo"
