"""Kept outcomes come back, or are as good as never kept."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.durable.kept import SqliteParts
from terrashot.errors import StorageError


@given(outcomes=st.dictionaries(st.text("abcdef0123456789", min_size=1), st.binary(max_size=200), max_size=8))
def test_what_was_put_is_there_after_the_file_was_closed(outcomes, tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "k.sqlite"
    parts = SqliteParts(path)
    for key, content in outcomes.items():
        parts.put(key, content)
    parts.close()
    again = SqliteParts(path)
    assert {key: again.get(key) for key in outcomes} == outcomes
    assert again.get("never") is None
    again.close()


def test_only_the_keys_that_are_named_stay(tmp_path):
    parts = SqliteParts(tmp_path / "k.sqlite")
    for key in "abc":
        parts.put(key, b"x")
    parts.keep_only(["b", "z"])
    assert [parts.get(key) for key in "abc"] == [None, b"x", None]


def test_a_row_that_was_tampered_with_counts_as_absent(tmp_path):
    path = tmp_path / "k.sqlite"
    parts = SqliteParts(path)
    parts.put("a", b"right")
    parts.put("b", b"right")
    parts.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE kept SET content = ? WHERE key = 'a'", (b"wrong",))
        connection.execute("UPDATE kept SET content = 7 WHERE key = 'b'")
    again = SqliteParts(path)
    assert (again.get("a"), again.get("b")) == (None, None)


@pytest.mark.parametrize("junk", [b"", b"no database at all", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_none_of_ours_is_begun_anew(junk, tmp_path):
    path = tmp_path / "k.sqlite"
    path.write_bytes(junk)
    parts = SqliteParts(path)
    parts.put("a", b"1")
    parts.close()
    assert SqliteParts(path).get("a") == b"1"


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(StorageError, match="cannot be opened"):
        SqliteParts(tmp_path / "no" / "k.sqlite")
