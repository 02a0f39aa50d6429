"""A disk that is full, read-only, forbidden, out of inodes or gone, and a clock that jumps."""

import functools
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from faults.child import Ended, Surroundings, command_line, run_child
from faults.mounts import may_mount, remount, small_disk, used_bytes
from faults.outcome import Case, Row, Verdict, crashed, refused, silent
from faults.resume import judge, things_done, wanted_after
from faults.studies import STEPS, contents, copy_of, finished, ready_for
from terrashot.durable import files
from terrashot.errors import StorageError

WRITERS = ("chips", "ingest", "labels", "pretrain", "embed", "fewshot", "report")
ROOM = (0.0, 0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""Of what the step needs at least."""
MOST_WRITTEN = ("ingest", "embed")
"""Steps that quick tries with every room; others with every second."""
LARGEST_FILES = (4096, 48 << 10)
NOBODY = 65534
YEARS_S = 40 * 365 * 86400.0


def cases(soak: bool, seed: int) -> Iterator[Case]:
    writers = WRITERS if soak else [step for step in WRITERS if step not in ("labels", "report")]
    rng = np.random.default_rng(seed)
    for step, room in itertools.product(writers, ROOM * 6 if soak else ROOM):
        if not soak and step not in MOST_WRITTEN and room in ROOM[1::2]:
            continue
        share = room + float(rng.random()) * 0.05
        if may_mount():
            yield Case(f"{step} with {share:.0%} of its room", functools.partial(_full_disk, step=step, share=share))
    for step, largest in itertools.product(WRITERS, LARGEST_FILES):
        around = Surroundings(largest_file_bytes=largest)
        yield Case(f"{step}, files of {largest} bytes at most", functools.partial(_limited, step=step, around=around))
    for inodes in (0, 1, 3) if may_mount() else ():
        yield Case(f"ingest with {inodes} inodes left", functools.partial(_out_of_inodes, inodes=inodes))
    for step in ("ingest", "fewshot"):
        yield Case(f"{step} in a folder without permission", functools.partial(_forbidden_folder, step=step))
    for step, number in (("ingest", 3), ("ingest", 9), ("pretrain", 4), ("embed", 2), ("fewshot", 6)):
        yield Case(f"{step}, folder gone at write {number}", functools.partial(_vanishes, step=step, number=number))
    yield Case("a table that may not be read", _unreadable)
    if may_mount():
        yield Case("a file system that is read-only", _read_only)
    yield Case("results redone on a full disk", _old_version_stays)
    for sign in (-1, 1):
        yield Case(f"a clock that jumps by {sign * 40} years", functools.partial(_clock, sign=sign))


def _full_disk(folder: Path, step: str, share: float) -> Verdict:
    need = max(4096, used_bytes(_after(step)) - used_bytes(ready_for(step)))
    room = int(share * need) // 4096 * 4096
    with small_disk(folder / "disk", used_bytes(ready_for(step)) + 4096 + room) as disk:
        study = copy_of(ready_for(step), disk / "study")
        ended = run_child(command_line("run", study, "--only", step), folder / "notes")
        return _refused_then_exact(study, step, ended, lambda: remount(disk, "size=1g"))


def _limited(folder: Path, step: str, around: Surroundings) -> Verdict:
    study = copy_of(ready_for(step), folder / "study")
    ended = run_child(command_line("run", study, "--only", step), folder / "notes", around)
    return _refused_then_exact(study, step, ended, lambda: None)


def _out_of_inodes(folder: Path, inodes: int) -> Verdict:
    there = sum(1 for _ in ready_for("ingest").rglob("*")) + 2
    with small_disk(folder / "disk", 1 << 30, there + inodes) as disk:
        study = copy_of(ready_for("ingest"), disk / "study")
        ended = run_child(command_line("run", study, "--only", "ingest"), folder / "notes")
        return _refused_then_exact(study, "ingest", ended, lambda: remount(disk, "nr_inodes=0"))


def _forbidden_folder(folder: Path, step: str) -> Verdict:
    study = copy_of(ready_for(step), folder / "study")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY) if os.getuid() == 0 else None
        path.chmod(0o555 if path.is_dir() else 0o444)
    notes = folder.parent / f"{folder.name}-notes"
    ended = run_child(command_line("run", study, "--only", step), notes, Surroundings(user=NOBODY))

    def permit() -> None:
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    return _refused_then_exact(study, step, ended, permit, notes.with_name(f"{notes.name}-2"))


def _read_only(folder: Path) -> Verdict:
    with small_disk(folder / "disk", 1 << 30) as disk:
        study = copy_of(ready_for("embed"), disk / "study")
        remount(disk, "ro")
        ended = run_child(command_line("run", study, "--only", "embed"), folder / "notes")
        return _refused_then_exact(study, "embed", ended, lambda: remount(disk, "rw"))


def _vanishes(folder: Path, step: str, number: int) -> Verdict:
    study, away = copy_of(ready_for(step), folder / "study"), folder / "away"
    counter, point = itertools.count(1), files.write_point

    def pull_the_plug(name: str) -> None:
        point(name)
        if name == "write" and next(counter) == number:
            study.rename(away)

    def unplugged() -> None:
        files.write_point = pull_the_plug

    around = Surroundings(before=unplugged)
    ended = run_child(command_line("run", study, "--only", step), folder / "notes", around)

    def plug_in() -> None:
        if away.exists():
            if study.exists():  # what was made anew meanwhile holds nothing that counts
                study.rename(folder / "made-anew")
            away.rename(study)

    return _refused_then_exact(study, step, ended, plug_in)


def _unreadable(folder: Path) -> Verdict:
    study = copy_of(ready_for("fewshot"), folder / "study")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY) if os.getuid() == 0 else None
    (study / "embeddings.parquet").chmod(0)
    around = Surroundings(user=NOBODY)
    notes = folder.parent / f"{folder.name}-notes"
    ended = run_child(command_line("run", study, "--only", "fewshot"), notes, around)
    mend = functools.partial((study / "embeddings.parquet").chmod, 0o644)
    return _refused_then_exact(study, "fewshot", ended, mend, notes.with_name(f"{notes.name}-2"))


def _old_version_stays(folder: Path) -> Verdict:
    study = copy_of(finished(), folder / "study")
    around = Surroundings(largest_file_bytes=4096)
    before = (study / "results.parquet").read_bytes()
    ended = run_child(command_line("run", study, "--only", "fewshot", "--redo", "fewshot"), folder / "notes", around)
    if ended.code != StorageError.exit_code or (study / "results.parquet").read_bytes() != before:
        return silent(f"ended with {ended.code}: {ended.last_line}")
    again = run_child(command_line("run", study), folder / "notes-2")
    return judge(study, again, set(), contents(finished())) if again.code else refused()


def _clock(folder: Path, sign: int) -> Verdict:
    study = copy_of(ready_for("embed"), folder / "study")
    for path in study.rglob("*"):
        os.utime(path, (time.time() - sign * YEARS_S,) * 2)
    real_time, real_monotonic, calls = time.time, time.monotonic, itertools.count()

    def jump() -> None:
        time.time = lambda: real_time() + sign * YEARS_S * (next(calls) % 2)
        time.monotonic = lambda: real_monotonic() + sign * 1e6 * (next(calls) % 2)

    ended = run_child(command_line("run", study, "--only", "embed"), folder / "notes", Surroundings(before=jump))
    return judge(study, ended, set(), wanted_after("embed"))


def _refused_then_exact(
    study: Path, step: str, ended: Ended, mend: Callable[[], None], notes: Path | None = None
) -> Verdict:
    """Refused with exit code 5 and nothing lost, and exact once the cause is gone; or the step had room enough."""
    is_refused = ended.code == StorageError.exit_code and ended.is_clean_refusal
    if not is_refused and ended.code != 0:
        return crashed(f"ended with {ended.code}: {ended.error[-300:]}")
    mend()
    before, now = contents(ready_for(step)), contents(study)
    lost = [name for name in before if now.get(name) != before[name]]
    if lost:
        return silent(f"lost: {lost[:3]}")
    done = things_done(study)
    resumed = run_child(command_line("run", study, "--only", step), notes or study.parent / "notes-2")
    verdict = judge(study, resumed, done, wanted_after(step))
    return refused() if verdict.outcome.value == "exact" and is_refused else verdict


def _after(step: str) -> Path:
    following = STEPS.index(step) + 1
    return finished() if following == len(STEPS) else ready_for(STEPS[following])


ROW = Row("storage", "disk full, read-only, forbidden, out of inodes, gone; clock jumps", cases)
