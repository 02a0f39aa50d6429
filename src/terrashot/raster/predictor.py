"""Undoes the predictors with which the blocks of a GeoTIFF are packed better: differences become numbers again.

R rows, W columns and S bands of a block; n bytes of a float. Sums wrap as the type does, which is what the packer counted on.

Source: TIFF 6.0 (Adobe 1992), section 14; Adobe Photoshop TIFF Technical Note 3 (2005), "Floating Point Predictor".
"""

from typing import Final

import numpy as np
from jaxtyping import UInt, UInt8, UInt16

SEGMENT_PX: Final = 256
"""So many bytes, and one more that stands before them, add up to less than 2 to the 16."""
ROWS_AT_ONCE: Final = 128
"""Of 512 numbers they fit into a processor's cache on the way; all at once took a third longer."""


def numbers_of(differences: UInt[np.ndarray, "R W S"]) -> UInt[np.ndarray, "R W S"]:
    """The sums along the rows, band by band."""
    return np.add.accumulate(differences, axis=1, dtype=differences.dtype)


def floats_of(differences: UInt8[np.ndarray, "R n W S"]) -> UInt8[np.ndarray, "R W S n"]:
    """The bytes of floats, the least first, n = 4 or 8; as stored, the highest byte of all numbers of a row comes first."""
    n_rows, n_bytes, n_cols, n_bands = differences.shape
    content = np.empty((n_rows, n_cols, n_bands, n_bytes), np.uint8)
    for start in range(0, n_rows, ROWS_AT_ONCE):
        content[start : start + ROWS_AT_ONCE] = _floats_of(differences[start : start + ROWS_AT_ONCE])
    return content


def _floats_of(differences: UInt8[np.ndarray, "R n W S"]) -> UInt8[np.ndarray, "R W S n"]:
    """A row's sum runs on from one byte of the numbers to the next. numpy adds up a number at a time, whatever its size: so four
    bytes are added at once, 16 bits apart in one number, over segments so short that none runs over into the next; what stands before
    a segment in its row is added afterwards.
    """
    n_rows, n_bytes, n_cols, n_bands = differences.shape
    n_segments = -(-n_cols // SEGMENT_PX)
    lanes = np.zeros((n_rows, n_segments * SEGMENT_PX, n_bands, n_bytes), np.uint16)
    for byte in range(n_bytes):
        lanes[:, :n_cols, :, n_bytes - 1 - byte] = differences[:, byte]
    words = lanes.view(np.uint64).reshape(n_rows, n_segments, SEGMENT_PX, -1)
    words = np.add.accumulate(words, axis=2)
    sums = words[:, :, -1].view(np.uint16).reshape(n_rows, n_segments, n_bands, n_bytes)
    words += _before(sums).view(np.uint64).reshape(n_rows, n_segments, 1, -1)
    return words.view(np.uint16).reshape(lanes.shape)[:, :n_cols].astype(np.uint8)


def _before(sums: UInt16[np.ndarray, "R s S n"]) -> UInt16[np.ndarray, "R s S n"]:
    """What comes before each segment in its row, as a byte. s: segments."""
    in_order = sums[..., ::-1].transpose(0, 2, 3, 1)
    flat = in_order.astype(np.uint8).reshape(*in_order.shape[:2], -1)
    before = np.zeros_like(flat)
    np.add.accumulate(flat[..., :-1], axis=-1, dtype=np.uint8, out=before[..., 1:])
    return np.ascontiguousarray(before.reshape(in_order.shape).transpose(0, 3, 1, 2)[..., ::-1].astype(np.uint16))
