"""Files that are whole or absent, and their digests.

A write goes to a temporary name in the same folder, is flushed to the disk, renamed, and the folder's own entry is
flushed: after a crash at any moment the final name holds the old content or the new, never a part.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from terrashot.errors import StorageError

LEFTOVER_SUFFIX = ".part"
CRASH_AT = "TERRASHOT_CRASH_AT"
"""Environment variable for fault tests: `name` or `name:k` ends the process at the k-th passing of a write point."""

_passed: dict[str, int] = {}


def write_point(name: str) -> None:
    """Nothing, except in a fault test that asked for the process to end here."""
    wanted = os.environ.get(CRASH_AT)
    if not wanted:
        return
    point, _, count = wanted.partition(":")
    if point == name:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] == int(count or 1):
            os._exit(137)


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """`path` holds what `write` puts under the temporary name it is given, or is left as it was.

    Raises:
        StorageError: no space, no permission, or the folder is gone; names the file.
    """
    temporary = path.parent / f".{path.name}.{os.getpid()}{LEFTOVER_SUFFIX}"
    with storage_errors(path):
        try:
            write_point("write")
            write(temporary)
            write_point("flush")
            _flush(temporary)
            write_point("rename")
            temporary.replace(path)
            _flush(path.parent)
            write_point("renamed")
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """`path` holds `content`, or is left as it was."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_atomically(path, write)


def append_line(path: Path, line: str) -> None:
    """`path` ends with `line`, flushed; a torn line after a crash is the reader's to notice by its digest."""
    with storage_errors(path), path.open("ab") as file:
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def make_folder(path: Path) -> Path:
    """The folder, made with its parents if it was not there."""
    with storage_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def remove(path: Path) -> None:
    """Nothing is left of a file or a folder."""
    with storage_errors(path):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Inside, what the disk refuses becomes a StorageError that names `path`."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{path}: cannot write: {reason}; make room or give permission, then run again") from error


def sha256_of_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def sweep_leftovers(folder: Path) -> int:
    """How many temporary files of dead writes were removed, in `folder` and below."""
    leftovers = [path for path in folder.rglob(f".*{LEFTOVER_SUFFIX}") if path.is_file()]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
