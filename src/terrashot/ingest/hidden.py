"""What a mask leaves of a channel, compiled: in numpy each pass over a window is a turn that many readers queue for."""

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float32
from numba import njit


def hide(values: Float32[np.ndarray, "C H W"], is_clear: Bool[np.ndarray, "H W"]) -> Float32[np.ndarray, "C H W"]:
    """The values with NaN where it is not clear.

    On the sensor's own pixels, before anything is averaged or interpolated: no cloud leaks into a clear neighbour.
    """
    found = np.empty(values.shape, np.float32)
    _hide(values, is_clear, found)
    return found


def is_empty(values: Float32[np.ndarray, "..."]) -> bool:
    """Whether all are NaN."""
    return bool(_is_empty(values.reshape(-1)))


@njit(cache=True, nogil=True)
@no_type_check
def _hide(values: np.ndarray, is_clear: np.ndarray, found: np.ndarray) -> None:
    n_channels, n_rows, n_cols = values.shape
    for channel in range(n_channels):
        for row in range(n_rows):
            for col in range(n_cols):
                found[channel, row, col] = values[channel, row, col] if is_clear[row, col] else np.float32(np.nan)


@njit(cache=True, nogil=True)
@no_type_check
def _is_empty(values: np.ndarray) -> bool:
    for number in values:  # noqa: SIM110 - compiled, it ends at the first
        if not np.isnan(number):
            return False
    return True
