"""One writer at a time in a folder."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from terrashot.durable.files import make_folder, storage_errors
from terrashot.errors import LockedError


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Inside, no other process that asks may write to `folder`.

    The lock is the kernel's (flock), so that of a dead process is free at once; the file only says who holds it.

    Raises:
        LockedError: another process holds it; names process and machine.
    """
    path = make_folder(folder) / ".lock"
    with storage_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
            raise LockedError(f"{folder} is locked by {holder}; wait for it to end, or stop it") from None
        with storage_errors(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        yield
    finally:
        os.close(descriptor)
