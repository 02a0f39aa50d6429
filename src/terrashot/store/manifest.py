"""The manifest: a line a finished step. A step without a line has not happened."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from terrashot.durable.backup import back_up, digest_path, fits_digest, forget_digest, restore
from terrashot.durable.files import sha256_of, write_bytes
from terrashot.errors import IntegrityError

FORMAT_VERSION = 1
MAX_BYTES = 64 << 20
"""Of the lines of some ten thousand runs."""
DAMAGED = "damaged; run: terrashot verify --repair on the study, then terrashot run"


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
    """The manifest ends with `line`, sealed with its own digest; a copy of it lies beside it."""
    sealed = replace(line, digest=_seal(asdict(line)))
    before = path.read_bytes() if path.is_file() else b""
    forget_digest(path)
    # Whole or absent, like every write: a torn line is damage, not a run that was killed.
    write_bytes(path, before + _as_bytes(sealed) + b"\n")
    back_up(path)


def read(path: Path) -> dict[str, Line]:
    """The last line of each step.

    Raises:
        IntegrityError: a line is damaged, or a newer terrashot wrote the manifest.
    """
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise IntegrityError(f"{path}: over {MAX_BYTES >> 20} MiB, no manifest of ours is; {DAMAGED}")
    content = path.read_bytes() if path.is_file() else b""
    found: dict[str, Line] = {}
    for number, raw in enumerate(content.split(b"\n")[:-1], start=1):
        line = _line_of(raw)
        if line is None:
            raise IntegrityError(f"{path}: line {number} is {DAMAGED}")
        if line.format > FORMAT_VERSION:
            raise IntegrityError(
                f"{path}: format {line.format}, this terrashot reads up to {FORMAT_VERSION}; update terrashot"
            )
        found[line.step] = line
    if content and not content.endswith(b"\n"):
        raise IntegrityError(f"{path}: its last line is {DAMAGED}")
    return found


def verify(path: Path) -> None:
    """Nothing, if every line is whole and none is gone.

    Raises:
        IntegrityError: otherwise.
    """
    read(path)
    if digest_path(path).exists() and not fits_digest(path):
        raise IntegrityError(f"{path}: {DAMAGED}")


def repair(path: Path) -> str:
    """What was done: the manifest comes back from its copy, or goes on without its damaged lines."""
    if restore(path):
        return "restored from its copy"
    raws = path.read_bytes().split(b"\n")
    kept = [raw for raw in raws if raw and _line_of(raw) is not None]
    write_bytes(path, b"".join(raw + b"\n" for raw in kept))
    back_up(path)
    return "its damaged lines are left out; their steps run again"


def _line_of(raw: bytes) -> Line | None:
    """The line that these bytes are; None where they are not, to the last byte, what we would write."""
    try:
        fields = json.loads(raw)
        line = Line(**fields)
        is_whole = _has_its_types(line) and line.digest == _seal(fields) and raw == _as_bytes(line)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return line if is_whole else None


def _has_its_types(line: Line) -> bool:
    texts = [line.step, line.config, line.finished, line.digest]
    for found in (line.inputs, line.outputs, line.versions):
        texts += [*found, *found.values()]
    return (
        all(isinstance(text, str) for text in texts) and type(line.format) is int and type(line.seconds) in (int, float)
    )


def _as_bytes(line: Line) -> bytes:
    return json.dumps(asdict(line), sort_keys=True).encode()


def _seal(fields: Mapping[str, Any]) -> str:
    return digest_of({name: value for name, value in fields.items() if name != "digest"})
