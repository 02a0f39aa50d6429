"""`torchrun` starts several processes of one run: the first does every step, the others help it to train."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_study
from terrashot.store.study import find_study

pytestmark = pytest.mark.slow

STUDY = """
[source]
kind = "folder"
path = "chips"
[split]
scheme = "random"
[pretrain]
preset = "tiny"
epochs = 2
batch_size = 13
chips_at_once = 5
tensorboard = true
"""


def make_study(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    ids = [f"c{number:02d}" for number in range(60)]
    for modality in ("s2rgbm", "s1grdm"):
        (folder / "chips" / modality).mkdir(parents=True)
        for chip_id in ids:
            if not (modality == "s1grdm" and chip_id.endswith("3")):
                np.save(
                    folder / "chips" / modality / f"{chip_id}.npy", rng.integers(0, 200, (2, 8, 8)).astype(np.uint8)
                )
    (folder / "chips" / "chips.csv").write_text("id,area\n" + "".join(f"{chip_id},a\n" for chip_id in ids))
    (folder / "study.toml").write_text(STUDY)
    return folder


def torchrun(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "terrashot",
    ]
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=200, env=os.environ
    )


def metrics_of(study: Path) -> list[dict]:
    return [json.loads(line) for line in (study / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def studies(made_once):
    """The same study trained in one process and in two."""
    folder = made_once("studies of torchrun", train_both)
    return folder / "alone", folder / "together"


@pytest.fixture(scope="module")
def spoken(studies):
    """What the two processes said."""
    return tuple((studies[1].parent / name).read_text() for name in ("stdout", "stderr"))


def train_both(folder):
    alone, together = (make_study(folder / name) for name in ("alone", "together"))
    for study in (alone, together):
        finish(run_study(find_study(study), Wishes(only=("chips", "ingest"))))
    finish(run_study(find_study(alone), Wishes(only=("pretrain",))))
    ended = torchrun("run", together, "--only", "pretrain", "--json")
    assert ended.returncode == 0, ended.stderr[-2000:]
    (folder / "stdout").write_text(ended.stdout)
    (folder / "stderr").write_text(ended.stderr)


def test_two_processes_train_to_the_losses_of_one(studies):
    alone, together = studies
    for one, two in zip(metrics_of(alone), metrics_of(together), strict=True):
        assert two["train_loss"] == pytest.approx(one["train_loss"], rel=1e-4)
        assert two["val_loss"] == pytest.approx(one["val_loss"], rel=1e-4)
        assert two["chips_skipped"] == one["chips_skipped"] > 0
    summary = json.loads((together / "model" / "model.json").read_text())["summary"]
    assert summary["processes"] == 2


def test_only_the_first_process_speaks(studies, spoken):
    stdout, stderr = spoken
    (line,) = [line for line in stdout.splitlines() if line.strip()]
    assert json.loads(line)["study"] == str(studies[1])
    assert stderr.count("pretrain: runs") == 1 and "2 processes, a CPU each" in stderr


@pytest.mark.slow
def test_with_nothing_to_train_the_others_are_sent_home(studies, tmp_path):
    ended = torchrun("run", shutil.copytree(studies[1], tmp_path / "done"), "--only", "pretrain")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "pretrain: skipped: done" in ended.stderr


def test_curves_for_tensorboard_hold_every_number_of_every_epoch(studies):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    alone, together = studies
    for study in (alone, together):
        events = EventAccumulator(str(study / "tensorboard"))
        events.Reload()
        losses = [(event.step, event.value) for event in events.Scalars("train_loss")]
        assert losses == [(e["epoch"] + 1, pytest.approx(e["train_loss"])) for e in metrics_of(study)]
        assert "recall/s2rgbm-to-s1grdm/5" in events.Tags()["scalars"]
