"""Writers and checks that are broken on purpose: the table must show them, else it shows nothing."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from unittest import mock

from terrashot.durable import backup, files
from terrashot.remote.client import Answer
from terrashot.remote.headers import range_of, version_of
from terrashot.remote.ranges import RemoteRanges
from terrashot.steps import verify
from terrashot.store import parquet


def _rename_before_flush(path: Path, write: Callable[[BinaryIO], object]) -> None:
    temporary = path.parent / f".{path.name}.{os.getpid()}{files.LEFTOVER_SUFFIX}"
    with temporary.open("wb") as file:
        write(file)
    temporary.replace(path)
    for point in ("write", "flush", "rename", "renamed"):
        files.write_point(point)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    files.flush_folder(path.parent)


def _believe(ranges: RemoteRanges, answer: Answer, start: int, stop: int) -> bytes:
    first, end, size = range_of(answer.headers)
    ranges._recognise(version_of(answer.headers, size))
    return answer.take(end - first)


@contextlib.contextmanager
def broken(name: str) -> Iterator[None]:
    """Inside, and in every child forked there, one thing is broken."""
    with contextlib.ExitStack() as stack:
        if name == "digest-skipped":
            stack.enter_context(mock.patch.object(parquet, "check_digest", lambda path: None))
            for module in (backup, verify):
                stack.enter_context(mock.patch.object(module, "fits_digest", lambda path: True))
        elif name == "range-believed":
            stack.enter_context(mock.patch.object(RemoteRanges, "_part", _believe))
        else:
            for module in (files, backup, parquet):
                stack.enter_context(mock.patch.object(module, "write_atomically", _rename_before_flush))
        yield


BROKEN = ("rename-before-flush", "digest-skipped", "range-believed")
