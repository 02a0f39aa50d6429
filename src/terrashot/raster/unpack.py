"""Blocks of a GeoTIFF unpacked by ourselves: each fits the checksum that it ends with, or is none.

GDAL compares the checksums where a block unpacks to what it should alone (`block_sums.py`), and one thread at a time is in it; what
`inflate.py` does compares them always, and lets other threads work. h, w, S: rows, columns and bands of a block.
"""

import numpy as np
from jaxtyping import Shaped, UInt8

from terrashot.raster.inflate import inflated
from terrashot.raster.predictor import floats_of, numbers_of
from terrashot.raster.tiff_layout import Layout

SLACK_BYTES = 1024
"""By which what does not pack may grow, beside a hundredth; a block that claims more was never written."""


def most_packed_bytes(unpacked_bytes: int) -> int:
    """Of a block that unpacks to so many."""
    return unpacked_bytes + unpacked_bytes // 100 + SLACK_BYTES


def unpacked(packed: bytes | memoryview, layout: Layout, number: int) -> Shaped[np.ndarray, "h w S"] | None:
    """The pixels of a block, with the rows that it holds; None where it is damaged.

    A last strip may be filled up like all others: there are writers who do so.
    """
    n_rows = layout.rows_of(number)
    content = inflated(packed, layout.block_height_px * layout.row_bytes)
    if content is None or len(content) not in (n_rows * layout.row_bytes, layout.block_height_px * layout.row_bytes):
        return None
    return _pixels(content, layout)


def _pixels(content: UInt8[np.ndarray, " n"], layout: Layout) -> Shaped[np.ndarray, "h w S"]:
    size, order = layout.dtype.itemsize, layout.dtype.byteorder
    n_rows, n_cols, n_bands = len(content) // layout.row_bytes, layout.block_width_px, layout.bands_together
    own = layout.dtype.newbyteorder("=")
    if layout.predictor == 3:
        differences = content.reshape(n_rows, size, n_cols, n_bands)
        return floats_of(differences).view(f"<f{size}")[..., 0].astype(own, copy=False)
    if layout.predictor == 2:
        stored = content.view(f"{order}u{size}").reshape(n_rows, n_cols, n_bands)
        return numbers_of(stored.astype(f"=u{size}", copy=False)).view(own)
    return content.view(layout.dtype).reshape(n_rows, n_cols, n_bands).astype(own, copy=False)
