"""Each kind of bad input: its exit code, one line that says what and where, and nothing lost of what was there."""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from terrashot.durable.lock import sole_writer

STUDY = """
[study]
name = "folder"
workers = 1
[source]
kind = "folder"
path = "chips"
[split]
scheme = "random"
[pretrain]
preset = "tiny"
epochs = 1
batch_size = 16
[fewshot]
sizes = [5]
repeats = 2
[embed]
floors = false
"""


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def good_study(folder: Path, n=40) -> Path:
    """A study of 40 chips of 16 px, two modalities, that would run."""
    chips = folder / "chips"
    rng = np.random.default_rng(0)
    for modality, channels in (("s2rgbm", 3), ("s1grdm", 1)):
        (chips / modality).mkdir(parents=True)
        for i in range(n):
            np.save(chips / modality / f"c{i}.npy", rng.integers(0, 200, (channels, 16, 16)).astype(np.uint8))
    write_csv(chips / "chips.csv", [["id", "area"], *([f"c{i}", "a"] for i in range(n))])
    write_csv(chips / "labels.csv", [["id", "flooded"], *([f"c{i}", f"{i / n}"] for i in range(n))])
    (folder / "study.toml").write_text(STUDY)
    return folder


def edit(name, old, new):
    def damage(folder):
        path = folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return damage


def rewrite(name, rows):
    return lambda folder: write_csv(folder / name, rows)


def empty_folder(folder):
    for path in sorted((folder / "chips").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def image(name, pixels):
    return lambda folder: np.save(folder / "chips" / name, pixels)


def all_nan_label(folder):
    write_csv(folder / "chips" / "labels.csv", [["id", "flooded"], *([f"c{i}", ""] for i in range(40))])


def every_image_nan(folder):
    for i in range(40):
        np.save(folder / "chips" / "s2rgbm" / f"c{i}.npy", np.full((3, 16, 16), np.nan, np.float32))


def garbage(name, content=b"not an image"):
    return lambda folder: (folder / "chips" / name).write_bytes(content)


def only_to_train_on(folder):
    splits = ("train", "train", "train", "val")
    write_csv(folder / "chips" / "chips.csv", [["id", "split"], *([f"c{i}", splits[i % 4]] for i in range(40))])
    edit("study.toml", '"random"', '"given"')(folder)


CASES = {
    "an unknown key": (edit("study.toml", "epochs", "epoch"), 2, "[pretrain]: unknown key 'epoch'; did you mean 'epochs'?"),
    "a wrong type": (edit("study.toml", "epochs = 1", 'epochs = "1"'), 2, "epochs: Input should be a valid integer"),
    "a value out of range": (edit("study.toml", "epochs = 1", "epochs = 0"), 2, "greater than or equal to 1"),
    "no study file": (lambda f: (f / "study.toml").unlink(), 2, "neither a TOML file nor a folder with study.toml"),
    "no toml": (edit("study.toml", "[study]", "[study"), 2, "cannot be read as TOML"),
    "a missing chip folder": (edit("study.toml", '"chips"', '"chops"'), 3, "no such chip folder"),
    "an empty chip folder": (empty_folder, 3, "chips.csv: no such file"),
    "no images": (lambda f: [p.unlink() for p in (f / "chips").glob("s*/*")], 3, "no image of any chip"),
    "a missing column": (rewrite("chips/chips.csv", [["name"], ["c0"]]), 3, "columns must be id and any of"),
    "a duplicate id": (edit("chips/chips.csv", "c1,a", "c0,a"), 3, "id 'c0' stands in line 2 and in line 3"),
    "an id that is a path": (edit("chips/chips.csv", "c1,a", "../c1,a"), 3, "line 3: id '../c1' must be"),
    "an unknown split": (rewrite("chips/chips.csv", [["id", "split"], ["c0", "train"], ["c1", "dev"]]), 3, "line 3: split 'dev' is none of"),
    "half a place": (rewrite("chips/chips.csv", [["id", "lon", "lat"], ["c0", "9", ""]]), 3, "line 2: lon '9' and lat ''"),
    "swapped places": (rewrite("chips/chips.csv", [["id", "lon", "lat"], ["c0", "9", "145"]]), 3, "longitude comes first"),
    "a row of another length": (edit("chips/chips.csv", "c1,a", "c1,a,b"), 3, "line 3 has 3 cells"),
    "a wrong size": (image("s2rgbm/c7.npy", np.zeros((3, 8, 8), np.uint8)), 3, "c7.npy: 8 px, the other s2rgbm files have 16"),
    "a missing channel": (image("s2rgbm/c7.npy", np.zeros((2, 16, 16), np.uint8)), 3, "c7.npy: 2 channels, the other s2rgbm files have 3"),
    "an unreadable image": (garbage("s2rgbm/c7.npy"), 3, "1 of 40 chips could not be read, the first c7"),
    "an image of objects": (lambda f: np.save(f / "chips/s2rgbm/c7.npy", np.array([{}]), allow_pickle=True), 3, "c7.npy: object of shape"),
    "an image that is not square": (image("s2rgbm/c7.npy", np.zeros((3, 16, 8), np.uint8)), 3, "is no square image"),
    "all images without data": (every_image_nan, 3, "0 train chips have the same two modalities, pretraining needs at least 2"),
    "an unknown channel key": (lambda f: (f / "chips/s2rgbm.toml").write_text('name = ["a"]'), 3, "unknown key 'name'; did you mean 'names'?"),
    "an unknown unit": (lambda f: (f / "chips/s2rgbm.toml").write_text('units = "metres"'), 3, "are none of reflectance, dB"),
    "labels and no chip to test": (only_to_train_on, 3, "no chip is in test after the split of 40 chips"),
    "no labels": (lambda f: (f / "chips/labels.csv").unlink(), 3, "labels.csv: no such file"),
    "a label without a chip": (edit("chips/labels.csv", "c1,", "x1,"), 3, "1 labels are of no chip in chips.csv, the first 'x1'"),
    "a label twice": (edit("chips/labels.csv", "c1,", "c0,"), 3, "id 'c0' stands in line 2 and in line 3"),
    "text among numbers": (edit("chips/labels.csv", "c1,0.025", "c1,wet"), 3, "line 3: 'flooded' is 'wet' where other rows hold numbers"),
    "a constant label": (rewrite("chips/labels.csv", [["id", "flooded"], *([f"c{i}", "0"] for i in range(40))]), 3, "nothing to tell apart"),
    "no label known": (all_nan_label, 3, "nothing to tell apart among its 0 training labels"),
    "fewer chips than the smallest draw": (edit("study.toml", "sizes = [5]", "sizes = [100]"), 3, "the smallest draw asks for 100"),
    "one modality only": (lambda f: [p.unlink() for p in (f / "chips").glob("s1grdm/*")], 3, "pretraining needs at least two modalities"),
    "an unknown target": (edit("study.toml", "[embed]", '[labels]\ntargets = ["dry"]\n[embed]'), 3, "no target 'dry'; targets are flooded"),
}  # fmt: skip


def in_process(capsys, monkeypatch, *args):
    """Exit code, last line on standard error and standard output of the command line, without the cost of a new process."""
    from terrashot.cli import main

    monkeypatch.setattr(sys, "argv", ["terrashot", *map(str, args)])
    with pytest.raises(SystemExit) as stop:
        main()
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return int(stop.value.code or 0), (captured.err.splitlines() or [""])[-1], captured.out


@pytest.mark.parametrize("kind", CASES)
def test_bad_input_gets_its_code_and_one_line_and_nothing_is_lost(kind, tmp_path, capsys, monkeypatch):
    damage, code, said = CASES[kind]
    folder = good_study(tmp_path)
    damage(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found, line, _ = in_process(capsys, monkeypatch, "run", folder, "--json")
    assert (found, said in line) == (code, True), line
    assert line.startswith("terrashot: ")
    assert {path: path.read_bytes() for path in before} == before


def test_a_good_folder_runs_to_its_report(tmp_path, capsys, monkeypatch):
    code, _, out = in_process(capsys, monkeypatch, "run", good_study(tmp_path), "--json")
    assert code == 0
    assert Path(json.loads(out.splitlines()[-1])["report"]).is_file()


def test_a_new_study_is_never_made_over_something(tmp_path, capsys, monkeypatch):
    (tmp_path / "precious.txt").write_text("mine")
    code, line, _ = in_process(capsys, monkeypatch, "new", tmp_path)
    assert (code, "is not empty; name a new folder, nothing was changed" in line) == (5, True)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("new", "x", "--template", "earth"), "no such template; templates are simulated, folder, open-data"),
        (("new", "x", "--template", "folder"), "--chips PATH belongs to --template folder"),
        (("run",), "Missing parameter: study"),
        (("runn", "x"), "No such command"),
        (("run", "x", "--onlyy", "chips"), "No such option"),
    ],
)
def test_wrong_usage_is_exit_code_2(args, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, line, _ = in_process(capsys, monkeypatch, *args)
    assert (code, said in line) == (2, True), line


def test_two_runs_at_once_name_the_holder(tmp_path, capsys, monkeypatch):
    folder = good_study(tmp_path)
    with sole_writer(folder):
        code, line, _ = in_process(capsys, monkeypatch, "run", folder)
    assert (code, f"is locked by process {os.getpid()}" in line) == (5, True)


def test_errors_are_json_too_when_asked(tmp_path, capsys, monkeypatch):
    _, _, out = in_process(capsys, monkeypatch, "run", tmp_path, "--json")
    answer = json.loads(out.splitlines()[-1])
    assert (answer["ok"], answer["exit_code"]) == (False, 2)


@pytest.mark.parametrize("command", ["new", "run", "status", "verify", "embed", "fewshot"])
def test_every_command_has_help_with_an_example(command, capsys, monkeypatch):
    code, _, out = in_process(capsys, monkeypatch, command, "--help")
    assert code == 0
    assert "Example: " in out


def test_chips_without_labels_need_no_test_chip_until_there_are_labels(tmp_path, capsys, monkeypatch):
    folder = good_study(tmp_path)
    only_to_train_on(folder)
    labels = folder / "chips" / "labels.csv"
    kept = labels.read_bytes()
    labels.unlink()
    assert in_process(capsys, monkeypatch, "run", folder, "--only", "chips", "--json")[0] == 0
    labels.write_bytes(kept)
    code, line, _ = in_process(capsys, monkeypatch, "run", folder, "--only", "labels", "--json")
    assert code == 3 and "no chip is in test, so labels would tell nothing" in line
