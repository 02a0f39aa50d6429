"""`missing` on files: what it writes, what it refuses, what it never overwrites."""

import numpy as np
import pytest
from test_table_commands import train, write_csv

from terrashot.errors import InputError, StorageError, UsageError
from terrashot.steps.missing_files import MissingRequest, missing_files
from terrashot.steps.progress import finish
from terrashot.store.missing import read_missing


@pytest.fixture(scope="module")
def trained(made_once):
    return made_once("trained study", train)


def request_of(trained, out, **changes):
    fields = {"model": trained / "model", "chips": trained / "chips", "labels": out.parent / "labels.csv", "out": out,
              "channels": "each", "statistics": "model", "overwrite": False}  # fmt: skip
    return MissingRequest(**{**fields, **changes})


@pytest.fixture
def labelled(tmp_path):
    write_csv(tmp_path / "labels.csv", [["id", "kind"], *([f"c{i}", "ab"[i % 2]] for i in range(40))])
    return tmp_path


def test_a_chip_folder_a_model_and_labels_give_a_table_a_figure_and_sentences(trained, labelled):
    answer = finish(missing_files(request_of(trained, labelled / "gone")))
    report = read_missing(labelled / "gone" / "missing.parquet")
    assert {row.left_out for row in report.scores} >= {"", "s2rgbm", "s1grdm"}
    assert len(answer.facts["scores"]) == len(report.scores)
    assert sorted(path.name for path in (labelled / "gone").glob("missing*")) == [
        "missing-1.png", "missing-1.svg", "missing.parquet", "missing.parquet.sha256",
    ]  # fmt: skip
    assert not (labelled / "gone" / "work").exists()


def test_a_study_s_own_step_says_the_same_as_the_command(trained, labelled):
    own = read_missing(trained / "missing.parquet")
    finish(missing_files(request_of(trained, labelled / "gone", labels=trained / "chips" / "labels.csv")))
    found = read_missing(labelled / "gone" / "missing.parquet")
    assert [(row.left_out, row.answer) for row in own.scores] == [(row.left_out, row.answer) for row in found.scores]
    full = [[row.score for row in report.scores if row.is_full] for report in (own, found)]
    np.testing.assert_allclose(*full, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"channels": "random"}, UsageError, "--channels random: no such choice; choices are mean, each, each-date"),
        ({"statistics": "mine"}, UsageError, "--statistics mine"),
        ({"model": "chips"}, InputError, "no model.json in it"),
    ],
)
def test_what_cannot_be_measured_is_refused(trained, labelled, changes, kind, said):
    if "model" in changes:
        changes = {"model": trained / "chips"}
    with pytest.raises(kind, match=said):
        finish(missing_files(request_of(trained, labelled / "gone", **changes)))


def test_a_folder_with_something_in_it_is_left_alone(trained, labelled):
    (labelled / "gone").mkdir()
    (labelled / "gone" / "mine.txt").write_text("mine")
    with pytest.raises(StorageError, match="is not empty"):
        finish(missing_files(request_of(trained, labelled / "gone")))
