"""One shard of a Zarr v3 array, as bytes: written whole, read chunk by chunk.

The chunks lie one after the other, each Blosc-compressed and followed by its CRC32C; at the end the index (offset and
length of each chunk, 2^64 - 1 where there is none) and the index's CRC32C. Our own writer and reader, because
zarr-python spends about 1 ms a chunk beyond reading and decoding (docs/store.md); tests compare both ways.

Source: Zarr v3 specification, `sharding_indexed` codec 1.0, `blosc` codec 1.0, `crc32c` codec 1.0.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import google_crc32c
import numpy as np
from jaxtyping import UInt64
from numcodecs import Blosc

from terrashot.errors import IntegrityError

CHECKSUM_BYTES = 4
ABSENT = np.uint64(2**64 - 1)
LARGEST_OFFSET = 1 << 40
BLOSC_HEADER_BYTES = 16
DECODER = Blosc()
"""The header of what is decoded says how it was encoded."""


def compressor(dtype: np.dtype) -> Blosc:
    """lz4 with bit shuffle: the fastest to decode of the codecs measured, within a third of the smallest."""
    return Blosc(cname="lz4", clevel=5, shuffle=Blosc.BITSHUFFLE, typesize=dtype.itemsize)


def pack(values: np.ndarray) -> bytes:
    """A chunk, compressed as it lies in a shard."""
    return bytes(compressor(values.dtype).encode(np.ascontiguousarray(values)))


class ShardForm:
    """The form of a shard that is written chunk by chunk, in the order of their numbers; chunks not named are absent."""

    def __init__(self, n_chunks: int) -> None:
        self._index = np.full((n_chunks, 2), ABSENT, dtype="<u8")
        self._end = 0

    def chunks(self, packed: Mapping[int, bytes]) -> bytes:
        """What follows next in the file: these packed chunks by their number, each followed by its checksum."""
        parts: list[bytes] = []
        for number, content in sorted(packed.items()):
            length = len(content) + CHECKSUM_BYTES
            self._index[number] = self._end, length
            self._end += length
            parts += [content, _checksum(content)]
        return b"".join(parts)

    def index(self) -> bytes:
        """What follows last."""
        table = self._index.tobytes()
        return table + _checksum(table)


def open_shard(path: Path) -> int:
    """A descriptor to read a shard's file by.

    Raises:
        IntegrityError: no such file, or a link, which no writer of ours leaves.
    """
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise IntegrityError(
            f"{path}: the ledger names this shard and it cannot be opened ({error.strerror}); "
            "run: terrashot verify --repair, then terrashot run"
        ) from None


def read_index(descriptor: int, n_chunks: int, path: Path) -> UInt64[np.ndarray, "n 2"]:
    """Offset and length of each chunk of a shard file.

    Args:
        path: named in errors.

    Raises:
        IntegrityError: truncated, or the index does not fit its checksum.
    """
    size = n_chunks * 16 + CHECKSUM_BYTES
    length = os.fstat(descriptor).st_size
    content = os.pread(descriptor, size, max(0, length - size))
    if len(content) < size or _checksum(content[:-CHECKSUM_BYTES]) != content[-CHECKSUM_BYTES:]:
        raise IntegrityError(
            f"{path}: {length} bytes, its index is cut or damaged; run: terrashot verify --repair, then terrashot run"
        )
    index = np.frombuffer(content[:-CHECKSUM_BYTES], dtype="<u8").reshape(n_chunks, 2).astype(np.uint64)
    if not _lies_apart(index, length - size):
        raise IntegrityError(
            f"{path}: its index names bytes twice, or beyond the file; run: terrashot verify --repair, then terrashot run"
        )
    return index


def _lies_apart(index: UInt64[np.ndarray, "n 2"], n_bytes: int) -> bool:
    """Each chunk lies inside the file and on bytes of its own, as a writer of ours lays them."""
    there = index[index[:, 0] != ABSENT]
    if not len(there):
        return True
    if int(there.max()) > min(n_bytes, LARGEST_OFFSET):  # before sums, which could pass 2^64
        return False
    first = there[np.argsort(there[:, 0], kind="stable")]
    ends = first.sum(axis=1)
    return bool((ends[:-1] <= first[1:, 0]).all() and ends[-1] <= n_bytes)


def read_packed(descriptor: int, place: UInt64[np.ndarray, " 2"], most_bytes: int) -> bytes | None:
    """A packed chunk, or None where it does not fit its checksum or is longer than a chunk can be."""
    offset, length = int(place[0]), int(place[1]) - CHECKSUM_BYTES
    if not 0 < length <= most_bytes or offset > LARGEST_OFFSET:
        return None
    # Two reads, not one and a slice: a copy of a chunk takes longer than its checksum.
    packed, checksum = os.pread(descriptor, length, offset), os.pread(descriptor, CHECKSUM_BYTES, offset + length)
    return packed if len(packed) == length and _checksum(packed) == checksum else None


def unpack(packed: bytes, dtype: np.dtype, side_px: int) -> np.ndarray | None:
    """The stored numbers (side, side) of a packed chunk, or None where they are not so many."""
    n_bytes = side_px * side_px * dtype.itemsize
    if len(packed) < BLOSC_HEADER_BYTES or int.from_bytes(packed[4:8], "little") != n_bytes:
        return None
    try:
        return np.frombuffer(DECODER.decode(packed), dtype=dtype).reshape(side_px, side_px)
    except (RuntimeError, ValueError):
        return None


def most_packed_bytes(dtype: np.dtype, side_px: int) -> int:
    """The most that a chunk of this size can take; what claims more is not ours."""
    return side_px * side_px * dtype.itemsize * 2 + 1024


def _checksum(content: bytes) -> bytes:
    return google_crc32c.value(content).to_bytes(CHECKSUM_BYTES, "little")
