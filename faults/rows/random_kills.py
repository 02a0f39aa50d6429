"""A run killed at a random moment: while it reads chips, near or far, embeds or fits, in one process and in two."""

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faults.child import Surroundings, command_line, run_child
from faults.far_kills import far_cases
from faults.outcome import Case, Row, Verdict
from faults.resume import attack_and_resume
from faults.studies import STEPS, copy_of, ready_for

KILLS = {("ingest", 1): (12, 400), ("ingest", 2): (2, 100), ("embed", 1): (30, 500),
         ("fewshot", 1): (3, 100), ("fewshot", 2): (1, 50)}  # fmt: skip
"""Quick and soak, by step and workers."""


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for (step, workers), numbers in KILLS.items():
        rng = np.random.default_rng([seed, STEPS.index(step), workers])
        n_kills = numbers[soak]
        for moment in (np.arange(n_kills) + rng.random(n_kills)) / n_kills:
            spare = workers > 1 and bool(rng.random() < 0.5)
            yield _case(step, workers, float(moment), spare)
    yield from far_cases(soak, seed)


def _case(step: str, workers: int, moment: float, spare: bool) -> Case:
    def run(folder: Path) -> Verdict:
        around = Surroundings(kill_after_s=moment * _seconds(step, workers), spare_workers=spare)
        return attack_and_resume(folder, step, around, workers)

    who = "parent alone" if spare else "all"
    return Case(f"{step}, {workers} workers, at {moment:.0%} of its time, {who} killed", run)


@functools.cache
def _seconds(step: str, workers: int) -> float:
    """How long the step takes when nobody kills it."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        study = copy_of(ready_for(step, workers), Path(folder) / "study")
        return run_child(command_line("run", study, "--only", step), Path(folder) / "notes").seconds


ROW = Row("random_kills", "run killed at a random moment, then resumes", cases)
