"""The ledger beside the chip store: what it does not name does not exist.

SQLite with a rollback journal and full sync; one writer. Each row carries a checksum of its own, so that a damaged page
is noticed where SQLite itself would read on.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from terrashot.durable.files import sha256_of, write_point
from terrashot.errors import InputError, IntegrityError, StorageError

FORMAT_VERSION = 1
SCHEMA = "CREATE TABLE IF NOT EXISTS entry (kind TEXT, key TEXT, content TEXT, digest TEXT, PRIMARY KEY (kind, key))"


class Ledger:
    """Entries by kind and key; each holds JSON."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """
        Raises:
            InputError: no ledger there to read.
            IntegrityError: damaged, or a newer terrashot wrote it.
            StorageError: it cannot be made.
        """
        if not writable and not path.is_file():
            raise InputError(f"{path}: no such ledger; the chip store beside it is not whole")
        self.path = path
        try:
            # A reader opens it read-only, so that reading never leaves a journal behind.
            self._connection = sqlite3.connect(
                f"file:{path}?mode={'rwc' if writable else 'ro'}", uri=True, check_same_thread=False
            )
            if writable:
                self._connection.execute("PRAGMA journal_mode = DELETE")
                self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute(SCHEMA)
        except sqlite3.OperationalError as error:
            raise StorageError(f"{path}: cannot open the ledger: {error}") from None
        except sqlite3.DatabaseError as error:
            raise IntegrityError(f"{path}: damaged: {error}") from None
        self._check_version(writable)

    def put(self, entries: Iterable[tuple[str, str, Any]]) -> None:
        """All of these (kind, key, content), or none of them."""
        rows = [(kind, key, text := _text(content), _seal(kind, key, text)) for kind, key, content in entries]
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", rows)
                write_point("ledger")
        except sqlite3.OperationalError as error:
            raise StorageError(f"{self.path}: cannot write the ledger: {error}; make room, then run again") from None

    def get(self, kind: str, key: str) -> Any | None:
        """The content of one entry; None where there is none."""
        rows = list(self._rows("SELECT kind, key, content, digest FROM entry WHERE kind = ? AND key = ?", (kind, key)))
        return rows[0][1] if rows else None

    def all(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Key and content of every entry of a kind, by key."""
        return self._rows("SELECT kind, key, content, digest FROM entry WHERE kind = ? ORDER BY key", (kind,))

    def close(self) -> None:
        self._connection.close()

    def _rows(self, query: str, values: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        try:
            for kind, key, text, digest in self._connection.execute(query, values):
                if digest != _seal(kind, key, text):
                    raise IntegrityError(
                        f"{self.path}: the entry of {kind} {key} is damaged; run: terrashot run --redo ingest"
                    )
                yield key, json.loads(text)
        except (sqlite3.DatabaseError, UnicodeDecodeError, ValueError, TypeError) as error:
            if isinstance(error, IntegrityError):
                raise
            raise IntegrityError(f"{self.path}: damaged: {error}; run: terrashot run --redo ingest") from None

    def _check_version(self, writable: bool) -> None:
        version = self.get("format", "version")
        if version is None and writable:
            self.put([("format", "version", FORMAT_VERSION)])
        elif version is None or version > FORMAT_VERSION:
            raise IntegrityError(
                f"{self.path}: format {version}, this terrashot reads {FORMAT_VERSION}; update terrashot"
            )


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _seal(kind: str, key: str, text: str) -> str:
    return sha256_of(f"{kind}\0{key}\0{text}".encode())[:32]
