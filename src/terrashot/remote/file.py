"""A remote file that can be sought and read like a local one, block by block."""

import io
import os
from collections import OrderedDict

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

    @property
    def size(self) -> int:
        if not self._kept:
            self._block_run(0, 1)  # not asked for alone: the beginning is always read
        return self.ranges.size

    def read(self, start: int, stop: int) -> memoryview:
        """The bytes from `start` up to but not including `stop`, not copied; fewer only where the file ends before.

        Raises:
            NetworkError, InputError: as the ranges do.
        """
        stop = min(stop, self.size)
        if start >= stop:
            return memoryview(b"")
        first, end = start // self._block_bytes, -(-stop // self._block_bytes)
        content = memoryview(b"".join(self._in_order(first, end)))
        skipped = start - first * self._block_bytes
        return content[skipped : skipped + stop - start]

    def _in_order(self, first: int, end: int) -> list[bytes]:
        found = []
        while first < end:
            run = first
            while run < end and run not in self._kept:
                run += 1
            if run > first:
                found.append(self._block_run(first, run))
            else:
                self._kept.move_to_end(first)
                found.append(self._kept[first])
                run = first + 1
            first = run
        return found

    def _block_run(self, first: int, end: int) -> bytes:
        """Blocks that follow each other, fetched in one go; of many the ends are kept, where what is read next begins or ends."""
        content = self.ranges.read(first * self._block_bytes, end * self._block_bytes)
        run = range(first, end)
        for number in run if len(run) <= FEW else (first, end - 1):
            at = (number - first) * self._block_bytes
            self._kept[number] = content[at : at + self._block_bytes]
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return content


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
