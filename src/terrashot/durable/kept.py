"""Many small outcomes of long work, kept in one SQLite file: what was worked out once is not worked out again.

Nothing here is the only copy of anything: a damaged row, or a damaged file, is worked out anew. So a commit does not wait
for the disk; after a loss of power what does not fit its digest counts as absent.
"""

import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from terrashot.durable.files import remove, sha256_of, write_point
from terrashot.errors import StorageError

SCHEMA = "CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, content BLOB, digest TEXT) WITHOUT ROWID"
SECONDS_BETWEEN_COMMITS = 1.0


class SqliteParts:
    """Bytes by key in one file; at most a second of work is lost with the process."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            StorageError: it cannot be made.
        """
        self.path = path
        self._connection = _opened(path)
        self._committed = time.monotonic()

    @property
    def where(self) -> str:
        return str(self.path)

    def get(self, key: str) -> bytes | None:
        """What was put there; None where nothing was, or where it is damaged."""
        try:
            row = self._connection.execute("SELECT content, digest FROM kept WHERE key = ?", (key,)).fetchone()
        except sqlite3.DatabaseError:
            self._begin_anew()
            return None
        return row[0] if row and isinstance(row[0], bytes) and row[1] == _seal(key, row[0]) else None

    def put(self, key: str, content: bytes) -> None:
        """
        Raises:
            StorageError: no space.
        """
        try:
            self._connection.execute(
                "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (key, content, _seal(key, content))
            )
            if time.monotonic() - self._committed >= SECONDS_BETWEEN_COMMITS:
                self._commit()
        except sqlite3.OperationalError as error:
            raise StorageError(f"{self.path}: cannot be written: {error}; make room, then run again") from None
        except sqlite3.DatabaseError:
            self._begin_anew()

    def keep_only(self, keys: Iterable[str]) -> None:
        """All else is let go."""
        wanted = set(keys)
        try:
            there = [key for (key,) in self._connection.execute("SELECT key FROM kept")]
            self._connection.executemany("DELETE FROM kept WHERE key = ?", [(k,) for k in there if k not in wanted])
        except sqlite3.DatabaseError:
            self._begin_anew()

    def close(self) -> None:
        """Commits what was put."""
        try:
            self._commit()
        except sqlite3.OperationalError as error:
            raise StorageError(f"{self.path}: cannot be written: {error}; make room, then run again") from None
        finally:
            self._connection.close()

    def _commit(self) -> None:
        write_point("kept")
        self._connection.commit()
        self._committed = time.monotonic()

    def _begin_anew(self) -> None:
        self._connection.close()
        _forget(self.path)
        self._connection = _opened(self.path)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        return _connected(path)
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path}: cannot be opened: {error}") from None
    except sqlite3.DatabaseError:
        _forget(path)  # none of ours, or damaged: nothing in it is needed
        return _connected(path)


def _forget(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-journal")):
        remove(name)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(SCHEMA)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _seal(key: str, content: bytes) -> str:
    return sha256_of(key.encode() + b"\0" + content)[:32]
