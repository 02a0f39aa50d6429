"""`embed` and `fewshot` on files: what they write, what they refuse, what they never overwrite."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from terrashot.domain.results import PointsLost
from terrashot.errors import InputError, IntegrityError, MisalignedError, StorageError, UsageError
from terrashot.evaluate.protocol import points_lost
from terrashot.steps.embed_chips import EmbedRequest, embed_choices, embed_files
from terrashot.steps.embed_loss import StoringLoss, loss_said
from terrashot.steps.fewshot_tables import FewshotRequest, fewshot_files
from terrashot.steps.given_chips import labels_beside
from terrashot.steps.out_folder import INPUTS
from terrashot.steps.progress import Said, finish
from terrashot.steps.run import Wishes, run_study
from terrashot.store.study import find_study
from terrashot.store.tables import read_chips
from terrashot.store.vectors import read_embeddings


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def said(work):
    """The sentences of some work, and its answer."""
    sentences = []
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            return sentences, stop.value
        if isinstance(event, Said):
            sentences.append(event.text)


@pytest.fixture(scope="module")
def trained(made_once) -> Path:
    """A study of 40 chips of 16 px in two modalities with a trained model."""
    return made_once("trained study", train)


def train(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for modality, unit in (("s2rgbm", "reflectance"), ("s1grdm", "dB")):
        (folder / "chips" / modality).mkdir(parents=True)
        (folder / "chips" / f"{modality}.toml").write_text(f'names = ["red"]\nunits = "{unit}"\n')
        for i in range(40):
            np.save(folder / "chips" / modality / f"c{i}.npy", rng.random((1, 16, 16)).astype(np.float32))
    write_csv(folder / "chips" / "chips.csv", [["id"], *([f"c{i}"] for i in range(40))])
    write_csv(folder / "chips" / "labels.csv", [["id", "kind"], *([f"c{i}", "ab"[i % 2]] for i in range(40))])
    (folder / "study.toml").write_text(
        '[study]\nworkers = 1\n[source]\nkind = "folder"\npath = "chips"\n[pretrain]\npreset = "tiny"\nepochs = 1\n[fewshot]\nsizes = [5]\nrepeats = 2\n'
    )
    finish(run_study(find_study(folder), Wishes()))


def embed_request(trained, out, **changes):
    asked = {"channels": "mean", "absent": "training-mean", "dtype": "float16", "precision": "float32"}
    choices = embed_choices(**{name: changes.pop(name, value) for name, value in asked.items()})
    fields = {"model": trained / "model", "chips": trained / "chips", "out": out, "statistics": "model",
              "floors": None, "overwrite": False, "choices": choices}  # fmt: skip
    return EmbedRequest(**{**fields, **changes})


def test_a_chip_folder_is_embedded_as_its_study_was(trained, tmp_path):
    finish(embed_files(embed_request(trained, tmp_path / "e.parquet")))
    ours, again = read_embeddings(trained / "embeddings.parquet"), read_embeddings(tmp_path / "e.parquet")
    assert (ours.chips.ids, ours.model) == (again.chips.ids, again.model)
    # The study scaled by training chips; so does the model, whose units the folder states.
    np.testing.assert_array_equal(ours.blocks["s2rgbm"], again.blocks["s2rgbm"])
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("e.parquet")] == []


def test_floors_and_the_zarr_copy_of_the_same_chips_are_written_beside_where_they_are_asked_for(trained, tmp_path):
    asked = embed_request(trained, tmp_path / "e.parquet", floors=tmp_path / "f.parquet", zarr=tmp_path / "e.zarr")
    finish(embed_files(asked))
    assert set(read_embeddings(tmp_path / "f.parquet").blocks) == {
        f"{kind}:{modality}"
        for kind in ("image_stats", "random_conv", "untrained")
        for modality in ("s2rgbm", "s1grdm")
    }
    table, copy = read_embeddings(tmp_path / "e.parquet"), zarr.open_group(tmp_path / "e.zarr", mode="r")
    assert copy["id"][:].tolist() == list(table.chips.ids)
    np.testing.assert_array_equal(copy["s1grdm/vectors"][:], table.blocks["s1grdm"])


def test_what_int8_costs_in_accuracy_is_said_where_labels_lie_beside_the_chips(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(points_lost, "FEWEST", 4)
    asked = embed_request(trained, tmp_path / "e.parquet", dtype="int8")
    told = [sentence for sentence in said(embed_files(asked))[0] if " as int8: " in sentence]
    assert [sentence.split(" as ")[0] for sentence in told] == ["s2rgbm", "s1grdm"]
    assert all("accuracy" in sentence and "1 targets, 8 test chips" in sentence for sentence in told)


def test_labels_come_from_the_study_or_from_the_chip_folder_and_there_may_be_none(trained, tmp_path):
    chips = read_chips(trained / "chips.parquet")
    of_study, of_folder = (labels_beside(path, chips) for path in (trained, trained / "chips"))
    assert dict(zip(of_study.chip_ids, of_study.targets["kind"], strict=True)) == dict(
        zip(of_folder.chip_ids, of_folder.targets["kind"], strict=True)
    )
    assert labels_beside(tmp_path, chips) is None


def test_labels_that_cannot_be_used_do_not_stop_the_embedding(trained, tmp_path):
    chips = Path(shutil.copytree(trained / "chips", tmp_path / "chips"))
    (chips / "labels.csv").write_text("id,kind\nno-such-chip,a\n")
    sentences, _ = said(embed_files(embed_request(trained, tmp_path / "e.parquet", chips=chips, dtype="int8")))
    assert any("so what int8 costs in accuracy is not told" in told for told in sentences)
    assert sum("no labels tell what that costs in accuracy" in told for told in sentences) == 2


@pytest.mark.parametrize(
    ("after", "neighbours", "warns"), [(0.895, 5.0, False), (0.885, 0.5, True), (None, 0.5, False), (None, 1.5, True)]
)
def test_the_warning_is_for_a_point_of_accuracy_and_without_labels_for_a_neighbour_in_a_hundred(
    after, neighbours, warns
):
    told = None if after is None else PointsLost(0.9, after, 250, 2, 500)
    (sentence,) = loss_said({"optical": StoringLoss(neighbours, told)}, "int8")
    assert ("more than a point: float16 loses less" in sentence.text) == warns


def test_chips_in_another_unit_are_refused_unless_their_own_statistics_are_asked_for(trained, tmp_path):
    chips = Path(shutil.copytree(trained / "chips", tmp_path / "chips"))
    (chips / "s1grdm.toml").write_text('names = ["red"]\nunits = "coherence"\n')
    with pytest.raises(IntegrityError, match="--statistics chips"):
        finish(embed_files(embed_request(trained, tmp_path / "e.parquet", chips=chips)))
    finish(embed_files(embed_request(trained, tmp_path / "e.parquet", chips=chips, statistics="chips")))


@pytest.mark.parametrize("name", ["e.parquet", "e.zarr", "f.parquet"])
def test_an_output_that_exists_is_never_overwritten_unasked(trained, tmp_path, name):
    (tmp_path / name).write_text("mine")
    asked = embed_request(trained, tmp_path / "e.parquet", floors=tmp_path / "f.parquet", zarr=tmp_path / "e.zarr")
    with pytest.raises(StorageError, match="add --overwrite"):
        finish(embed_files(asked))
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"channels": "nir"}, UsageError, "--channels nir: no channel of this name or kind; there are red"),
        ({"absent": "drop"}, UsageError, "--absent drop: no such choice; choices are training-mean, ridge"),
        ({"dtype": "int4"}, UsageError, "--dtype int4: no such choice; choices are float16, float32, int8"),
        ({"precision": "half"}, UsageError, "--precision half: no such choice"),
        ({"statistics": "mine"}, UsageError, "--statistics mine"),
        ({"model": Path("nowhere")}, InputError, "no model.json in it"),
        ({"chips": Path("nowhere")}, InputError, "no chip folder, no study and no chip store"),
    ],
)
def test_what_cannot_be_embedded_is_refused(trained, tmp_path, changes, kind, message):
    with pytest.raises(kind) as error:
        finish(embed_files(embed_request(trained, tmp_path / "e.parquet", **changes)))
    assert message in str(error.value)


def elsewhere(folder, n=60, first=0):
    """Somebody else's table and labels."""
    rng = np.random.default_rng(1)
    y = np.arange(n) % 2
    vectors = (rng.normal(size=(n, 4)) + 2 * y[:, None]).astype(np.float32)
    pq.write_table(pa.table({"id": [f"x{i}" for i in range(n)], "clay": list(vectors)}), folder / "theirs.parquet")
    write_csv(
        folder / "labels.csv",
        [["id", "kind"], *([f"x{i}", "wet" if i % 2 else "dry"] for i in range(first, n + first))],
    )
    return FewshotRequest(folder / "theirs.parquet", folder / "labels.csv", folder / "out", None, None, False)


def test_anybodys_embeddings_and_labels_give_curves_and_a_report(tmp_path):
    sentences, answer = said(fewshot_files(elsewhere(tmp_path)))
    assert (tmp_path / "out" / "report.html").is_file()
    assert answer.facts["verdicts"][0]["features"] == "clay"
    assert any("random chips, 60/20/20" in sentence for sentence in sentences)


def test_ids_without_a_partner_are_counted_with_examples_and_none_at_all_is_an_error(tmp_path):
    sentences, _ = said(fewshot_files(elsewhere(tmp_path, first=5)))
    assert "5 vectors without a label, such as x0, x1, x2" in sentences
    assert "5 labels without a vector, such as x60, x61, x62" in sentences
    (tmp_path / "none").mkdir()
    with pytest.raises(MisalignedError, match="ids must meet exactly"):
        finish(fewshot_files(elsewhere(tmp_path / "none", first=100)))


def test_a_finished_output_is_kept_and_an_unfinished_one_of_the_same_inputs_is_taken_up(tmp_path):
    request = elsewhere(tmp_path)
    finish(fewshot_files(request))
    with pytest.raises(StorageError, match="is not empty"):
        finish(fewshot_files(request))
    (tmp_path / "out" / "report.html").unlink()
    finish(fewshot_files(request))
    (tmp_path / "out" / "report.html").unlink()
    (tmp_path / "out" / INPUTS).write_text("{}")
    with pytest.raises(StorageError, match="is not empty"):
        finish(fewshot_files(request))


def test_a_table_too_large_to_be_read_is_refused_at_once(tmp_path):
    request = elsewhere(tmp_path)
    with request.embeddings.open("wb") as file:
        file.truncate(1 << 40)  # to take its digest first would take an hour
    with pytest.raises((InputError, IntegrityError)):
        finish(fewshot_files(request))
