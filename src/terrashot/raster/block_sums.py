"""The checksums with which the packed blocks of a GeoTIFF end: GDAL compares them where a block unpacks to what it should alone.

Measured with GDAL 3.10 on blocks of deflate: of flipped bits in them one in ten gave other pixels and no error, all of them where
the damaged stream unpacks to more than the block has room for. Other lossless codecs (LZW, ZSTD as GDAL writes it, none) have no
checksum.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Shaped

from terrashot.errors import InputError

SLACK_BYTES = 1024
"""By which what does not pack may grow, beside a hundredth; a block that claims more was never written."""

SUM_BYTES = 4
"""Of a deflate stream, at its end: Adler-32 of what was packed (RFC 1950)."""

MOST_WHOLE = 1 << 16
_WHOLE: set[tuple[int, int]] = set()
"""Lengths and hashes of blocks that were found whole: the next chips read the same ones, and a hash takes a tenth of the time."""


def refuse_damaged_blocks(
    file: Any,
    name: str,
    read: Callable[[int, int], bytes],
    rows: slice,
    cols: slice,
    bands: Sequence[int],
    pixels: Shaped[np.ndarray, "C H W"],
) -> None:
    """Nothing, if each block that holds these pixels fits its checksum, or is of a codec without one.

    A block all of which was asked for need not be unpacked again: if its pixels have the checksum, they are what was packed.

    Args:
        file: a GeoTIFF as rasterio opens it, or its overview.
        pixels: as they were read.
        read: bytes of the file from a place up to another.

    Raises:
        InputError: a block does not; names the file.
    """
    if file.compression is None or file.compression.name != "deflate":
        return
    is_plain = file.count == 1 and file.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR", "1") == "1"
    for row, col, band in _blocks(file, rows, cols, bands):
        start, size = (file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=band) for what in ("OFFSET", "SIZE"))
        if (
            start is not None
            and size is not None
            and not (
                is_plain and _is_as_packed(file, read, int(start) + int(size), (row, col), (rows, cols), pixels[0])
            )
            and not _fits(read, int(start), int(size), _unpacked_bytes(file, band))
        ):
            raise InputError(f"{name}: a block of it does not fit its own checksum; copy it again")


def _blocks(file: Any, rows: slice, cols: slice, bands: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Row, column and band of each; where pixels lie with all their bands together, once for all bands."""
    for band in bands[:1] if _is_by_pixel(file) else bands:
        height, width = file.block_shapes[band - 1]
        down, across = (
            range(part.start // side, -(-part.stop // side)) for part, side in ((rows, height), (cols, width))
        )
        yield from ((row, col, band) for row, col in product(down, across))


def _is_as_packed(
    file: Any,
    read: Callable[[int, int], bytes],
    stop: int,
    block: tuple[int, int],
    window: tuple[slice, slice],
    pixels: Shaped[np.ndarray, "H W"],
) -> bool:
    """Whether all of the block's pixels are there and have the checksum with which it ends; False where that cannot be told."""
    parts = []
    for number, side, asked in zip(block, file.block_shapes[0], window, strict=True):
        first = number * side - asked.start
        if first < 0 or first + side > asked.stop - asked.start:
            return False
        parts.append(slice(first, first + side))
    own = np.ascontiguousarray(pixels[parts[0], parts[1]])
    return zlib.adler32(own) == int.from_bytes(read(stop - SUM_BYTES, stop), "big")


def _is_by_pixel(file: Any) -> bool:
    return file.count > 1 and file.interleaving is not None and file.interleaving.name == "pixel"


def _unpacked_bytes(file: Any, band: int) -> int:
    height, width = file.block_shapes[band - 1]
    return int(height * width * np.dtype(file.dtypes[band - 1]).itemsize * (file.count if _is_by_pixel(file) else 1))


def _fits(read: Callable[[int, int], bytes], start: int, size: int, unpacked_bytes: int) -> bool:
    if size > unpacked_bytes + unpacked_bytes // 100 + SLACK_BYTES:
        return False
    packed = read(start, start + size)
    key = len(packed), hash(packed)
    if key not in _WHOLE:
        if not _ends_well(packed, unpacked_bytes):
            return False
        if len(_WHOLE) >= MOST_WHOLE:
            _WHOLE.clear()
        _WHOLE.add(key)
    return True


def _ends_well(packed: bytes, unpacked_bytes: int) -> bool:
    stream = zlib.decompressobj()
    try:
        stream.decompress(packed, unpacked_bytes)
        stream.decompress(stream.unconsumed_tail, 1)  # to the checksum, which is compared at the stream's end
    except zlib.error:
        return False
    return stream.eof
