"""A remote file whose parts, once fetched, are kept on this disk: a run that was killed, and the next chip, fetch them no more."""

import json

from terrashot.durable.spool import Spool
from terrashot.remote.headers import Version
from terrashot.remote.ranges import ByteRanges, RemoteRanges, ReplacedError

BLOCK_BYTES = 64 << 10
TOGETHER = 512
"""Blocks whose runs lie in one file of the disk: a new file costs more than to write a run; what lies behind damage is lost."""


class KeptRanges:
    """Ranges of a remote file, looked up on this disk first; they begin and end at whole blocks, or at the file's end."""

    def __init__(self, ranges: RemoteRanges, spool: Spool) -> None:
        self._ranges, self._spool = ranges, spool
        self._there: dict[int, dict[int, int]] = {}
        """Blocks that were on the disk when we looked last, by the number of their file: first of a run, and how many."""
        self._version_key = f"version of {ranges.identity}"
        self._parts_key = ""
        known = _version_from(spool.get(self._version_key).get(0))
        if known is not None:
            ranges.expect(known)
            self._parts_key = _parts_key(ranges)

    @property
    def name(self) -> str:
        return self._ranges.name

    @property
    def size(self) -> int:
        return self._ranges.size

    def read_into(self, room: memoryview, start: int) -> int:
        """How many bytes of the file, from `start` on, stand in `room` now; fewer than it holds only where the file ends before.

        Raises:
            NetworkError, InputError: as the ranges do.
        """
        done, first, end = 0, start // BLOCK_BYTES, -(-(start + len(room)) // BLOCK_BYTES)
        kept = self._kept(first, end)
        while first < end:
            content = kept.get(first)
            behind = next((n for n in range(first + 1, end) if content is not None or n in kept), end)
            part = room[done : done + (behind - first) * BLOCK_BYTES]
            got = self._fetched(part, first) if content is None else _laid(part, content)
            done, first = done + got, behind
            if got < len(part):
                break  # the file's end
        return done

    def _kept(self, first: int, end: int) -> dict[int, memoryview]:
        """Blocks from `first` to `end` that lie on the disk, by number; none where no version of the file is known yet."""
        found: dict[int, memoryview] = {}
        if self._parts_key:
            for together in range(first // TOGETHER, -(-end // TOGETHER)):
                runs = {run for run, count in self._there_in(together).items() if run < end and first < run + count}
                for run, content in self._spool.get(self._key(together), runs).items() if runs else ():
                    blocks = memoryview(content)
                    found |= {run + at // BLOCK_BYTES: blocks[at : at + BLOCK_BYTES] for at in _steps(content)}
        return found

    def _there_in(self, together: int) -> dict[int, int]:
        if together not in self._there:
            sizes = self._spool.sizes(self._key(together))
            self._there[together] = {run: -(-size // BLOCK_BYTES) for run, size in sizes.items()}
        return self._there[together]

    def _fetched(self, room: memoryview, first: int) -> int:
        try:
            got = self._ranges.read_into(room, first * BLOCK_BYTES)
        except ReplacedError:
            self._spool.forget(self._version_key)
            raise
        if not self._parts_key:
            self._spool.forget(self._version_key)
            self._spool.put(self._version_key, {0: _version_bytes(self._ranges.version)})
            self._parts_key = _parts_key(self._ranges)
        self._keep(room[:got], first)
        return got

    def _keep(self, content: memoryview, first: int) -> None:
        """A run of blocks in one piece in each file."""
        end = first + len(_steps(content))
        for together in range(first // TOGETHER, -(-end // TOGETHER)):
            run, stop = max(first, together * TOGETHER), min(end, (together + 1) * TOGETHER)
            part = content[(run - first) * BLOCK_BYTES : (stop - first) * BLOCK_BYTES]
            self._spool.put(self._key(together), {run: part})
            self._there.setdefault(together, {})[run] = stop - run

    def _key(self, together: int) -> str:
        return f"{self._parts_key} {together}"


def _steps(content: bytes | memoryview) -> range:
    """Where each block of a run begins in it."""
    return range(0, len(content), BLOCK_BYTES)


def _laid(room: memoryview, content: memoryview) -> int:
    """How many bytes of a block there were, and room for."""
    fitting = content[: len(room)]
    room[: len(fitting)] = fitting
    return len(fitting)


def _parts_key(ranges: RemoteRanges) -> str:
    """Of this version alone."""
    return f"{ranges.identity} {_version_bytes(ranges.version).decode()}"


def _version_bytes(version: Version) -> bytes:
    return json.dumps([version.size, version.etag, version.modified]).encode()


def _version_from(content: bytes | None) -> Version | None:
    return None if content is None else Version(*json.loads(content))


_: type[ByteRanges] = KeptRanges
