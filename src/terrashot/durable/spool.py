"""Bytes on this disk that spare a second fetch: any number of processes put and take, the oldest go when room is short.

Nothing here is the only copy of anything: what is damaged or torn does not fit its digest, and counts as absent.
"""

import contextlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from terrashot.durable.files import LEFTOVER_SUFFIX, make_folder, sha256_of, storage_errors, write_point

SEAL_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder of bytes by key; small and picklable."""

    folder: Path

    def get(self, key: str) -> bytes | None:
        """What was put there; None where nothing was, or where it is damaged."""
        try:
            sealed = self._path(key).read_bytes()
        except OSError:  # not there, or a disk that reads no more
            return None
        seal, content = sealed[:SEAL_CHARACTERS], sealed[SEAL_CHARACTERS:]
        return content if seal == _seal(key, content) else None

    def put(self, key: str, content: bytes) -> None:
        """
        Raises:
            StorageError: no space, no permission.
        """
        path = self._path(key)
        make_folder(path.parent)
        temporary = path.parent / f".{path.name}.{os.getpid()}.{threading.get_ident()}{LEFTOVER_SUFFIX}"
        with storage_errors(path):
            try:
                write_point("spool")
                temporary.write_bytes(_seal(key, content) + content)
                temporary.replace(path)
            finally:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def forget(self, key: str) -> None:
        """Nothing is there any more."""
        with storage_errors(self.folder):
            self._path(key).unlink(missing_ok=True)

    def keep_at_most(self, n_bytes: int) -> int:
        """How many bytes are there, after the oldest were removed for which there is no room."""
        found = sorted(_files(self.folder))
        total = sum(size for _, size, _ in found)
        for _, size, path in found:
            if total <= n_bytes:
                break
            with storage_errors(path):
                path.unlink(missing_ok=True)
            total -= size
        return total

    def _path(self, key: str) -> Path:
        name = sha256_of(key.encode())
        return self.folder / name[:2] / name[2:40]


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """Time, size and path of every file; one that another process removes meanwhile is passed over."""
    found = []
    for path in folder.glob("??/*"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found.append((stat.st_mtime_ns, stat.st_size, path))
    return found


def _seal(key: str, content: bytes) -> bytes:
    return sha256_of(key.encode() + b"\0" + content).encode()
