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
MAX_CHUNKS = 1 << 20


def compressor(dtype: np.dtype) -> Blosc:
    """lz4 with bit shuffle: the fastest to decode of the codecs measured, within a third of the smallest."""
    return Blosc(cname="lz4", clevel=5, shuffle=Blosc.BITSHUFFLE, typesize=dtype.itemsize)


def shard_bytes(chunks: Mapping[int, np.ndarray], n_chunks: int) -> bytes:
    """A shard that holds these chunks by their number; the others are absent."""
    index = np.full((n_chunks, 2), ABSENT, dtype="<u8")
    parts, offset = [], 0
    for number in sorted(chunks):
        packed = compressor(chunks[number].dtype).encode(np.ascontiguousarray(chunks[number]))
        part = packed + _checksum(packed)
        index[number] = offset, len(part)
        parts.append(part)
        offset += len(part)
    table = index.tobytes()
    return b"".join([*parts, table, _checksum(table)])


def read_index(path: Path, n_chunks: int) -> UInt64[np.ndarray, "n 2"]:
    """Offset and length of each chunk of a shard file.

    Raises:
        IntegrityError: truncated, or the index does not fit its checksum.
    """
    size = n_chunks * 16 + CHECKSUM_BYTES
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        if length < size:
            raise IntegrityError(f"{path}: {length} bytes, shorter than its index; run: terrashot verify")
        file.seek(length - size)
        content = file.read()
    if _checksum(content[:-CHECKSUM_BYTES]) != content[-CHECKSUM_BYTES:]:
        raise IntegrityError(f"{path}: its index does not fit its checksum; run: terrashot verify")
    return np.frombuffer(content[:-CHECKSUM_BYTES], dtype="<u8").reshape(n_chunks, 2).astype(np.uint64)


def read_chunk(descriptor: int, place: UInt64[np.ndarray, " 2"], dtype: np.dtype, side_px: int) -> np.ndarray | None:
    """The chunk's stored numbers (side, side), or None where they do not fit their checksum or their size."""
    offset, length = int(place[0]), int(place[1])
    if length <= CHECKSUM_BYTES or length > side_px * side_px * dtype.itemsize * 2 + 1024:
        return None
    content = os.pread(descriptor, length, offset)
    packed = content[:-CHECKSUM_BYTES]
    if len(content) != length or _checksum(packed) != content[-CHECKSUM_BYTES:]:
        return None
    values = np.frombuffer(Blosc().decode(packed), dtype=dtype)
    return values.reshape(side_px, side_px) if values.size == side_px * side_px else None


def _checksum(content: bytes) -> bytes:
    return google_crc32c.value(content).to_bytes(CHECKSUM_BYTES, "little")
