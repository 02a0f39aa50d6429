"""The manifest: a line a finished step. A step without a whole line has not happened."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from terrashot.durable.files import append_line, sha256_of
from terrashot.errors import IntegrityError

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Line:
    """What a step was made from and what it made."""

    step: str
    config: str
    """Digest of the step's part of the study file."""
    inputs: Mapping[str, str]
    """Digest of every artefact read, by file name."""
    outputs: Mapping[str, str]
    """Digest of every artefact written, by file name."""
    versions: Mapping[str, str]
    """Recorded, never compared."""
    finished: str
    """ISO time, UTC."""
    seconds: float
    format: int = FORMAT_VERSION
    digest: str = ""
    """Of the other fields."""


def digest_of(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return sha256_of(json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode())


def append(path: Path, line: Line) -> None:
    """The manifest ends with `line`, sealed with its own digest."""
    sealed = replace(line, digest=_seal(asdict(line)))
    append_line(path, json.dumps(asdict(sealed), sort_keys=True))


def read(path: Path) -> dict[str, Line]:
    """The last whole line of each step. A torn last line is a step that did not finish, and is left out.

    Raises:
        IntegrityError: a line before the last is damaged, or a newer terrashot wrote the manifest.
    """
    lines = path.read_bytes().splitlines() if path.is_file() else []
    found: dict[str, Line] = {}
    for number, raw in enumerate(lines, start=1):
        line = _line_of(raw)
        if line is None and number < len(lines):
            raise IntegrityError(
                f"{path}: line {number} is damaged; run: terrashot run with --redo for the steps after it"
            )
        if line is None:
            continue
        if line.format > FORMAT_VERSION:
            raise IntegrityError(
                f"{path}: format {line.format}, this terrashot reads up to {FORMAT_VERSION}; update terrashot"
            )
        found[line.step] = line
    return found


def _line_of(raw: bytes) -> Line | None:
    try:
        fields = json.loads(raw)
        line = Line(**fields)
    except (ValueError, TypeError, RecursionError):
        return None
    return line if line.digest == _seal(fields) else None


def _seal(fields: Mapping[str, Any]) -> str:
    return digest_of({name: value for name, value in fields.items() if name != "digest"})
