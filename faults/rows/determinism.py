"""What must not matter: workers, order of the input, time zone, language, hash seed; and batch size, within a tolerance."""

import functools
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from faults.child import Surroundings, command_line, run_child
from faults.outcome import Case, Row, Verdict, crashed, exact, silent
from faults.resume import wanted_after
from faults.studies import STEPS, contents, copy_of, differences, finished, make_study, ready_for
from terrashot.embed import embed, kept
from terrashot.store.vectors import read_embeddings

BATCHES = (1, 8, 32)
TOLERANCE = 2e-3
"""Two steps of float16 at a value of 1: float32 sums of another order differ by less than 1e-5 before they are rounded."""
WORLDS = (
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    {"TZ": "America/St_Johns", "LC_ALL": "POSIX", "PYTHONHASHSEED": "4242"},
)
BEFORE_REPORT = [word for step in STEPS[:-1] for word in ("--only", step)]


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for workers in (2, 4) * (10 if soak else 1):
        for step in ("ingest", "fewshot") if soak or workers == 2 else ("ingest",):
            yield Case(f"{step} with {workers} workers", functools.partial(_workers, step=step, workers=workers))
    for order in range(seed, seed + (100 if soak else 3)):
        yield Case(f"input in order {order}", functools.partial(_shuffled, order=order))
    for size in BATCHES:
        for part in (1, 7, 100):
            name = f"batches of {size} images, parts of {part} chips"
            yield Case(name, functools.partial(_batches, size=size, part=part))
    for number, world in enumerate(WORLDS if soak else WORLDS[:1]):
        yield Case(f"time zone, language and hash seed {number}", functools.partial(_world, world=world))


def _workers(folder: Path, step: str, workers: int) -> Verdict:
    study = copy_of(ready_for(step), folder / "study")
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace("workers = 1", f"workers = {workers}"))
    ended = run_child(command_line("run", study, "--only", step), folder / "notes")
    return _same(study, ended.code, ended.last_line, wanted_after(step))


def _shuffled(folder: Path, order: int) -> Verdict:
    study = make_study(folder / "study", order=order)
    ended = run_child(command_line("run", study, *BEFORE_REPORT), folder / "notes")
    return _same(study, ended.code, ended.last_line, wanted_after("missing"))


def _batches(folder: Path, size: int, part: int) -> Verdict:
    study = copy_of(ready_for("embed"), folder / "study")

    def other_batches() -> None:
        embed.PIXELS_AT_ONCE, kept.PART_PIXELS = size * 64, part * 64

    around = Surroundings(before=other_batches)
    ended = run_child(command_line("run", study, "--only", "embed"), folder / "notes", around)
    if ended.code != 0:
        return crashed(f"{ended.code}: {ended.last_line}")
    found, wanted = (read_embeddings(where / "embeddings.parquet") for where in (study, finished()))
    worst = max(float(np.nanmax(np.abs(found.blocks[name] - wanted.blocks[name]))) for name in wanted.blocks)
    return exact() if worst <= TOLERANCE else silent(f"vectors differ by {worst}")


def _world(folder: Path, world: Mapping[str, str]) -> Verdict:
    study = make_study(folder / "study")
    # One core, as the children that it is compared with have.
    command = ["taskset", "-c", "0", sys.executable, "-m", "terrashot.cli", "run", str(study), *BEFORE_REPORT]
    ended = subprocess.run(command, env={**os.environ, **world}, capture_output=True, text=True, check=False)
    return _same(study, ended.returncode, ended.stderr[-200:], wanted_after("missing"))


def _same(study: Path, code: int, said: str, wanted: dict[str, str]) -> Verdict:
    if code != 0:
        return crashed(f"{code}: {said}")
    different = differences(contents(study), wanted)
    return silent(f"these differ: {different}") if different else exact()


ROW = Row("determinism", "workers, order of input, time zone, language, hash seed, batch size", cases)
