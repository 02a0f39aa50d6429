"""Undoes the predictors with which the blocks of a GeoTIFF are packed better: differences become numbers again.

R rows, W columns and S bands of a block; n bytes of a float. Sums wrap as the type does, which is what the packer counted on.

Source: TIFF 6.0 (Adobe 1992), section 14; Adobe Photoshop TIFF Technical Note 3 (2005), "Floating Point Predictor".
"""

from typing import no_type_check

import numpy as np
from jaxtyping import UInt, UInt8
from numba import njit


def numbers_of(differences: UInt[np.ndarray, "R W S"]) -> UInt[np.ndarray, "R W S"]:
    """The sums along the rows, band by band."""
    found = np.empty_like(differences)
    _sum_rows(differences, found)
    return found


def floats_of(differences: UInt8[np.ndarray, "R n W S"]) -> UInt8[np.ndarray, "R W S n"]:
    """The bytes of floats, the least first, n = 4 or 8; as stored, the highest byte of all numbers of a row comes first."""
    n_rows, n_bytes, n_cols, n_bands = differences.shape
    found = np.empty((n_rows, n_cols, n_bands, n_bytes), np.uint8)
    _sum_bytes(differences, found)
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _sum_rows(differences: np.ndarray, found: np.ndarray) -> None:
    n_rows, n_cols, n_bands = differences.shape
    for row in range(n_rows):
        for band in range(n_bands):
            total = differences[row, 0, band]
            found[row, 0, band] = total
            for col in range(1, n_cols):
                total = differences.dtype.type(total + differences[row, col, band])
                found[row, col, band] = total


@njit(cache=True, nogil=True)
@no_type_check
def _sum_bytes(differences: np.ndarray, found: np.ndarray) -> None:
    """A row's sum runs on from one byte of the numbers to the next."""
    n_rows, n_bytes, n_cols, n_bands = differences.shape
    for row in range(n_rows):
        for band in range(n_bands):
            total = np.uint8(0)
            for byte in range(n_bytes):
                for col in range(n_cols):
                    total = np.uint8(total + differences[row, byte, col, band])
                    found[row, col, band, n_bytes - 1 - byte] = total
