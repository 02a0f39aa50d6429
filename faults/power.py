"""A power cut: of what a process wrote, only that survives which it flushed.

The child notes every flush, rename and removal, and keeps what they replaced; afterwards the parent undoes what a disk
may have lost: content that was not flushed before its file was renamed, and names that changed in a folder that was not
flushed after. SQLite's own flushes are out of reach; its promise is taken as kept.
"""

import contextlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

EVENTS, SHADOWS = "events.jsonl", "shadows"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a name."""

    kind: str
    """`renamed`, `removed`, or `flushed` (a folder)."""
    path: str
    is_flushed: bool
    """Of a renamed file: its content was on the disk before."""
    shadow: str | None
    """What the name held before; None where nothing."""


def watch(notes: Path) -> Callable[[], None]:
    """What a child calls first, so that its flushes and renames are noted in `notes`."""

    def begin() -> None:
        (notes / SHADOWS).mkdir()
        log = os.open(notes / EVENTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        flushed: dict[int, tuple[int, int]] = {}
        numbers = itertools.count()
        fsync, replace, rename, unlink = os.fsync, os.replace, os.rename, os.unlink

        def tell(kind: str, path: str, is_flushed: bool, shadow: str | None) -> None:
            os.write(log, (json.dumps([kind, path, is_flushed, shadow]) + "\n").encode())

        def keep(path: Any) -> str | None:
            shadow = notes / SHADOWS / str(next(numbers))
            with contextlib.suppress(OSError):
                os.link(path, shadow)
                return str(shadow)
            return None

        def noted_fsync(descriptor: int) -> None:
            fsync(descriptor)
            state = os.fstat(descriptor)
            flushed[state.st_ino] = state.st_size, state.st_mtime_ns
            path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
            if Path(path).is_dir():
                tell("flushed", path, True, None)

        def noted_rename(move: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
            def renamed(source: Any, target: Any) -> None:
                state, shadow = Path(source).stat(), keep(target)
                is_flushed = flushed.get(state.st_ino) == (state.st_size, state.st_mtime_ns)
                move(source, target)
                tell("renamed", str(target), is_flushed, shadow)

            return renamed

        def noted_unlink(path: Any, *, dir_fd: int | None = None) -> None:
            shadow = keep(path) if dir_fd is None else None
            unlink(path, dir_fd=dir_fd)
            if shadow is not None:
                tell("removed", str(path), True, shadow)

        noted = {"fsync": noted_fsync, "replace": noted_rename(replace), "rename": noted_rename(rename)}
        for name, function in {**noted, "unlink": noted_unlink}.items():
            setattr(os, name, function)

    return begin


def cut(notes: Path, rng: np.random.Generator) -> int:
    """How many things were undone: all that a disk may have lost, some of what it might have."""
    events = list(_events(notes))
    undone = 0
    for number, event in reversed(list(enumerate(events))):
        if event.kind == "flushed" or not Path(event.path).parent.is_dir():
            continue
        folder = str(Path(event.path).parent)
        is_settled = any(later.kind == "flushed" and later.path == folder for later in events[number + 1 :])
        if not is_settled and rng.random() < 0.5:
            _undo(event)
            undone += 1
        elif event.kind == "renamed" and not event.is_flushed and Path(event.path).is_file():
            content = Path(event.path).read_bytes()
            Path(event.path).write_bytes(content[: int(rng.integers(0, max(1, len(content))))])
            undone += 1
    return undone


def _events(notes: Path) -> Iterator[Event]:
    for line in (notes / EVENTS).read_text().splitlines() if (notes / EVENTS).is_file() else ():
        yield Event(*json.loads(line))


def _undo(event: Event) -> None:
    path = Path(event.path)
    path.unlink(missing_ok=True)
    if event.shadow is not None:
        path.write_bytes(Path(event.shadow).read_bytes())
