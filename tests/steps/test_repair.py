"""What is damaged is named with what is lost; after a repair the next run redoes that alone."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from terrashot.errors import IntegrityError
from terrashot.steps.plan import LONG_SECONDS
from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_study
from terrashot.steps.verify import verify_path
from terrashot.store import manifest
from terrashot.store.chips import open_chip_store
from terrashot.store.study import find_study
from terrashot.store.vectors import read_embeddings

STUDY = """
[study]
workers = 1
[source]
kind = "folder"
path = "chips"
[split]
scheme = "random"
[pretrain]
preset = "tiny"
epochs = 1
[fewshot]
sizes = [5]
repeats = 2
[report]
plates = 0
"""


@pytest.fixture(scope="module")
def finished(made_once) -> Path:
    return made_once("study to repair", finish_study)


def finish_study(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for modality in ("s2rgbm", "s1grdm"):
        (folder / "chips" / modality).mkdir(parents=True)
        for i in range(40):
            np.save(folder / "chips" / modality / f"c{i}.npy", rng.integers(0, 200, (1, 8, 8)).astype(np.uint8))
    for name, rows in (
        ("chips", [["id"], *([f"c{i}"] for i in range(40))]),
        ("labels", [["id", "wet"], *([f"c{i}", i / 40] for i in range(40))]),
    ):
        with (folder / "chips" / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    (folder / "study.toml").write_text(STUDY)
    run(folder)


@pytest.fixture
def study(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "study"))


def run(folder, **wishes):
    return [decision.step for decision in finish(run_study(find_study(folder), Wishes(**wishes))) if decision.runs]


def flip(path, share=0.5):
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 4
    path.write_bytes(content)


def verify(folder, *, repair=False):
    return finish(verify_path(folder, repair=repair))


@pytest.mark.parametrize(
    ("name", "redone"),
    [
        ("chips.parquet", ["chips"]), ("presence.parquet", ["ingest"]), ("labels.parquet", ["labels"]), ("embeddings.parquet", ["embed"]),
        ("floors.parquet", ["embed"]), ("results.parquet", ["fewshot"]), ("missing.parquet", ["missing"]), ("report.html", ["report"]), ("model/weights.safetensors", ["pretrain"]),
        ("chips.zarr/s2rgbm/c/0/0/0/0", ["ingest"]), ("chips.zarr/s2rgbm/zarr.json", ["ingest"]), ("chips.ledger.sqlite", []),
        ("manifest.jsonl", []), ("metrics.jsonl", []),
    ],
)  # fmt: skip
def test_only_the_step_that_made_the_damaged_part_runs_again_and_its_content_is_the_same(study, name, redone):
    card = "embeddings.parquet.health.json"
    before = {path: (study / path).read_bytes() for path in (name, card)}
    flip(study / name)
    with pytest.raises(IntegrityError, match=f"{Path(name).parts[0]}.*run: terrashot verify --repair"):
        verify(study)
    assert verify(study, repair=True).facts["damaged"][0]["file"]
    assert run(study) == redone
    assert {path: (study / path).read_bytes() for path in before} == before
    assert verify(study).facts["damaged"] == []


def test_the_chip_that_is_lost_is_named(study):
    flip(study / "chips.zarr" / "s2rgbm" / "c" / "0" / "0" / "0" / "0", share=0.001)
    with pytest.raises(IntegrityError, match=r"chips\.zarr/s2rgbm/c/0/0/0/0: .* \(lost: c0\)"):
        verify(study)


def test_a_chip_whose_file_was_mended_is_embedded_again_once_its_pixels_are_there(study):
    wanted = read_embeddings(study / "embeddings.parquet")
    good = study / "chips" / "s1grdm" / "c3.npy"
    right = good.read_bytes()
    good.write_bytes(b"cut short")
    (study / "study.toml").write_text(STUDY + "[ingest]\nmax_failed_share = 0.5\n")
    run(study, only=["ingest", "embed"], redo=["ingest"])
    row = wanted.chips.ids.index("c3")
    assert read_embeddings(study / "embeddings.parquet").n_channels["s1grdm"][row] == 0
    good.write_bytes(right)
    for modality in ("s2rgbm", "s1grdm"):
        np.save(study / "chips" / modality / "new.npy", np.zeros((1, 8, 8), np.uint8))
    with (study / "chips" / "chips.csv").open("a") as file:
        file.write("new\n")
    run(study, only=["chips", "ingest", "embed"])
    found = read_embeddings(study / "embeddings.parquet")
    np.testing.assert_array_equal(found.blocks["s1grdm"][found.chips.ids.index("c3")], wanted.blocks["s1grdm"][row])


def test_a_modality_that_shows_nothing_anywhere_gets_no_column_and_the_study_goes_on(study):
    for path in (study / "chips" / "s1grdm").glob("*.npy"):
        np.save(path, np.full((1, 8, 8), np.nan, np.float32))
    steps = ["ingest", "embed", "fewshot"]
    run(study, only=steps, redo=["ingest"])
    assert list(read_embeddings(study / "embeddings.parquet").blocks) == ["s2rgbm"]
    assert verify(study).facts["damaged"] == []


def test_embedding_refuses_a_store_that_waits_for_repair(study):
    flip(study / "chips.zarr" / "s2rgbm" / "c" / "0" / "0" / "0" / "0")
    verify(study, repair=True)
    with pytest.raises(IntegrityError, match="waits for repair"):
        run(study, only=["embed"], redo=["embed"])


@pytest.mark.slow
def test_a_change_of_settings_and_back_never_leaves_the_other_outcome(study):
    right, text = (study / "results.parquet").read_bytes(), (study / "study.toml").read_text()
    line = manifest.read(study / "manifest.jsonl")
    (study / "study.toml").write_text(text.replace("sizes = [5]", "sizes = [6]"))
    run(study)
    # As a run leaves it that was killed before its line: the tables are of 6 labels, the manifest tells of 5.
    (study / "manifest.jsonl").unlink()
    for step in line.values():
        manifest.append(study / "manifest.jsonl", step)
    (study / "study.toml").write_text(text)
    assert run(study) == ["fewshot", "report"]
    assert (study / "results.parquet").read_bytes() == right


@pytest.mark.slow
def test_pixels_of_another_source_are_all_read_again(study):
    shutil.copytree(study / "chips", study / "others")
    for path in (study / "others").glob("*/*.npy"):
        np.save(path, 255 - np.load(path))
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace('path = "chips"', 'path = "others"'))
    assert {"ingest", "pretrain", "embed"} <= set(run(study))
    wanted = np.load(study / "others" / "s2rgbm" / "c7.npy")[0]
    np.testing.assert_array_equal(open_chip_store(study).read("s2rgbm", [("c7", 0)])[0], wanted)


def test_a_long_harvest_is_repaired_without_asking_for_all_of_it(study):
    lines = manifest.read(study / "manifest.jsonl")
    long = replace(lines["ingest"], seconds=LONG_SECONDS + 1)
    manifest.append(study / "manifest.jsonl", long)
    (study / "chips.zarr" / "s1grdm" / "c" / "0" / "0" / "0" / "0").unlink()
    verify(study, repair=True)
    assert run(study) == ["ingest"]
