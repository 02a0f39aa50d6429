"""TABLE.health.json: the health card beside a table, and what it must be told of the table's file."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from terrashot.domain.health import HEALTH_VERDICTS, HealthCard, Measure
from terrashot.durable.backup import forget_digest, write_digest
from terrashot.durable.files import sha256_of_file, write_bytes
from terrashot.errors import InputError, IntegrityError
from terrashot.store.parquet import check_digest, open_table
from terrashot.store.write_vectors import VECTORS

FORMAT_VERSION = 1
LARGEST_BYTES = 16 << 20


def health_path(table: Path) -> Path:
    """Where a table's card lies: `embeddings.parquet.health.json` beside `embeddings.parquet`."""
    return table.with_name(f"{table.name}.health.json")


def write_health(path: Path, card: HealthCard, table: Path) -> None:
    """`path` holds the card, with the digest of the table that it is of, and `path.sha256` its own."""
    forget_digest(path)
    content = {
        "format": FORMAT_VERSION, "table": table.name, "table_sha256": sha256_of_file(table), "worst": card.worst, **asdict(card),
    }  # fmt: skip
    write_bytes(path, json.dumps(content, indent=1, allow_nan=False).encode())
    write_digest(path)


def read_health(path: Path, table: Path | None = None) -> HealthCard:
    """What `write_health` wrote.

    Args:
        table: that the card must be of, as it is now.

    Raises:
        InputError: no such file.
        IntegrityError: none of ours, damaged, of a newer terrashot, or of another table.
    """
    check_digest(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise IntegrityError(f"{path}: over {LARGEST_BYTES >> 20} MiB; none of ours; run terrashot health again")
        content = json.loads(path.read_bytes(), parse_constant=_no_number)
        version = content.pop("format")
        if type(version) is not int or version > FORMAT_VERSION:
            raise IntegrityError(f"{path}: format {version}, this terrashot reads {FORMAT_VERSION}; update terrashot")
        digest, card = content.pop("table_sha256"), _card(content)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run terrashot health") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, IntegrityError):
            raise
        raise IntegrityError(f"{path}: none of ours: {error}; run terrashot health again") from None
    if table is not None and digest != sha256_of_file(table):
        raise IntegrityError(f"{path}: of another table than {table.name} is now; run terrashot health again")
    return card


def told_channel_policy(table: Path) -> str | None:
    """Which channels went into the vectors, as a Parquet table of ours tells in its footer; None where it does not.

    Raises:
        InputError: no such file, or no Parquet.
    """
    if table.suffix == ".npy":
        return None
    with open_table(table) as file:
        footer = file.schema_arrow.metadata or {}
    try:
        policy = json.loads(footer.get(VECTORS.encode(), b"{}")).get("channels")
    except (ValueError, AttributeError, RecursionError):
        return None
    return policy if isinstance(policy, str) else None


def _card(content: Mapping[str, Any]) -> HealthCard:
    told = {field.name: content[field.name] for field in fields(HealthCard)}
    for name in ("n_chips", "n_sampled", "seed"):
        _need(type(told[name]) is int, name)
    _need(told["model"] is None or isinstance(told["model"], str), "model")
    card = HealthCard(**{**told, "measures": tuple(_measure(row) for row in told["measures"])})
    _need(content["worst"] == card.worst, "worst")
    return card


def _measure(row: Mapping[str, Any]) -> Measure:
    measure = Measure(**row)
    _need(all(isinstance(text, str) for text in (measure.name, measure.block, measure.sentence)), "measures")
    _need(measure.verdict is None or measure.verdict in HEALTH_VERDICTS, "verdict")
    value = measure.value
    _need(value is None or (type(value) in (int, float) and math.isfinite(value)), "value")
    return measure


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"'{what}' is not of its type")


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
