"""Tiny studies to be attacked, and what of a study folder must come out the same."""

import csv
import functools
import hashlib
import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np

from faults.child import command_line, run_child
from terrashot.pretrain.train import TIMES

STEPS = ("chips", "ingest", "labels", "pretrain", "embed", "fewshot", "missing", "report")
N_CHIPS, SIDE_PX = 130, 8
"""Three shards a modality: 64 chips each at most."""
STUDY = """[study]
name = "attacked"
workers = {workers}
[source]
kind = "folder"
path = "chips"
[split]
scheme = "random"
[pretrain]
preset = "tiny"
epochs = 3
batch_size = 64
[embed]
channels = "each"
zarr = true
[fewshot]
sizes = [10]
repeats = 2
trees = 5
[report]
plates = 0
"""
OUR_OWN = (
    "study.toml",
    "manifest",
    "chips.ledger",
    ".lock",
    ".chips.ledger",
    "timings.parquet",
    "fewshot.fits",
    "metrics.jsonl.sha256",
    "metrics.backup",
)
"""Beginnings of names that no sameness of bytes is promised for."""


def make_study(folder: Path, *, workers: int = 1, order: int | None = None) -> Path:
    """A study of 130 chips of 8 px and two modalities that runs in seconds.

    Args:
        order: seed to shuffle the rows of its tables by.
    """
    rng = np.random.default_rng(0)
    ids = [f"c{number:03d}" for number in range(N_CHIPS)]
    for modality, channels in (("s2rgbm", 3), ("s1grdm", 2)):
        (folder / "chips" / modality).mkdir(parents=True)
        for chip_id in ids:
            pixels = rng.integers(0, 200, (channels, SIDE_PX, SIDE_PX)).astype(np.uint8)
            if not (modality == "s1grdm" and chip_id.endswith("7")):
                np.save(folder / "chips" / modality / f"{chip_id}.npy", pixels)
    labels = {chip_id: f"{value:.3f}" for chip_id, value in zip(ids, rng.random(N_CHIPS), strict=True)}
    if order is not None:
        ids = [ids[row] for row in np.random.default_rng(order).permutation(N_CHIPS)]
    _write_csv(folder / "chips" / "chips.csv", [["id", "area"], *([chip_id, "a"] for chip_id in ids)])
    _write_csv(folder / "chips" / "labels.csv", [["id", "flooded"], *([chip_id, labels[chip_id]] for chip_id in ids)])
    (folder / "study.toml").write_text(STUDY.format(workers=workers))
    return folder


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def finished(workers: int = 1) -> Path:
    """A study folder after an uninterrupted run; shared, so only to be copied from."""
    return _after(len(STEPS), workers)


def ready_for(step: str, workers: int = 1) -> Path:
    """A study folder in which every step before this one is done; shared too."""
    return _after(STEPS.index(step), workers)


def copy_of(study: Path, folder: Path) -> Path:
    """A copy of a study folder that may be attacked."""
    return Path(shutil.copytree(study, folder, symlinks=True))


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of everything in a study folder that must not depend on how it came about, by path."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] != "chips"]
    found = {
        str(path.relative_to(folder)): hashlib.sha256(_promised(path)).hexdigest()
        for path in sorted(files)
        if not path.name.startswith(OUR_OWN)
    }
    if (folder / "chips.ledger.sqlite").is_file():
        found["rows of the ledger"] = hashlib.sha256(json.dumps(_ledger_rows(folder)).encode()).hexdigest()
    return found


def _promised(path: Path) -> bytes:
    """The content that must be the same: of metrics all but the times."""
    if path.name != "metrics.jsonl":
        return path.read_bytes()
    epochs = [json.loads(line) for line in path.read_text().splitlines()]
    return json.dumps([{name: epoch[name] for name in epoch if name not in TIMES} for epoch in epochs]).encode()


def _ledger_rows(folder: Path) -> list[tuple[str, ...]]:
    try:
        with sqlite3.connect(folder / "chips.ledger.sqlite") as connection:
            return sorted(connection.execute("SELECT kind, key, content, digest FROM entry"))
    except sqlite3.DatabaseError as error:
        return [(str(error),)]


def differences(found: dict[str, str], wanted: dict[str, str]) -> str:
    """Names that differ, shortly; empty where none does."""
    names = [name for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
    return ", ".join(names[:4])


@functools.cache
def _after(n_steps: int, workers: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="faults-studies-")) / "study"
    if n_steps == 0:
        return make_study(folder, workers=workers)
    copy_of(_after(n_steps - 1, workers), folder)
    ended = run_child(command_line("run", folder, "--only", STEPS[n_steps - 1]), folder.parent / "notes")
    if ended.code != 0:
        raise RuntimeError(
            f"the study to be attacked does not run: {STEPS[n_steps - 1]}: {ended.code} {ended.error[-500:]}"
        )
    return folder


def prepare_all() -> None:
    """Every study that most rows begin from, so that processes forked later need not make it each."""
    for step in STEPS:
        ready_for(step)
    finished()
