"""Stored numbers as the values that a file or its catalogue says they are, compiled."""

from collections.abc import Iterable
from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Real
from numba import njit


def scaled(
    stored: Real[np.ndarray, "h w"], scale: float, offset: float, nodata: Iterable[float | None]
) -> Float32[np.ndarray, "h w"]:
    """stored * scale + offset, in float64 and then rounded; NaN for what is no data.

    Args:
        nodata: two stored numbers that are none, or None for each that nobody named.
    """
    found = np.empty(stored.shape, np.float32)
    # NaN equals nothing.
    first, second = (np.float32(np.nan if number is None else number) for number in nodata)
    _scale(stored, float(scale), float(offset), first, second, found)
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _scale(stored: np.ndarray, scale: float, offset: float, first: float, second: float, found: np.ndarray) -> None:
    is_plain = scale == 1.0 and offset == 0.0
    n_rows, n_cols = stored.shape
    for row in range(n_rows):
        for col in range(n_cols):
            number = np.float32(stored[row, col])
            value = number if is_plain else np.float32(np.float64(number) * scale + offset)
            is_there = np.isfinite(number) and number != first and number != second
            found[row, col] = value if is_there else np.float32(np.nan)
