"""A child process to be killed, starved or lied to: forked from one that has imported everything, so that it costs no second.

The child is the leader of its own session, keeps to one core, and notes what it did in files that outlive it.
"""

import codecs
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

LONGEST_S = 120.0
NUMBA_CACHE = "numba/core/caching.py"
FORBIDDEN = (
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn", "pickle.find_class", "urllib.Request",
)  # fmt: skip
"""Audit events by which a hostile file would show that something of it ran."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the child's world is like."""

    environment: Mapping[str, str] = field(default_factory=dict)
    kill_after_s: float | None = None
    """Kill it then, with all processes of its session."""
    spare_workers: bool = False
    """Kill the child alone, not the processes that it started."""
    largest_file_bytes: int | None = None
    """Writes beyond fail (the limit's signal is ignored)."""
    user: int | None = None
    """Give up root for this user id first."""
    before: Callable[[], None] = lambda: None
    """Called in the child before its work."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended, and what it said and did."""

    code: int
    """Exit code; negative for a signal."""
    out: str
    error: str
    seconds: float
    extra_bytes: int
    """Peak memory beyond what it began with; 0 where it was killed."""
    peak_bytes: int
    """Peak memory, what it shares with its parent included."""
    renamed: tuple[str, ...]
    """Final names of all files that it put into place."""
    forbidden: tuple[str, ...]
    """Audit events that no file may cause."""

    @property
    def last_line(self) -> str:
        return (self.error.strip().splitlines() or [""])[-1]

    @property
    def is_clean_refusal(self) -> bool:
        """An error that a user can mend: a fixed exit code, one line that begins with our name, no traceback."""
        return 2 <= self.code <= 6 and self.last_line.startswith("terrashot: ") and "Traceback" not in self.error


def run_child(work: Callable[[], object], notes: Path, around: Surroundings = Surroundings()) -> Ended:
    """How `work` ended in a child process of its own.

    Args:
        notes: folder for the child's notes.
    """
    notes.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    sys.stdout.flush(), sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_the_child(work, notes, around)
    status = _wait(pid, around)
    seconds = time.monotonic() - started
    code = os.waitstatus_to_exitcode(status)
    text = {name: _text(notes / name) for name in ("out", "error", "renamed", "forbidden", "memory")}
    extra, peak = map(int, text["memory"].split() or (0, 0))
    return Ended(
        code, text["out"], text["error"], seconds, extra, peak,
        tuple(text["renamed"].splitlines()), tuple(text["forbidden"].splitlines()),
    )  # fmt: skip


def command_line(*arguments: object) -> Callable[[], object]:
    """Work that is a call of `terrashot` with these arguments."""

    def work() -> None:
        from terrashot.cli import main

        sys.argv = ["terrashot", *map(str, arguments)]
        main()

    return work


def _wait(pid: int, around: Surroundings) -> int:
    handle = os.pidfd_open(pid)
    try:
        if not select.select([handle], [], [], LONGEST_S if around.kill_after_s is None else around.kill_after_s)[0]:
            _kill(pid, around.spare_workers)
        return os.waitpid(pid, 0)[1]
    finally:
        os.close(handle)


def _kill(pid: int, spare_workers: bool) -> None:
    try:
        (os.kill if spare_workers else os.killpg)(pid, signal.SIGKILL)
    except ProcessLookupError:  # not yet the leader of a session
        os.kill(pid, signal.SIGKILL)


def _be_the_child(work: Callable[[], object], notes: Path, around: Surroundings) -> None:
    code = 1
    try:
        _enter(notes, around)
        before = _memory("VmRSS")
        around.before()
        code = _code_of(work)
        peak = _memory("VmHWM")
        (notes / "memory").write_text(f"{max(0, peak - before)} {peak}")
        sys.stdout.flush(), sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _code_of(work: Callable[[], object]) -> int:
    try:
        work()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def _enter(notes: Path, around: Surroundings) -> None:
    os.setsid()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))} if os.getpid() % 2 else {max(os.sched_getaffinity(0))})
    for name, number in (("out", 1), ("error", 2)):
        descriptor = os.open(notes / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(descriptor, number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    os.environ.update(around.environment)
    for encoding in ("ascii", "utf-8-sig"):  # found now, while we may still read the interpreter's own files
        codecs.lookup(encoding)
    logs = {
        name: os.open(notes / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
        for name in ("renamed", "forbidden")
    }
    sys.addaudithook(lambda event, arguments: _note(logs, event, arguments))
    (notes / "memory").touch()
    (notes / "memory").chmod(0o666)
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")
    if around.largest_file_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (around.largest_file_bytes, resource.RLIM_INFINITY))
    if around.user is not None and os.getuid() == 0:
        os.setgroups([])
        os.setgid(around.user)
        os.setuid(around.user)


def _note(logs: Mapping[str, int], event: str, arguments: tuple[object, ...]) -> None:
    if event == "os.rename":
        os.write(logs["renamed"], f"{arguments[1]}\n".encode())
    elif (event in FORBIDDEN or event.startswith("socket.connect")) and not _is_of_compiled_code():
        os.write(logs["forbidden"], f"{event} {str(arguments)[:200]!r}\n".encode())


def _is_of_compiled_code() -> bool:
    """Whether numba loads what it compiled of our own code: kept beside that code as Python keeps its own, no one's file."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and not frame.f_code.co_filename.endswith(NUMBA_CACHE):
        frame = frame.f_back
    return frame is not None


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""
