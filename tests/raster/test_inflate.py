"""A stream is unpacked whole or refused, whichever library does it."""

import zlib

import numpy as np
import pytest

pytest.importorskip("rasterio")
from terrashot.raster.inflate import by_gdal, by_zlib, inflated

WAYS = [pytest.param(by_zlib, id="zlib"), pytest.param(by_gdal, id="GDAL", marks=pytest.mark.skipif(by_gdal is None, reason="GDAL's functions cannot be reached here"))]  # fmt: skip
CONTENT = np.random.default_rng(0).integers(0, 9, 3000, np.uint8)
PACKED = zlib.compress(CONTENT.tobytes())


def told(way, packed, room=len(CONTENT)):
    """What came of the stream; None where it was refused."""
    into = np.empty(room, np.uint8)
    n_bytes = way(np.frombuffer(packed, np.uint8), into)
    return None if n_bytes is None else into[:n_bytes].tobytes()


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_stream_is_unpacked_into_as_much_room_or_more(way):
    assert told(way, PACKED) == told(way, PACKED, len(CONTENT) + 5) == CONTENT.tobytes()
    assert told(way, zlib.compress(b"")) == b""


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_with_more_than_there_is_room_for_is_refused(way):
    assert told(way, PACKED, len(CONTENT) - 1) is None


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_is_cut_anywhere_is_refused(way):
    assert {told(way, PACKED[:length]) for length in range(1, len(PACKED))} == {None}


def with_a_flipped_bit():
    """The stream with each of half its bits flipped."""
    flips = np.left_shift(np.uint8(1), np.arange(8, dtype=np.uint8))
    for place in range(len(PACKED)):
        for flip in flips[place % 2 :: 2]:
            damaged = np.frombuffer(PACKED, np.uint8).copy()
            damaged[place] ^= flip
            yield damaged.tobytes()


@pytest.mark.skipif(by_gdal is None, reason="GDAL's functions cannot be reached here")
def test_of_damaged_streams_both_refuse_the_same():
    # A few of these fit their checksum, which is a weak one where a stream is short and of few values.
    for damaged in with_a_flipped_bit():
        assert told(by_gdal, damaged) == told(by_zlib, damaged)


def test_a_part_of_a_file_in_memory_is_unpacked_and_nothing_is_no_stream():
    assert inflated(memoryview(PACKED), len(CONTENT)).tobytes() == CONTENT.tobytes()
    assert inflated(b"", 10) is None
