"""A process that ends at a named point of a write: before it, before its flush, before and after its rename, in a transaction."""

import functools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faults.child import Surroundings, command_line, run_child
from faults.outcome import Case, Row
from faults.resume import attack_and_resume
from faults.studies import STEPS, copy_of, ready_for
from terrashot.durable import files

QUICK, QUICK_OF_REPORT = 7, 2
"""Points a step, in quick: evenly spread over all of them; the report draws for two seconds each time."""


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for step in STEPS:
        points = points_of(step)
        n_wanted = len(points) if soak else min(len(points), QUICK_OF_REPORT if step == "report" else QUICK)
        offset = np.random.default_rng([seed, STEPS.index(step)]).random()
        for number in ((np.arange(n_wanted) + offset) * len(points) / n_wanted).astype(int):
            yield _case(step, points[number], 1)
    for step, point in (("ingest", "rename:1"), ("ingest", "ledger:2"), ("fewshot", "rename:3")):
        yield _case(step, point, 2)


def _case(step: str, point: str, workers: int) -> Case:
    around = Surroundings({files.CRASH_AT: point})
    return Case(
        f"{step} at {point}, {workers} workers", lambda folder: attack_and_resume(folder, step, around, workers)
    )


@functools.cache
def points_of(step: str) -> list[str]:
    """Every write point that a step passes, as `name:number`."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        study = copy_of(ready_for(step), Path(folder) / "study")
        work = command_line("run", study, "--only", step)

        def counting() -> None:
            try:
                work()
            finally:
                print(json.dumps(files.points_passed))

        ended = run_child(counting, Path(folder) / "notes", Surroundings({files.CRASH_AT: "none:0"}))
    counts = json.loads(ended.out.splitlines()[-1])
    return [f"{name}:{number}" for name, n in counts.items() for number in range(1, n + 1)]


ROW = Row("write_points", "process ends at a named write point, then resumes", cases)
