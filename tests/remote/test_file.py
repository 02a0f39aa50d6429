"""A remote file is read like the bytes it holds: any seeks and reads, any block size, through faults that pass."""

import io
import os
import random

import pytest
from faults.answers import FAULTS
from faults.server import FaultServer, SkippingClock
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.errors import NetworkError
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.file import Blocks, RemoteFile
from terrashot.remote.ranges import RemoteRanges


class Memory:
    """Ranges of bytes that are here, each noted."""

    name = "memory"

    def __init__(self, content):
        self.content = content
        self.size = len(content)
        self.asked = []

    def read_into(self, room, start):
        self.asked.append((start, start + len(room)))
        found = self.content[start : start + len(room)]
        room[: len(found)] = found
        return len(found)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("seek"), st.integers(0, 400), st.just(os.SEEK_SET)),
        st.tuples(st.just("seek"), st.integers(-400, 400), st.sampled_from([os.SEEK_CUR, os.SEEK_END])),
        st.tuples(st.just("read"), st.integers(-1, 400), st.none()),
        st.tuples(st.just("into"), st.integers(0, 100), st.none()),
    ),
    max_size=12,
)


def play(file, steps):
    """What each step returned."""
    found = []
    for kind, number, whence in steps:
        try:
            if kind == "seek":
                found.append(file.seek(number, whence))
            elif kind == "read":
                found.append(file.read(number))
            else:
                buffer = bytearray(number)
                found.append((file.readinto(buffer), bytes(buffer)))
        except ValueError:
            found.append("refused")
        found.append(file.tell())
    return found


class Sought(io.BytesIO):
    """A file that refuses every place before its beginning; BytesIO moves to it where it seeks relatively."""

    def seek(self, offset, whence=os.SEEK_SET):
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: len(self.getvalue())}[whence]
        if base + offset < 0:
            raise ValueError
        return super().seek(offset, whence)


@given(st.binary(max_size=300), STEPS, st.integers(1, 64), st.integers(0, 300))
def test_seeks_and_reads_are_those_of_the_bytes(content, steps, block_bytes, kept_bytes):
    file = RemoteFile(Blocks(Memory(content), block_bytes, kept_bytes))
    assert play(file, steps) == play(Sought(content), steps)


PASSING = sorted(
    set(FAULTS) - {"redirect loop", "redirect to a private address", "429 for an hour", "replaced file", "redirect elsewhere",
                   "a byte now and then", "expired signature", "gzip bomb", "hang before", "hang in the body"}
)  # fmt: skip


@settings(max_examples=60)
@given(
    st.binary(max_size=300).map(b"II*\0".__add__),
    STEPS,
    st.integers(16, 64),
    st.lists(st.sampled_from(["", "", *PASSING]), max_size=30),
)
def test_faults_that_pass_change_no_byte(content, steps, block_bytes, faults):
    # No more in a row than there are attempts.
    script = [fault if number % 4 else "" for number, fault in enumerate(faults)]
    with FaultServer({"/a": content}, lambda number: script[number] if number < len(script) else "") as server:
        limits = Limits(max_attempts=8, max_seconds=600)
        ranges = RemoteRanges(server.url("/a"), Client(server.rules), Budget(limits, SkippingClock(), random.Random(0)))
        assert play(RemoteFile(Blocks(ranges, block_bytes)), steps) == play(Sought(content), steps)


def test_missing_neighbours_are_fetched_in_one_request_and_kept_ones_not_again():
    memory = Memory(bytes(range(250)))
    blocks = Blocks(memory, block_bytes=10)
    assert blocks.read(42, 67) == memory.content[42:67]
    assert blocks.read(35, 95) == memory.content[35:95]
    assert memory.asked == [(0, 10), (40, 70), (30, 40), (70, 100)]


def test_of_many_blocks_the_ends_are_kept_where_what_is_read_next_begins_or_ends():
    memory = Memory(bytes(range(250)))
    blocks = Blocks(memory, block_bytes=10)
    assert blocks.read(35, 115) == memory.content[35:115]
    assert blocks.read(110, 130) == memory.content[110:130]
    assert blocks.read(20, 40) == memory.content[20:40]
    assert blocks.read(60, 70) == memory.content[60:70]
    assert memory.asked == [(0, 10), (30, 120), (120, 130), (20, 30), (60, 70)]


def test_what_has_to_be_fetched_is_told_from_what_is_kept():
    file = RemoteFile(Blocks(Memory(bytes(250)), block_bytes=10))
    assert not file.is_here(0)  # nor is its size known
    file.read(5)
    assert file.is_here(5) and not file.is_here(6)
    file.seek(40)
    assert file.is_here(0) and not file.is_here(1)


def test_a_file_that_ends_before_its_size_gives_what_came():
    memory = Memory(bytes(range(35)))
    memory.size = 250
    assert Blocks(memory, block_bytes=10).read(12, 60) == memory.content[12:]


def test_two_files_of_the_same_blocks_have_places_of_their_own():
    blocks = Blocks(Memory(b"abcdef"))
    one, other = RemoteFile(blocks), RemoteFile(blocks)
    assert one.read(2) == b"ab" and other.read(3) == b"abc" and one.tell() == 2
    assert blocks.ranges.asked == [(0, 64 << 10)]


def test_no_more_blocks_are_kept_than_were_asked_to_be():
    blocks = Blocks(Memory(bytes(1000)), block_bytes=10, kept_bytes=50)
    blocks.read(0, 1000)
    assert sum(map(len, blocks._kept.values())) <= 50


def test_a_file_that_cannot_be_fetched_raises_from_its_read():
    with FaultServer({"/a": b"abc"}, lambda number: "503") as server:
        ranges = RemoteRanges(server.url("/a"), Client(server.rules), Budget(Limits(max_attempts=2), SkippingClock()))
        with pytest.raises(NetworkError, match="503 Service Unavailable"):
            RemoteFile(Blocks(ranges)).read(1)
