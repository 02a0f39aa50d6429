"""The ledger: one writer, and readers who notice what is gone."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from terrashot.durable.backup import backup_path, digest_path, fits_digest, restore
from terrashot.durable.ledger import Ledger
from terrashot.errors import InputError, IntegrityError, LockedError


@pytest.fixture
def path(tmp_path):
    with closing(Ledger(tmp_path / "l.sqlite", writable=True)) as ledger:
        ledger.put([("chip", f"c{n:03d}", {"place": n}) for n in range(100)])
    return tmp_path / "l.sqlite"


def test_entries_come_back_by_key(path):
    ledger = Ledger(path)
    assert ledger.get("chip", "c007") == {"place": 7}
    assert ledger.get("chip", "c100") is None
    assert [key for key, _ in ledger.all("chip")] == [f"c{n:03d}" for n in range(100)]


def test_what_is_dropped_and_put_at_once_happens_at_once(path):
    with closing(Ledger(path, writable=True)) as ledger:
        ledger.put([("chip", "c001", 1)], drop=[("chip", "c001"), ("chip", "c002"), ("chip", "none")])
        assert (ledger.get("chip", "c001"), ledger.get("chip", "c002")) == (1, None)
        assert len(list(ledger.all("chip"))) == 99


def test_a_second_writer_is_refused_and_readers_are_not(path):
    with (
        closing(Ledger(path, writable=True)),
        pytest.raises(LockedError, match=r"l\.sqlite is locked by process \d+ on"),
    ):
        assert Ledger(path).get("chip", "c001") == {"place": 1}
        Ledger(path, writable=True)


def test_a_row_that_is_gone_or_changed_is_noticed(path):
    for sql, words in (
        ("DELETE FROM entry WHERE key = 'c050'", "99 entries of chip, not as many as were written"),
        ("UPDATE entry SET content = '{}' WHERE key = 'c050'", "the entry of chip c050 is damaged"),
    ):
        with sqlite3.connect(path) as connection:
            connection.execute(sql)
        with pytest.raises(IntegrityError, match=words):
            list(Ledger(path).all("chip"))
        restore(path)


def test_a_reader_rolls_back_what_a_dead_writer_began(path, tmp_path):
    """The journal of a transaction that was cut off while it changed the file, as a power cut leaves it."""
    dead = tmp_path / "dead.sqlite"
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute("BEGIN")
        connection.execute("UPDATE entry SET content = '{}', digest = 'torn'")
        connection.executemany("INSERT INTO entry VALUES ('x', ?, ?, '')", [(str(n), "x" * 500) for n in range(2000)])
        shutil.copy(path, dead)
        shutil.copy(f"{path}-journal", f"{dead}-journal")
        connection.execute("ROLLBACK")
    assert b"torn" in dead.read_bytes(), "the change had reached the file"
    assert Ledger(dead).get("chip", "c007") == {"place": 7}
    assert not (tmp_path / "dead.sqlite-journal").exists()


def test_a_closed_ledger_has_its_digest_and_a_copy_and_an_open_one_has_no_stale_digest(path):
    assert fits_digest(path)
    assert fits_digest(backup_path(path))
    with closing(Ledger(path, writable=True)):
        assert not digest_path(path).exists()


def test_a_ledger_that_is_not_there_is_told_of(tmp_path):
    with pytest.raises(InputError, match="no such ledger"):
        Ledger(tmp_path / "none")


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    (tmp_path / "l").write_bytes(b"no sqlite" * 500)
    with pytest.raises(IntegrityError, match="file is not a database"):
        Ledger(tmp_path / "l")
