"""Bytes on this disk that spare a second fetch: any number of processes put and take, the oldest go when room is short.

Numbered pieces under a key lie one after the other in one file, since a new file costs twenty times what it costs to write 64 KiB into
one. Nothing here is the only copy of anything: a file is read up to the first piece that is damaged or torn, and then removed.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

import google_crc32c

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

    def get(self, key: str) -> dict[int, bytes]:
        """The pieces that were put there, by number; of one number the last."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:  # not there, or a disk that reads no more
            return {}
        found, whole = {}, 0
        for number, piece in _pieces(key, content):
            found[number] = piece
            whole += HEAD_BYTES + len(piece)
        if whole < len(content):
            # What would be put behind the damage could never be found.
            with contextlib.suppress(OSError):
                path.unlink()
        return found

    def put(self, key: str, pieces: Mapping[int, bytes]) -> None:
        """
        Raises:
            StorageError: no space, no permission.
        """
        path = self._path(key)
        records = b"".join(_record(key, number, content) for number, content in pieces.items())
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_point("spool")
            # Without a buffer it is one write at the end, whoever else writes there.
            with path.open("ab", buffering=0) as file:
                file.write(records)

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


def _record(key: str, number: int, content: bytes) -> bytes:
    told = PIECE.pack(number, len(content))
    return SEAL.pack(_seal(key, told + content)) + told + content


def _pieces(key: str, content: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each piece, up to the first that is not as it was put."""
    place = 0
    while place + HEAD_BYTES <= len(content):
        (seal,), start = SEAL.unpack_from(content, place), place + SEAL.size
        number, length = PIECE.unpack_from(content, start)
        place += HEAD_BYTES + length
        if place > len(content) or seal != _seal(key, content[start:place]):
            return
        yield number, content[place - length : place]


def _seal(key: str, told: bytes) -> int:
    return int(google_crc32c.extend(google_crc32c.value(key.encode() + b"\0"), told))
