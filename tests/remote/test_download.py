"""A file is fetched whole or not at all, goes on where it was, and is what its provider says it is."""

import hashlib
import random

import pytest
from faults.server import FaultServer, SkippingClock

from terrashot.durable import pieces
from terrashot.errors import IntegrityError, NetworkError, StorageError
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.download import fetch_file
from terrashot.remote.ranges import RemoteRanges

CONTENT = random.Random(0).randbytes(50_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 10_000)


def ranges_of(server, attempts=2):
    limits = Limits(max_attempts=attempts)
    return RemoteRanges(server.url("/a"), Client(server.rules), Budget(limits, SkippingClock(), random.Random(0)))


def test_a_file_comes_whole_and_leaves_nothing_beside_it(tmp_path):
    with FaultServer({"/a": CONTENT}) as server:
        assert fetch_file(ranges_of(server), tmp_path / "a", sha256=DIGEST) == DIGEST
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_empty_file_comes_as_an_empty_file(tmp_path):
    with FaultServer({"/a": b""}) as server:
        assert fetch_file(ranges_of(server), tmp_path / "a") == hashlib.sha256(b"").hexdigest()
    assert (tmp_path / "a").read_bytes() == b""


def test_a_broken_fetch_leaves_no_file_and_the_next_one_goes_on_from_what_was_flushed(tmp_path):
    with FaultServer({"/a": CONTENT}, lambda number: "503" if number in (4, 5) else "") as server:
        with pytest.raises(NetworkError):
            fetch_file(ranges_of(server), tmp_path / "a")
        assert not (tmp_path / "a").exists()
        before = len(server.seen)
        assert fetch_file(ranges_of(server), tmp_path / "a") == DIGEST
    # Of three pieces that came the last is asked for again, beside the first byte, which tells the version.
    assert [seen.headers["Range"] for seen in server.seen[before:]] == [
        "bytes=0-0", "bytes=20000-29999", "bytes=30000-39999", "bytes=40000-49999"
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_pieces_of_another_version_are_not_gone_on_from(tmp_path):
    with (
        FaultServer({"/a": CONTENT}, lambda number: "503" if number > 2 else "") as server,
        pytest.raises(NetworkError),
    ):
        fetch_file(ranges_of(server), tmp_path / "a")
    other = CONTENT[::-1]
    with FaultServer({"/a": other}, lambda number: "") as server:
        server.script = lambda number: "replaced file"  # serves what it holds backwards, under another ETag
        assert fetch_file(ranges_of(server), tmp_path / "a") == DIGEST
    assert len(server.seen) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_with_another_digest_is_refused_and_removed(tmp_path):
    with FaultServer({"/a": CONTENT}) as server, pytest.raises(IntegrityError, match="SHA-256"):
        fetch_file(ranges_of(server), tmp_path / "a", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path):
    with FaultServer({"/a": CONTENT}) as server, pytest.raises(StorageError, match="cannot write"):
        fetch_file(ranges_of(server), tmp_path / "none" / "a")


def test_a_file_that_was_there_before_stays_until_the_new_one_is_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with (
        FaultServer({"/a": CONTENT}, lambda number: "503" if number > 2 else "") as server,
        pytest.raises(NetworkError),
    ):
        fetch_file(ranges_of(server), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"old"
