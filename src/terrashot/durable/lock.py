"""One writer at a time: in a folder, or of one file."""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from terrashot.durable.files import make_folder, storage_errors
from terrashot.errors import LockedError

LOCK = ".lock"
"""The file in a folder that one process at a time writes to."""
NAME_BYTES = 200
LOOKS, SECONDS_BETWEEN_LOOKS = 200, 0.01
"""A holder writes its name right after it has taken the lock, however busy the machine; until then none is there."""


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Inside, no other process that asks may write to `folder`.

    Raises:
        LockedError: another process holds it; names process and machine.
    """
    descriptor = take_lock(make_folder(folder) / LOCK, folder)
    try:
        yield
    finally:
        os.close(descriptor)


def take_lock(path: Path, what: Path) -> int:
    """An open descriptor; closing it gives the lock back.

    The lock is the kernel's (flock), so that of a dead process is free at once; the file only says who holds it.

    Args:
        what: named in the message.

    Raises:
        LockedError: another process holds it; names process and machine.
    """
    with storage_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with storage_errors(path):
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode().ljust(NAME_BYTES), 0)
    except BlockingIOError:
        holder = _holder(descriptor)
        os.close(descriptor)
        raise LockedError(f"{what} is locked by {holder}; wait for it to end, or stop it") from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _holder(descriptor: int) -> str:
    for _ in range(LOOKS):
        if name := os.pread(descriptor, NAME_BYTES, 0).decode(errors="replace").strip():
            return name
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return "another process"
