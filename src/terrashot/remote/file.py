"""A remote file that can be sought and read like a local one, block by block."""

import io
import os
from collections import OrderedDict

import numpy as np

from terrashot.remote.ranges import ByteRanges

BLOCK_BYTES = 64 << 10
"""The headers of a cloud-optimised GeoTIFF of 10980 px a side fit into the first."""
KEPT_BYTES = 8 << 20
"""Of blocks; a tile of pixels is read once and unpacked by the reader, so little is asked for again."""
FEW = 4
"""Blocks up to which all of a run are kept; more are tiles of pixels, which are unpacked at once."""


class Blocks:
    """Blocks of a file, the last used ones kept; missing neighbours are fetched in one request."""

    def __init__(self, ranges: ByteRanges, block_bytes: int = BLOCK_BYTES, kept_bytes: int = KEPT_BYTES) -> None:
        self.ranges = ranges
        self._block_bytes = block_bytes
        self._most = max(1, kept_bytes // block_bytes)
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._size: int | None = None

    @property
    def size(self) -> int:
        if self._size is None:
            self._fetch(_room(self._block_bytes), 0, 1)  # not asked for alone: the beginning is always read
            self._size = self.ranges.size
        return self._size

    def read(self, start: int, stop: int) -> memoryview:
        """The bytes from `start` up to but not including `stop`, not copied; fewer only where the file ends before.

        Raises:
            NetworkError, InputError: as the ranges do.
        """
        stop = min(stop, self.size)
        if start >= stop:
            return memoryview(b"")
        first, end = start // self._block_bytes, -(-stop // self._block_bytes)
        begin = first * self._block_bytes
        content = self._one(first) if end - first == 1 else self._several(first, end)
        return content[start - begin : stop - begin]

    def are_kept(self, start: int, stop: int) -> bool:
        """Whether all bytes from `start` up to `stop` can be read, and the size told, without a fetch."""
        first, end = start // self._block_bytes, -(-stop // self._block_bytes)
        return self._size is not None and all(number in self._kept for number in range(first, end))

    def _one(self, number: int) -> memoryview:
        if number not in self._kept:
            return self._several(number, number + 1)
        self._kept.move_to_end(number)
        return memoryview(self._kept[number])

    def _several(self, first: int, end: int) -> memoryview:
        """Blocks that follow each other, in one piece: those that are missing are received where they belong."""
        begin = first * self._block_bytes
        room = _room(min(end * self._block_bytes, self.size) - begin)
        while first < end:
            run = first
            while run < end and run not in self._kept:
                run += 1
            part = room[first * self._block_bytes - begin :]
            if run > first:
                wanted = part[: (run - first) * self._block_bytes]
                if (got := self._fetch(wanted, first, run)) < len(wanted):
                    return room[: first * self._block_bytes - begin + got].toreadonly()
            else:
                self._kept.move_to_end(first)
                part[: len(self._kept[first])] = self._kept[first]
                run = first + 1
            first = run
        return room.toreadonly()

    def _fetch(self, room: memoryview, first: int, end: int) -> int:
        """How many bytes of the blocks came, in one go; of many the ends are kept, where what is read next begins or ends."""
        content = room[: self.ranges.read_into(room, first * self._block_bytes)]
        run = range(first, end)
        for number in run if len(run) <= FEW else (first, end - 1):
            at = (number - first) * self._block_bytes
            self._kept[number] = bytes(content[at : at + self._block_bytes])
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return len(content)


def _room(n_bytes: int) -> memoryview:
    """For so many bytes, whatever stands in it: to fill a large one with zeros takes time."""
    return np.empty(n_bytes, np.uint8).data


class RemoteFile(io.RawIOBase):
    """One place in a file of blocks; several may share the blocks."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new place; beyond the end nothing is read.

        Raises:
            ValueError: before the beginning.
        """
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place}.get(whence)
        place = offset + (self._blocks.size if start is None else start)
        if place < 0:
            raise ValueError(f"no place {place} in a file")
        self._place = place
        return place

    def is_here(self, size: int) -> bool:
        """Whether nothing has to be fetched for so many of the next bytes, nor for a seek."""
        return self._blocks.are_kept(self._place, self._place + size)

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, as many as asked for where the file has them.

        Raises:
            NetworkError, InputError: as the ranges do.
        """
        return bytes(self._next(self._blocks.size - self._place if size is None or size < 0 else size))

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        got = self._next(len(buffer))
        buffer[: len(got)] = got
        return len(got)

    def _next(self, size: int) -> memoryview:
        got = self._blocks.read(self._place, self._place + size)
        self._place += len(got)
        return got
