"""A power cut at a named write point (simulated): what was not flushed is lost, and the run is started again."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faults.child import Surroundings, command_line, run_child
from faults.outcome import Case, Row, Verdict
from faults.power import cut, watch
from faults.resume import judge, wanted_after
from faults.rows.write_points import points_of
from faults.studies import STEPS, copy_of, ready_for
from terrashot.durable import files

QUICK, SOAK = 5, 100


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for step in ("chips", "ingest", "pretrain", "embed", "fewshot"):
        points = points_of(step)
        rng = np.random.default_rng([seed, STEPS.index(step)])
        for number in rng.choice(len(points), min(len(points), SOAK if soak else QUICK), replace=False):
            name = f"{step} at {points[number]}"
            yield Case(name, functools.partial(_power_cut, step=step, point=points[number], seed=seed))
        # The line that says that the step is done is its most precious write.
        for point in [point for point in points if point.startswith("renamed")][-3:]:
            yield Case(f"{step} at {point}, last", functools.partial(_power_cut, step=step, point=point, seed=seed))


def _power_cut(folder: Path, step: str, point: str, seed: int) -> Verdict:
    study, notes = copy_of(ready_for(step), folder / "study"), folder / "notes"
    around = Surroundings({files.CRASH_AT: point}, before=watch(notes))
    run_child(command_line("run", study, "--only", step), notes, around)
    cut(notes, np.random.default_rng([seed, *point.encode()]))
    resumed = run_child(command_line("run", study, "--only", step), folder / "notes-2")
    return judge(study, resumed, set(), wanted_after(step))


ROW = Row("power_cuts", "power cut (simulated): what was not flushed is lost; then resumes", cases)
