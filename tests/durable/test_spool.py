"""Bytes kept to spare a second fetch: what is not as it was put counts as absent."""

import os

import pytest

from terrashot.durable.spool import Spool


def test_what_was_put_is_there_for_any_other_process_and_nothing_else_is(tmp_path):
    Spool(tmp_path).put("a", {3: b"some bytes", 1: b""})
    Spool(tmp_path).put("a", {2: b"more", 3: b"other bytes"})
    assert Spool(tmp_path).get("a") == {1: b"", 2: b"more", 3: b"other bytes"}
    assert Spool(tmp_path).get("b") == {}
    Spool(tmp_path).forget("a")
    assert Spool(tmp_path).get("a") == {}


def test_one_flipped_bit_anywhere_makes_its_piece_and_those_behind_it_absent_and_they_can_be_put_again(tmp_path):
    spool, pieces = Spool(tmp_path), {5: bytes(range(64)), 6: b"behind it"}
    spool.put("key", pieces)
    (path,) = tmp_path.glob("??/*")
    whole = path.read_bytes()
    for place in range(0, 8 * len(whole), 7):
        content = bytearray(whole)
        content[place // 8] ^= 1 << place % 8
        path.write_bytes(content)
        assert spool.get("key") == ({} if place // 8 < 64 + 16 else {5: pieces[5]})
        spool.put("key", pieces)
        assert spool.get("key") == pieces
    path.write_bytes(whole)
    assert spool.get("key") == pieces


def test_a_torn_write_and_bytes_under_another_key_are_absent(tmp_path):
    spool = Spool(tmp_path)
    spool.put("one", {0: b"x" * 100})
    (path,) = tmp_path.glob("??/*")
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    assert spool.get("one") == {}
    spool.put("two", {0: b""})
    (other,) = tmp_path.glob("??/*")
    other.write_bytes(whole)
    assert spool.get("two") == {}


@pytest.mark.parametrize("room", [0, 250, 1000])
def test_without_room_the_oldest_go_first(tmp_path, room):
    spool = Spool(tmp_path)
    for number in range(6):
        spool.put(str(number), {0: b"x" * 84})  # 100 bytes with number, length and seal
        newest = max(tmp_path.glob("??/*"), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, ns=(number * 10**9, number * 10**9))
    kept = spool.keep_at_most(room)
    there = [number for number in range(6) if spool.get(str(number))]
    assert kept == 100 * len(there) <= max(room, 0)
    assert there == list(range(6))[6 - len(there) :]
    assert len(there) == min(6, room // 100)


def test_pieces_that_are_not_wanted_are_told_of_and_not_looked_at(tmp_path):
    spool = Spool(tmp_path)
    spool.put("key", {0: b"first", 1: b"second", 2: b"third"})
    (path,) = tmp_path.glob("??/*")
    path.write_bytes(path.read_bytes().replace(b"second", b"sekond"))
    assert spool.sizes("key") == {0: 5, 1: 6, 2: 5}
    assert spool.get("key", range(2, 9)) == {2: b"third"}
    assert spool.get("key", {1}) == {}
    assert spool.sizes("key") == {}  # removed, with all that could be put behind it
