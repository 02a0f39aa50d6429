"""The ledger beside the chip store: what it does not name does not exist.

SQLite with a rollback journal and full sync; one writer, held to it by a lock. Each row carries a checksum of its own,
and each kind its number of rows, so that damage is noticed where SQLite itself would read on. A whole ledger has its
SHA-256 and a copy beside it.
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from terrashot.durable.backup import back_up, forget_digest
from terrashot.durable.files import sha256_of, write_point
from terrashot.durable.lock import take_lock
from terrashot.errors import InputError, IntegrityError, StorageError

FORMAT_VERSION = 1
SCHEMA = "CREATE TABLE IF NOT EXISTS entry (kind TEXT, key TEXT, content TEXT, digest TEXT, PRIMARY KEY (kind, key))"
SECONDS_TO_WAIT = 60.0
"""A reader waits for a writer's commit, and the other way round; each takes milliseconds."""
COUNT = "count"
"""The kind that holds the number of rows of each other kind."""
DAMAGED = "damaged; run: terrashot verify --repair on it, then terrashot run"


class Ledger:
    """Entries by kind and key; each holds JSON."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """
        Raises:
            InputError: no ledger there to read.
            IntegrityError: damaged, or a newer terrashot wrote it.
            LockedError: another process writes it.
            StorageError: it cannot be made.
        """
        if not writable and not path.is_file():
            raise InputError(f"{path}: no such ledger; the chip store beside it is not whole")
        self.path = path
        self._lock = take_lock(path.with_name(f".{path.name}.lock"), path) if writable else None
        try:
            self._connection = self._begin_writing() if writable else _connect(path, "ro")
            self._check_version()
            if writable:
                forget_digest(path)
        except BaseException:
            self._unlock()
            raise

    def put(self, entries: Iterable[tuple[str, str, Any]], *, drop: Iterable[tuple[str, str]] = ()) -> None:
        """All of these (kind, key, content) in and all of those (kind, key) out, or nothing changed."""
        rows = {(kind, key): _text(content) for kind, key, content in entries}
        gone = set(drop) - set(rows)
        try:
            with self._connection:
                counts = self._counts_after(rows, gone)
                self._connection.executemany("DELETE FROM entry WHERE kind = ? AND key = ?", sorted(gone))
                self._insert({**rows, **counts})
                write_point("ledger")
        except sqlite3.OperationalError as error:
            raise StorageError(f"{self.path}: cannot write the ledger: {error}; make room, then run again") from None
        except sqlite3.DatabaseError as error:
            raise IntegrityError(f"{self.path}: {error}: {DAMAGED}") from None

    def get(self, kind: str, key: str) -> Any | None:
        """The content of one entry; None where there is none."""
        rows = list(self._rows("SELECT kind, key, content, digest FROM entry WHERE kind = ? AND key = ?", (kind, key)))
        return rows[0][1] if rows else None

    def all(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Key and content of every entry of a kind, by key.

        Raises:
            IntegrityError: a row is damaged or gone.
        """
        number, before = 0, self._count(kind)
        query = "SELECT kind, key, content, digest FROM entry WHERE kind = ? ORDER BY key"
        for number, row in enumerate(self._rows(query, (kind,)), start=1):  # noqa: B007
            yield row
        # A writer may have added some meanwhile: what was read lies between.
        if not min(before, after := self._count(kind)) <= number <= max(before, after):
            raise IntegrityError(f"{self.path}: {number} entries of {kind}, not as many as were written: {DAMAGED}")

    def _count(self, kind: str) -> int:
        return int(self.get(COUNT, kind) or 0)

    def close(self) -> None:
        """After a writer's last word: digest and copy beside it."""
        self._connection.close()
        try:
            if self._lock is not None:
                back_up(self.path)
        finally:
            self._unlock()

    def _begin_writing(self) -> sqlite3.Connection:
        connection = _connect(self.path, "rwc")
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(SCHEMA)
        except sqlite3.OperationalError as error:
            raise StorageError(f"{self.path}: cannot write the ledger: {error}; make room, then run again") from None
        except sqlite3.DatabaseError as error:
            raise IntegrityError(f"{self.path}: {error}: {DAMAGED}") from None
        return connection

    def _counts_after(self, rows: dict[tuple[str, str], str], gone: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
        there = "SELECT 1 FROM entry WHERE kind = ? AND key = ?"
        change: Counter[str] = Counter()
        for kind, key in [*rows, *gone]:
            is_there = self._connection.execute(there, (kind, key)).fetchone() is not None
            change[kind] += (kind, key) in rows and not is_there
            change[kind] -= (kind, key) in gone and is_there
        return {(COUNT, kind): _text(self._count(kind) + n) for kind, n in change.items()}

    def _insert(self, rows: dict[tuple[str, str], str]) -> None:
        sealed: Sequence[tuple[str, ...]] = [(*names, text, _seal(*names, text)) for names, text in rows.items()]
        self._connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", sealed)

    def _rows(self, query: str, values: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        try:
            for kind, key, text, digest in self._connection.execute(query, values):
                if digest != _seal(kind, key, text):
                    raise IntegrityError(f"{self.path}: the entry of {kind} {key} is {DAMAGED}")
                yield key, json.loads(text)
        except (sqlite3.DatabaseError, ValueError, TypeError, RecursionError) as error:
            if isinstance(error, IntegrityError):
                raise
            raise IntegrityError(f"{self.path}: {error}: {DAMAGED}") from None

    def _check_version(self) -> None:
        version = self.get("format", "version")
        if version is None and self._lock is not None:
            self.put([("format", "version", FORMAT_VERSION)])
        elif not isinstance(version, int) or version > FORMAT_VERSION:
            raise IntegrityError(
                f"{self.path}: format {version}, this terrashot reads {FORMAT_VERSION}; update terrashot"
            )

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    if mode == "ro" and path.with_name(path.name + "-journal").exists():
        _finish_what_a_dead_writer_began(path)
    try:
        # A reader opens it read-only, so that reading never leaves a journal behind.
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, check_same_thread=False, timeout=SECONDS_TO_WAIT
        )
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path}: cannot open the ledger: {error}") from None


def _finish_what_a_dead_writer_began(path: Path) -> None:
    """Nothing is left of a commit that was cut off: SQLite rolls it back when it may write."""
    try:
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=SECONDS_TO_WAIT) as connection:
            connection.execute("SELECT count(*) FROM entry").fetchone()
        connection.close()
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path}: a killed run left it in the middle of a write ({error}); run again") from None
    except sqlite3.DatabaseError as error:
        raise IntegrityError(f"{path}: {error}: {DAMAGED}") from None


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _seal(kind: str, key: str, text: str) -> str:
    return sha256_of(f"{kind}\0{key}\0{text}".encode())[:32]
