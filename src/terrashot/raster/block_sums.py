"""The checksums with which the packed blocks of a GeoTIFF end: GDAL compares them where a block unpacks to what it should alone.

Measured with GDAL 3.10 on blocks of deflate: of flipped bits in them one in ten gave other pixels and no error, all of them where
the damaged stream unpacks to more than the block has room for. Other lossless codecs (LZW, ZSTD as GDAL writes it, none) have no
checksum.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from terrashot.errors import InputError
from terrashot.raster.inflate import inflated
from terrashot.raster.tiff_layout import Read
from terrashot.raster.unpack import most_packed_bytes


def refuse_damaged_blocks(file: Any, name: str, read: Read, rows: slice, cols: slice, bands: Sequence[int]) -> None:
    """Nothing, if each block that holds these pixels fits its checksum, or is of a codec without one.

    Args:
        file: a GeoTIFF as rasterio opens it, or its overview.
        read: bytes of the file from a place up to another.

    Raises:
        InputError: a block does not; names the file.
    """
    if file.compression is None or file.compression.name != "deflate":
        return
    for row, col, band in _blocks(file, rows, cols, bands):
        start, size = (file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=band) for what in ("OFFSET", "SIZE"))
        if (
            start is not None
            and size is not None
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


def _is_by_pixel(file: Any) -> bool:
    return file.count > 1 and file.interleaving is not None and file.interleaving.name == "pixel"


def _unpacked_bytes(file: Any, band: int) -> int:
    height, width = file.block_shapes[band - 1]
    return int(height * width * np.dtype(file.dtypes[band - 1]).itemsize * (file.count if _is_by_pixel(file) else 1))


def _fits(read: Read, start: int, size: int, unpacked_bytes: int) -> bool:
    return size <= most_packed_bytes(unpacked_bytes) and inflated(read(start, start + size), unpacked_bytes) is not None
