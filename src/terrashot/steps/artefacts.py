"""Digest of whatever a step reads or writes."""

import json
from collections.abc import Iterable
from pathlib import Path

from terrashot.durable.backup import digest_path
from terrashot.durable.files import sha256_of_file
from terrashot.store.manifest import digest_of

LARGEST_GIVEN_BYTES = 2 << 30
"""No reader here takes a larger file of a user's: each refuses it by its size."""


def digest_of_artefact(path: Path) -> str | None:
    """Digest that a file, a model folder or a folder of figures carries; None where there is nothing.

    A table's is the one recorded beside it: cheap, and what `terrashot verify` compares with the bytes.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        return None
    if digest_path(path).is_file():
        with digest_path(path).open("rb") as file:
            return file.read(64).decode("ascii", "replace")
    return sha256_of_file(path)


def digest_of_given(path: Path) -> str:
    """Digest of a file that the user gives; of one too large for any reader, of its size and time: it is not read to be hashed."""
    found = path.stat()
    if found.st_size > LARGEST_GIVEN_BYTES:
        return digest_of([found.st_size, found.st_mtime_ns])
    return sha256_of_file(path)


def digest_of_states(paths: Iterable[Path]) -> str:
    """Digest of names, sizes and times of the user's own files, those of them that are there; none is read."""
    states = [(path.name, path.stat()) for path in paths if path.is_file()]
    return digest_of([[name, state.st_size, state.st_mtime_ns] for name, state in states])


def _of_folder(path: Path) -> str:
    if (path / "model.json").is_file():
        return _of_card(path / "model.json")
    return digest_of(
        {str(file.relative_to(path)): sha256_of_file(file) for file in sorted(path.rglob("*")) if file.is_file()}
    )


def _of_card(path: Path) -> str:
    """The digest that a model's card tells of itself; of its bytes, where it is no card, which is then no model's digest."""
    try:
        return str(json.loads(path.read_bytes())["digest"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return sha256_of_file(path)
