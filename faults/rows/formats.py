"""Files of every format version so far are read as they were written; those of a version to come are refused in words."""

import functools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from faults.golden import READERS, VALUES
from faults.outcome import Case, Row, Verdict, exact, refused, silent
from terrashot.durable.backup import write_digest
from terrashot.errors import IntegrityError
from terrashot.store import manifest

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for version in sorted(GOLDEN.iterdir()):
        for name in READERS:
            yield Case(f"{name} of format {version.name}", functools.partial(_read_old, version=version, name=name))
    newest = max(GOLDEN.iterdir(), key=lambda path: int(path.name))
    for name in READERS:
        yield Case(f"{name} of a format to come", functools.partial(_read_new, version=newest, name=name))


def _read_old(folder: Path, version: Path, name: str) -> Verdict:
    # A copy, so that no reader leaves anything beside the golden files.
    shutil.copytree(version, folder / "golden")
    wanted = json.loads((version / VALUES).read_text())[name]
    found = READERS[name](folder / "golden")
    return exact() if found == wanted else silent(f"read {found[:100]} for {wanted[:100]}")


def _read_new(folder: Path, version: Path, name: str) -> Verdict:
    study = Path(shutil.copytree(version, folder / "golden"))
    NEWER["table" if name.endswith(".parquet") else name](study, name)
    try:
        READERS[name](study)
    except IntegrityError as error:
        return refused() if "update terrashot" in str(error) else silent(str(error))
    return silent("a format to come was read as if it were known")


def _newer_table(study: Path, name: str) -> None:
    table = pq.read_table(study / name)
    footer = {**(table.schema.metadata or {}), b"terrashot_format": b"2"}
    pq.write_table(table.replace_schema_metadata(footer), study / name, write_page_checksum=True)
    write_digest(study / name)


def _newer_store(study: Path, name: str) -> None:
    from terrashot.durable.ledger import _seal

    with sqlite3.connect(study / "chips.ledger.sqlite") as connection:
        row = ("2", _seal("format", "version", "2"))
        connection.execute("UPDATE entry SET content = ?, digest = ? WHERE kind = 'format' AND key = 'version'", row)


def _newer_card(study: Path, name: str) -> None:
    path = study / "model" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))


def _newer_manifest(study: Path, name: str) -> None:
    line = manifest.Line("chips", "c", {}, {}, {}, "later", 1.0, format=2)
    manifest.append(study / name, line)


NEWER: dict[str, Callable[[Path, str], None]] = {
    "table": _newer_table, "chip store": _newer_store, "model": _newer_card, "manifest.jsonl": _newer_manifest,
}  # fmt: skip
ROW = Row("formats", "files of every format version, and of one to come", cases)
