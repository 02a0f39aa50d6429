"""A large file written piece by piece: whole or absent under its name, and a killed write goes on where it was."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from terrashot.durable.files import flush_folder, remove, sha256_of, sha256_of_file, storage_errors, write_point
from terrashot.errors import IntegrityError

PIECE_BYTES = 8 << 20
PARTIAL_SUFFIX = ".partial"
"""Not swept away as other temporary files are: it is what a killed write goes on from."""


def write_in_pieces(
    path: Path,
    identity: str,
    size: int,
    read: Callable[[int, int], bytes],
    *,
    sha256: str | None = None,
    md5: str | None = None,
) -> str:
    """SHA-256 of the file, which now lies at `path`; pieces of an earlier, killed write are kept.

    Args:
        identity: of what is written; pieces of something else are removed.
        read: the bytes from one place up to another.
        sha256, md5: what the file must have, where that is known.

    Raises:
        StorageError: no space, no permission; names the file. What `read` raises is left as it is, and so are the pieces.
        IntegrityError: the file has another digest; it is removed.
    """
    partial = path.parent / f".{path.name}.{sha256_of(identity.encode())[:16]}{PARTIAL_SUFFIX}"
    for other in path.parent.glob(f".{path.name}.*{PARTIAL_SUFFIX}"):
        if other != partial:
            remove(other)
    start = _flushed_bytes(partial)
    while start < size or not partial.is_file():
        content = read(start, min(size, start + PIECE_BYTES))
        _write_piece(partial, start, content)
        start += len(content)
        if not content and size:
            raise IntegrityError(f"{path}: ended after {start} of {size} bytes; run again")
    digest = sha256_of_file(partial)
    if sha256 not in (None, digest):
        remove(partial)
        raise IntegrityError(f"{path}: has SHA-256 {digest}, not {sha256}; run again")
    if md5 is not None and (found := _md5(partial)) != md5:
        remove(partial)
        raise IntegrityError(f"{path}: has MD5 {found}, not {md5}; run again")
    with storage_errors(path):
        write_point("rename")
        partial.replace(path)
        flush_folder(path.parent)
        write_point("renamed")
    return digest


def _md5(path: Path) -> str:
    """Against damage on the way, as some providers tell it; not against forgers."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _flushed_bytes(partial: Path) -> int:
    """How many bytes are surely on the disk: all but those of the last piece, which may not have been flushed."""
    length = partial.stat().st_size if partial.is_file() else 0
    return max(0, length - 1) // PIECE_BYTES * PIECE_BYTES


def _write_piece(partial: Path, start: int, content: bytes) -> None:
    with storage_errors(partial):
        write_point("write")
        with partial.open("r+b" if partial.is_file() else "wb") as file:
            file.truncate(start)
            file.seek(start)
            file.write(content)
            write_point("flush")
            file.flush()
            os.fsync(file.fileno())
