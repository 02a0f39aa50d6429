"""Small files that everything hangs on, kept twice: the file, its SHA-256, and a copy beside it."""

from pathlib import Path
from typing import BinaryIO

from terrashot.durable.files import remove, sha256_of_file, write_atomically, write_bytes

CHUNK_BYTES = 1 << 20
MOST_DIGEST_BYTES = 1024


def backup_path(path: Path) -> Path:
    """Where the copy lies: `chips.ledger.backup.sqlite` beside `chips.ledger.sqlite`."""
    return path.with_name(f"{path.stem}.backup{path.suffix}")


def digest_path(path: Path) -> Path:
    """Where a file's SHA-256 lies: beside it."""
    return path.with_name(path.name + ".sha256")


def write_digest(path: Path) -> None:
    """`path.sha256` holds the digest of the file, in the form that sha256sum reads."""
    write_bytes(digest_path(path), digest_line(path))


def digest_line(path: Path) -> bytes:
    """What `path.sha256` should hold."""
    return f"{sha256_of_file(path)}  {path.name}\n".encode()


def forget_digest(path: Path) -> None:
    """No digest accuses the new content, should the writer stop before it writes the digest."""
    if digest_path(path).exists():
        remove(digest_path(path))


def fits_digest(path: Path) -> bool:
    """The file's bytes are those that the digest beside it tells of, and there is one."""
    beside = digest_path(path)
    if not path.is_file() or not beside.is_file() or beside.stat().st_size > MOST_DIGEST_BYTES:
        return False
    return beside.read_bytes() == digest_line(path)


def back_up(path: Path) -> None:
    """A copy with its digest, and the digest of the file itself, in this order: one of the two is whole at any moment."""
    _copy(path, backup_path(path))
    write_digest(path)


def restore(path: Path) -> bool:
    """The file is again what its copy holds; False where no whole copy is there."""
    copy = backup_path(path)
    if not fits_digest(copy):
        return False
    _copy(copy, path)
    write_digest(path)
    return True


def _copy(source: Path, target: Path) -> None:
    forget_digest(target)

    def write(file: BinaryIO) -> None:
        with source.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                file.write(chunk)

    write_atomically(target, write)
    write_digest(target)
