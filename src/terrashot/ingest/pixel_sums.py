"""Sums and means pixel by pixel, compiled: in numpy each took ten times as long, most of it for arrays in between."""

from collections import deque
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32, Float64, Int32
from numba import njit

_USED: Final[deque[Float64[np.ndarray, " n"]]] = deque(maxlen=4)
"""Room for sums that nobody needs now: to be given fresh memory by the system takes longer than to add up a month."""


class PixelSums:
    """Sums in float64 of the finite values of each pixel, and how many there were."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._total: Float64[np.ndarray, " n"] | None = None
        self._counts = np.zeros(shape, np.int32)

    def add(self, values: Float32[np.ndarray, "C H W"]) -> None:
        """Nothing; each finite value is in its pixel's sum, and counted."""
        flat, counts = np.ascontiguousarray(values).reshape(-1), self._counts.reshape(-1)
        if self._total is None:
            self._total = _room(values.size)
            _begin(self._total, counts, flat)
        else:
            _add(self._total, counts, flat)

    def means_into(self, found: Float32[np.ndarray, "C H W"]) -> Int32[np.ndarray, "C H W"]:
        """The counts; `found` holds sum by count in float64, and only then rounded, NaN where nothing was counted.

        To be asked once. `found` is contiguous.
        """
        if self._total is None:
            found.fill(np.nan)
        else:
            _divide(self._total, self._counts.reshape(-1), found.reshape(-1))
            _USED.append(self._total)
            self._total = None
        return self._counts


def _room(n_pixels: int) -> Float64[np.ndarray, " n"]:
    try:
        found = _USED.pop()
    except IndexError:
        return np.empty(n_pixels, np.float64)
    return found if len(found) == n_pixels else np.empty(n_pixels, np.float64)


@njit(cache=True, nogil=True)
@no_type_check
def _begin(total: np.ndarray, counts: np.ndarray, values: np.ndarray) -> None:
    for pixel in range(len(values)):
        is_there = np.isfinite(values[pixel])
        total[pixel] = 0.0 + (values[pixel] if is_there else 0.0)  # as a sum has it, never -0
        counts[pixel] = is_there


@njit(cache=True, nogil=True)
@no_type_check
def _add(total: np.ndarray, counts: np.ndarray, values: np.ndarray) -> None:
    for pixel in range(len(values)):
        is_there = np.isfinite(values[pixel])
        total[pixel] += values[pixel] if is_there else 0.0
        counts[pixel] += is_there


@njit(cache=True, nogil=True)
@no_type_check
def _divide(total: np.ndarray, counts: np.ndarray, found: np.ndarray) -> None:
    for pixel in range(len(total)):
        count = counts[pixel]
        found[pixel] = total[pixel] / max(count, 1) if count else np.nan
