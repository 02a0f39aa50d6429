"""Rows of the table, several at once: each in a process forked from this one, its cases one after the other."""

import json
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faults.outcome import Outcome, Row, Tally
from faults.studies import prepare_all

MANY = 4
"""Rows from which on it pays to make every study beforehand."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which cases to run."""

    soak: bool
    seed: int
    only: tuple[str, ...] = ("",)
    """Beginnings of the names of the cases."""


def run_rows(rows: Sequence[Row], wishes: Wishes, jobs: int) -> list[Tally]:
    """The tally of each row, in their order."""
    if len(rows) >= MANY:
        prepare_all()
    waiting, running = list(rows), dict[int, Row]()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        while waiting or running:
            while waiting and len(running) < jobs:
                row = waiting.pop(0)
                running[_fork(row, wishes, Path(folder) / row.name)] = row
            pid, _ = os.wait()
            running.pop(pid, None)
        return [_read(row, wishes.seed, Path(folder) / row.name) for row in rows]


def _fork(row: Row, wishes: Wishes, answer: Path) -> int:
    sys.stdout.flush(), sys.stderr.flush()
    if (pid := os.fork()) != 0:
        return pid
    try:
        answer.write_text(json.dumps(_run_row(row, wishes).as_json))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(0)


def _run_row(row: Row, wishes: Wishes) -> Tally:
    tally, started = Tally(row.name, wishes.seed), time.monotonic()
    for case in row.cases(wishes.soak, wishes.seed):
        if case.name.startswith(wishes.only):
            with tempfile.TemporaryDirectory(prefix="faults-") as folder:
                tally.add(case, case.run(Path(folder)))
    spent = time.monotonic() - started
    print(f"{row.name}: {tally.injected} injected in {spent:.1f} s", file=sys.stderr, flush=True)
    return tally


def _read(row: Row, seed: int, answer: Path) -> Tally:
    """The tally that a forked process left; without one the harness itself has failed, and that is no pass."""
    if not answer.is_file():
        return Tally(row.name, seed, Counter({Outcome.CRASHED: 1}), ["the harness failed; its traceback stands above"])
    found = json.loads(answer.read_text())
    return Tally(row.name, seed, Counter({outcome: found[outcome.value] for outcome in Outcome}), found["bad"])
