"""Finished parts of long work, kept until all of it is done, so that a killed run does none of them twice."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from terrashot.durable.files import make_folder, remove, sha256_of, write_bytes

DIGEST_CHARACTERS = 64
IDENTITY = "made-from"
FORMAT_VERSION = 1


@runtime_checkable
class Parts(Protocol):
    """Bytes by key."""

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

    def get(self, key: str) -> bytes | None:
        return None

    def put(self, key: str, content: bytes) -> None:
        pass


NO_PARTS = NoParts()
_: tuple[type[Parts], ...] = (DiskParts, NoParts)
