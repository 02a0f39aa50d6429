"""answers.json: what the curves say, for the report and for other programs."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from terrashot.domain.answers import Answers
from terrashot.durable.backup import forget_digest, write_digest
from terrashot.durable.files import write_bytes
from terrashot.errors import InputError, IntegrityError
from terrashot.store.parquet import check_digest

FORMAT_VERSION = 1
LARGEST_BYTES = 256 << 20


def write_answers(path: Path, answers: Answers) -> None:
    """`path` holds them as JSON, and `path.sha256` its digest."""
    forget_digest(path)
    content = {"format": FORMAT_VERSION, **asdict(answers)}
    write_bytes(path, json.dumps(content, indent=1, allow_nan=False).encode())
    write_digest(path)


def read_answers(path: Path) -> Answers:
    """What `write_answers` wrote.

    Raises:
        InputError: no such file.
        IntegrityError: none of ours, damaged, or a newer terrashot wrote it.
    """
    check_digest(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise IntegrityError(
                f"{path}: over {LARGEST_BYTES >> 20} MiB; none of ours; run terrashot run --redo fewshot"
            )
        content = json.loads(path.read_bytes())
        version = content.pop("format")
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise IntegrityError(f"{path}: format {version}, this terrashot reads {FORMAT_VERSION}; update terrashot")
        return _answers(content)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise IntegrityError(f"{path}: none of ours: {error}; run terrashot run --redo fewshot") from None


def _answers(content: dict[str, Any]) -> Answers:
    hints = get_type_hints(Answers)
    kinds = {field.name: get_args(hints[field.name])[0] for field in fields(Answers)}
    rows = {
        name: tuple(value if kind is str else kind(**value) for value in content[name]) for name, kind in kinds.items()
    }
    return Answers(**rows)
