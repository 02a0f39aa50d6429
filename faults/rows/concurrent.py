"""Several processes at one store: four writers of the same chips or of others, a second run of a study, readers during a write."""

import functools
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faults.child import Ended, command_line, run_child
from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.resume import judge, wanted_after
from faults.studies import copy_of, ready_for
from terrashot.domain.modality import Channel, Difference, Imagery
from terrashot.errors import LockedError
from terrashot.ingest.harvest import harvest
from terrashot.steps.progress import finish
from terrashot.store.chips import open_chip_store
from terrashot.store.layout import LEDGER

WRITERS, CHIPS_EACH, SIDE_PX = 4, 100, 8
ROUNDS, ROUNDS_SOAK = 3, 200
SECONDS_OF_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Spelled:
    """A source whose pixels spell out their chip, so that a mix-up shows."""

    modality: str = "s2rgbm"
    side_px: int = SIDE_PX
    max_channels: int = 1
    unit: str | None = None
    channels: tuple[Channel, ...] | None = (Channel("c1", "c1", None),)
    differences: tuple[Difference, ...] = ()

    def read(self, chip_id: str) -> Imagery:
        assert self.channels is not None
        return Imagery(self.channels, np.full((1, SIDE_PX, SIDE_PX), float(chip_id[1:]), np.float32))


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for number in range(ROUNDS_SOAK if soak else ROUNDS):
        yield Case(f"four writers of the same chips, {number}", functools.partial(_writers, share=True))
        yield Case(f"four writers of other chips, {number}", functools.partial(_writers, share=False))
        yield Case(f"two readers during a write, {number}", _readers)
        yield Case(f"two runs of one study, {number}", _two_runs)


def together(works: list[Callable[[], object]], folder: Path) -> list[Ended]:
    """How each of these ended, all begun at once, each in a process of its own."""
    pids = []
    for number, work in enumerate(works):
        if (pid := os.fork()) == 0:
            ended = run_child(work, folder / f"notes-{number}")
            (folder / f"ended-{number}.json").write_text(json.dumps([ended.code, ended.error]))
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    found = [json.loads((folder / f"ended-{number}.json").read_text()) for number in range(len(works))]
    return [Ended(code, "", error, 0.0, 0, 0, (), ()) for code, error in found]


def _harvest_when_free(store: Path, ids: list[str]) -> None:
    """Tries again while another process holds the store, as a person would."""
    deadline = time.monotonic() + SECONDS_OF_PATIENCE
    while True:
        try:
            finish(harvest([Spelled()], ids, store, workers=1))
            return
        except LockedError as error:
            if "is locked by process" not in str(error) or time.monotonic() > deadline:
                raise
            os.sched_yield()


def _writers(folder: Path, share: bool) -> Verdict:
    store = folder / "store"
    of_all = [[f"c{(0 if share else w * CHIPS_EACH) + n}" for n in range(CHIPS_EACH)] for w in range(WRITERS)]
    ended = together([functools.partial(_harvest_when_free, store, ids) for ids in of_all], folder)
    if any(end.code != 0 for end in ended):
        return crashed("; ".join(end.last_line for end in ended))
    wrong = _wrong_chips(store, sorted({chip_id for ids in of_all for chip_id in ids}))
    return silent(f"{len(wrong)} chips lost or mixed up, first {wrong[0]}") if wrong else exact()


def _wrong_chips(store: Path, ids: list[str]) -> list[str]:
    opened = open_chip_store(store)
    values = opened.read("s2rgbm", [(chip_id, 0) for chip_id in ids])[:, 0, 0]
    return [chip_id for chip_id, value in zip(ids, values, strict=True) if value != float(chip_id[1:])]


def _readers(folder: Path) -> Verdict:
    store, ids = folder / "store", [f"c{n}" for n in range(3 * CHIPS_EACH)]
    finish(harvest([Spelled()], ids[:CHIPS_EACH], store, workers=1))
    reader = functools.partial(_read_until, store, len(ids))
    ended = together([functools.partial(_harvest_when_free, store, ids), reader, reader], folder)
    return (
        exact()
        if all(end.code == 0 for end in ended)
        else silent("; ".join(end.last_line for end in ended if end.code))
    )


def _read_until(store: Path, n_chips: int) -> None:
    """Reads whatever is there, again and again, until all is."""
    deadline, there = time.monotonic() + SECONDS_OF_PATIENCE, 0
    while there < n_chips and time.monotonic() < deadline:
        with closing(open_chip_store(store)) as opened:
            ids = [chip_id for chip_id in opened.chip_ids if opened.channels(chip_id, "s2rgbm")]
            values = opened.read("s2rgbm", [(chip_id, 0) for chip_id in ids])[:, 0, 0]
        wrong = [chip_id for chip_id, value in zip(ids, values, strict=True) if value != float(chip_id[1:])]
        if wrong or len(ids) < there:
            raise AssertionError(f"{len(ids)} chips after {there}; wrong ones: {wrong[:3]}")
        there = len(ids)
    if there < n_chips:
        raise AssertionError(f"only {there} of {n_chips} chips came into sight")


def _two_runs(folder: Path) -> Verdict:
    study = copy_of(ready_for("ingest"), folder / "study")
    work = command_line("run", study, "--only", "ingest")
    first, second = together([work, work], folder)
    late = [end for end in (first, second) if end.code != 0]
    if any(end.code != LockedError.exit_code or "is locked by process" not in end.last_line for end in late):
        return crashed("; ".join(end.last_line for end in late))
    again = run_child(work, folder / "notes")
    verdict = judge(study, again, set(), wanted_after("ingest"))
    assert (study / LEDGER).is_file()
    return refused() if late and verdict.outcome.value == "exact" else verdict


ROW = Row("concurrent", "four writers on one store, two runs of one study, readers during a write", cases)
