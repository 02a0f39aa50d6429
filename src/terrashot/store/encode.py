"""Values become stored numbers in one compiled pass; in numpy it took nine, most of them over arrays in between."""

from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Shaped
from numba import njit

from terrashot.store.encoding import Encoding


def encode(encoding: Encoding, values: Float32[np.ndarray, "..."]) -> tuple[Shaped[np.ndarray, "..."], int]:
    """Stored numbers, and how many values are there; NaN and infinity become no data.

    Values are rounded to the nearest step, halves to the even one, and clipped to what the type holds.
    """
    stored = np.empty(values.shape, encoding.dtype)
    flat = np.ascontiguousarray(values).reshape(-1)
    if encoding.dtype == "float32":
        return stored, int(_copy(flat, stored.reshape(-1)))
    return stored, int(_round(flat, stored.reshape(-1), encoding.scale, encoding.offset, encoding.nodata))


def count_of_both(one: Float32[np.ndarray, "H W"], other: Float32[np.ndarray, "H W"]) -> int:
    """How many pixels have a value in both."""
    return int(_count_both(np.ascontiguousarray(one).reshape(-1), np.ascontiguousarray(other).reshape(-1)))


@njit(cache=True, nogil=True)
@no_type_check
def _copy(values: np.ndarray, stored: np.ndarray) -> int:
    n_there = 0
    for at in range(len(values)):
        is_there = np.isfinite(values[at])
        stored[at] = values[at] if is_there else np.nan
        n_there += is_there
    return n_there


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _round(values: np.ndarray, stored: np.ndarray, scale: float, offset: float, nodata: float) -> int:
    """In float64. The largest number is kept for no data."""
    n_there = 0
    for at in range(len(values)):
        is_there = np.isfinite(values[at])
        step = np.rint((np.float64(values[at]) - offset) / scale)
        stored[at] = min(max(step, 0.0), nodata - 1.0) if is_there else nodata
        n_there += is_there
    return n_there


@njit(cache=True, nogil=True)
@no_type_check
def _count_both(one: np.ndarray, other: np.ndarray) -> int:
    n_both = 0
    for at in range(len(one)):
        n_both += np.isfinite(one[at]) & np.isfinite(other[at])
    return n_both
