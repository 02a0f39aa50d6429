"""Files that are whole or absent, and their digests. Nothing else in the package opens a file for writing.

A write goes to a temporary name in the same folder, is flushed to the disk, renamed, and the folder's own entry is
flushed: after a crash at any moment the final name holds the old content or the new, never a part.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from terrashot.errors import StorageError

LEFTOVER_SUFFIX = ".part"
DAMAGED_SUFFIX = ".damaged"
CRASH_AT = "TERRASHOT_CRASH_AT"
"""Environment variable for fault tests: `name:k` ends the process at the k-th passing of a write point."""

points_passed: dict[str, int] = {}
"""How often each write point was passed, while a fault test asks for it."""


def write_point(name: str) -> None:
    """Nothing, except in a fault test that asked for the process to end here."""
    wanted = os.environ.get(CRASH_AT)
    if not wanted:
        return
    points_passed[name] = points_passed.get(name, 0) + 1
    if wanted == f"{name}:{points_passed[name]}":
        os._exit(137)


class NewFile:
    """A file that grows under a temporary name; `path` is as it was until all is `finish`ed.

    To be used in a `with`, at whose end nothing unfinished is left.

    Raises:
        StorageError: anywhere; no space, no permission, or the folder is gone; names the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.parent / f".{path.name}.{os.getpid()}{LEFTOVER_SUFFIX}"
        with storage_errors(path):
            write_point("write")
            self._file = self._temporary.open("wb")

    def __enter__(self) -> "NewFile":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def append(self, write: Callable[[BinaryIO], object]) -> None:
        """Nothing; what `write` puts into the open file follows what it holds."""
        with storage_errors(self._path):
            write(self._file)

    def finish(self) -> None:
        """Nothing; all that was appended lies under the final name, on the disk."""
        with storage_errors(self._path):
            write_point("flush")
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            write_point("rename")
            self._temporary.replace(self._path)
            flush_folder(self._path.parent)
            write_point("renamed")


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """`path` holds what `write` puts into the open file it is given, or is left as it was.

    Raises:
        StorageError: no space, no permission, or the folder is gone; names the file.
    """
    with NewFile(path) as new:
        new.append(write)
        new.finish()


def write_bytes(path: Path, content: bytes) -> None:
    """`path` holds `content`, or is left as it was."""
    write_atomically(path, lambda file: file.write(content))


def make_folder(path: Path) -> Path:
    """The folder, made with its parents if it was not there."""
    with storage_errors(path):
        if not path.is_dir():
            make_folder(path.parent)
            path.mkdir(exist_ok=True)
            flush_folder(path.parent)
    return path


def remove(path: Path) -> None:
    """Nothing is left of a file or a folder."""
    with storage_errors(path):
        write_point("remove")
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Where a damaged file or folder lies now, out of everybody's way: under its name with `.damaged`."""
    aside = path.with_name(path.name + DAMAGED_SUFFIX)
    remove(aside)
    with storage_errors(path):
        path.rename(aside)
        flush_folder(path.parent)
    return aside


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
        with storage_errors(path):
            path.unlink(missing_ok=True)
    return len(leftovers)


def flush_folder(path: Path) -> None:
    """Nothing; the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
