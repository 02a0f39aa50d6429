"""Finished parts of long work, kept until all of it is done, so that a killed run does none of them twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from terrashot.durable.files import make_folder, remove, sha256_of, write_bytes
from terrashot.errors import IntegrityError

Decoded = TypeVar("Decoded")

DIGEST_CHARACTERS = 64
IDENTITY = "made-from"
FORMAT_VERSION = 1


@runtime_checkable
class Parts(Protocol):
    """Bytes by key."""

    @property
    def where(self) -> str:
        """Named in errors."""
        ...

    def get(self, key: str) -> bytes | None:
        """What was put there; None where nothing was, or where it is damaged and must be made again."""
        ...

    def put(self, key: str, content: bytes) -> None: ...


class DiskParts:
    """Parts in a folder; each file begins with the digest of the rest."""

    def __init__(self, folder: Path, identity: str) -> None:
        """
        Args:
            identity: digest of all that the parts are made from; parts made from something else are removed.
        """
        self.folder = folder
        marker, content = folder / IDENTITY, f"format {FORMAT_VERSION}, {identity}".encode()
        if not marker.is_file() or marker.read_bytes() != content:
            if folder.exists():
                remove(folder)
            make_folder(folder)
            write_bytes(marker, content)

    @property
    def where(self) -> str:
        return str(self.folder)

    def get(self, key: str) -> bytes | None:
        path = self.folder / key
        if not path.is_file():
            return None
        content = path.read_bytes()
        digest, rest = content[:DIGEST_CHARACTERS], content[DIGEST_CHARACTERS:]
        return rest if digest == sha256_of(rest).encode() else None

    def put(self, key: str, content: bytes) -> None:
        write_bytes(self.folder / key, sha256_of(content).encode() + content)


class NoParts:
    """Keeps nothing: for work that is short, or whose caller does not want to resume it."""

    where = "nowhere"

    def get(self, key: str) -> bytes | None:
        return None

    def put(self, key: str, content: bytes) -> None:
        pass


NO_PARTS = NoParts()
_: tuple[type[Parts], ...] = (DiskParts, NoParts)


def read_part(parts: Parts, key: str, decode: Callable[[bytes], Decoded]) -> Decoded | None:
    """What was put under a key, decoded; None where it must be made.

    Raises:
        IntegrityError: its digest fits and it is still none of ours: somebody else put it there.
    """
    content = parts.get(key)
    try:
        return None if content is None else decode(content)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise IntegrityError(f"{parts.where}/{key}: none of ours; delete {parts.where}, then run again") from None
