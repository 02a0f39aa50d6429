"""A remote file whose parts, once fetched, are kept on this disk: a run that was killed, and the next chip, fetch them no more."""

import json

from terrashot.durable.spool import Spool
from terrashot.remote.headers import Version
from terrashot.remote.ranges import ByteRanges, RemoteRanges, ReplacedError

BLOCK_BYTES = 64 << 10


class KeptRanges:
    """Ranges of a remote file, looked up on this disk first; they begin and end at whole blocks, or at the file's end."""

    def __init__(self, ranges: RemoteRanges, spool: Spool) -> None:
        self._ranges, self._spool = ranges, spool
        self._version_key = f"version of {ranges.identity}"
        known = _version_from(spool.get(self._version_key))
        if known is not None:
            ranges.expect(known)

    @property
    def name(self) -> str:
        return self._ranges.name

    @property
    def size(self) -> int:
        return self._ranges.size

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to but not including `stop`; fewer only where the file ends before.

        Raises:
            NetworkError, InputError: as the ranges do.
        """
        pieces, first, end = [], start // BLOCK_BYTES, -(-stop // BLOCK_BYTES)
        while first < end:
            content = self._kept(first)
            step = 1
            if content is None:
                step = next((n for n in range(1, end - first) if self._kept(first + n) is not None), end - first)
                content = self._fetched(first, first + step)
            pieces.append(content)
            if len(content) < step * BLOCK_BYTES:
                break  # the file's end
            first += step
        return b"".join(pieces)[: stop - start]

    def _kept(self, number: int) -> bytes | None:
        """None too where no version of the file is known yet."""
        return self._spool.get(self._key(number)) if self._ranges.is_version_known else None

    def _fetched(self, first: int, end: int) -> bytes:
        was_known = self._ranges.is_version_known
        try:
            content = self._ranges.read(first * BLOCK_BYTES, end * BLOCK_BYTES)
        except ReplacedError:
            self._spool.forget(self._version_key)
            raise
        if not was_known:
            self._spool.put(self._version_key, _version_bytes(self._ranges.version))
        for number, at in enumerate(range(0, len(content), BLOCK_BYTES), start=first):
            self._spool.put(self._key(number), content[at : at + BLOCK_BYTES])
        return content

    def _key(self, number: int) -> str:
        return f"{self._ranges.identity} {_version_bytes(self._ranges.version).decode()} {number}"


def _version_bytes(version: Version) -> bytes:
    return json.dumps([version.size, version.etag, version.modified]).encode()


def _version_from(content: bytes | None) -> Version | None:
    return None if content is None else Version(*json.loads(content))


_: type[ByteRanges] = KeptRanges
