"""Bytes on this disk that spare a second fetch: any number of processes put and take, the oldest go when room is short.

Numbered pieces under a key lie one after the other in one file, since a new file costs twenty times what it costs to write 64 KiB into
one. Nothing here is the only copy of anything: a file is read up to the first piece that is damaged or torn, and then removed.
"""

import contextlib
import os
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

import google_crc32c
import numpy as np

from terrashot.durable.files import sha256_of, storage_errors, write_point

PIECE: Final = Struct("<QI")
"""Number and length."""
SEAL: Final = Struct("<I")
"""CRC32C of key, number, length and content; it stands before them."""
HEAD_BYTES: Final = SEAL.size + PIECE.size


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder of pieces by key and number; small and picklable."""

    folder: Path

    def get(self, key: str, wanted: Container[int] | None = None) -> dict[int, bytes]:
        """The pieces that were put there, by number; of one number the last.

        Args:
            wanted: numbers; no other piece is looked at. None: all.
        """
        path = self._path(key)
        try:
            with _to_read(path) as descriptor:
                found, is_whole = _read(descriptor, key, wanted)
        except OSError:  # not there, or a disk that reads no more
            return {}
        if not is_whole:
            # What would be put behind the damage could never be found.
            with contextlib.suppress(OSError):
                Path(path).unlink()
        return found

    def sizes(self, key: str) -> dict[int, int]:
        """Bytes by number of the pieces that lie there, as they say themselves; whether one is as it was put, `get` finds out."""
        try:
            with _to_read(self._path(key)) as descriptor:
                return {number: length for _, number, length, _ in _heads(descriptor)}
        except OSError:
            return {}

    def put(self, key: str, pieces: Mapping[int, bytes | memoryview]) -> None:
        """
        Raises:
            StorageError: no space, no permission.
        """
        records = [part for piece in pieces.items() for part in _record(key, *piece)]
        with storage_errors(self.folder):
            write_point("spool")
            descriptor = _to_append(self._path(key))
            try:
                os.writev(descriptor, records)  # one write at the end, whoever else writes there
            finally:
                os.close(descriptor)

    def forget(self, key: str) -> None:
        """Nothing is there any more."""
        with storage_errors(self.folder):
            Path(self._path(key)).unlink(missing_ok=True)

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

    def _path(self, key: str) -> str:
        name = sha256_of(key.encode())
        return f"{self.folder}/{name[:2]}/{name[2:40]}"


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """Time, size and path of every file; one that another process removes meanwhile is passed over."""
    found = []
    for path in folder.glob("??/*"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found.append((stat.st_mtime_ns, stat.st_size, path))
    return found


# By descriptors: Python's files take four more calls of the system each.
@contextlib.contextmanager
def _to_read(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _to_append(path: str) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o666)


def _record(key: str, number: int, content: bytes | memoryview) -> tuple[bytes, bytes | memoryview]:
    told = PIECE.pack(number, len(content))
    return SEAL.pack(_seal(key, told, content)) + told, content


def _read(descriptor: int, key: str, wanted: Container[int] | None) -> tuple[dict[int, bytes], bool]:
    """The pieces up to the first that is not as it was put, and whether there is none such."""
    found, end = dict[int, bytes](), 0
    for seal, number, length, start in _heads(descriptor):
        if wanted is None or number in wanted:
            content = os.pread(descriptor, length, start)
            if seal != _seal(key, PIECE.pack(number, length), content):
                return found, False
            found[number] = content
        end = start + length
    return found, end == os.fstat(descriptor).st_size


def _heads(descriptor: int) -> Iterator[tuple[int, int, int, int]]:
    """Seal, number, length and start of each piece, up to one that ends beyond the file."""
    place, size = 0, os.fstat(descriptor).st_size
    while place + HEAD_BYTES <= size:
        head = os.pread(descriptor, HEAD_BYTES, place)
        (seal,), (number, length) = SEAL.unpack_from(head), PIECE.unpack_from(head, SEAL.size)
        place += HEAD_BYTES
        if place + length > size:
            return
        yield seal, number, length, place
        place += length


def _seal(key: str, told: bytes, content: bytes | memoryview) -> int:
    before = google_crc32c.value(key.encode() + b"\0" + told)
    return int(google_crc32c.extend(before, np.frombuffer(content, np.uint8)))  # which takes no memoryview
