"""From the numbers that the authors store to reflectance and decibels: what they mean, and what is mended.

P: bands of one month. Optical: reflectance 0 to 0.3 as bytes 0 to 255, what is brighter saturates, masked pixels are 0.
Radar: decibels cut to whole numbers (towards zero) and stored as unsigned 16 bit, so that -12 became 65524; 0 stands for
no data and for -1 to 1 dB.

Source: rramosp/geetiles d96b25af, definitions s2rgbm and s1grdm; the wrapping was reproduced with numpy on x86.
"""

from dataclasses import dataclass, fields
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from terrashot.domain.modality import MODALITIES
from terrashot.errors import InputError

Zero = Literal["together", "no-data", "value"]
ZEROS: Final[tuple[Zero, ...]] = ("together", "no-data", "value")
BRIGHTEST: Final = 0.3
WRAPPED_FROM: Final = 32768
"""Above it no decibels lie: it is a negative number that wrapped."""


@dataclass(frozen=True, slots=True)
class Mended:
    """How many numbers were what."""

    pixels: int = 0
    """Numbers of all bands."""
    zeros_absent: int = 0
    """Zeros taken for no data."""
    zeros_kept: int = 0
    """Zeros taken for values."""
    unwrapped: int = 0
    """Decibels that had wrapped to above 32767."""
    saturated: int = 0
    """Bytes of 255: reflectance of 0.3 or more."""

    def __add__(self, other: "Mended") -> "Mended":
        return Mended(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def reflectance(stored: Shaped[np.ndarray, "P H W"], zero: Zero) -> tuple[Float32[np.ndarray, "P H W"], Mended]:
    """Reflectance of the bands of one month, NaN where there is no data; and what was met.

    Raises:
        InputError: no bytes.
    """
    if stored.dtype != np.uint8:
        raise InputError(
            f"holds {stored.dtype}; s2rgbm as published is uint8, 0 to 255 for reflectance 0 to {BRIGHTEST}"
        )
    is_absent = _absent_zeros(stored == 0, zero)
    values = stored.astype(np.float32) * np.float32(BRIGHTEST / 255)
    values[is_absent] = np.nan
    return values, _mended(stored, is_absent, saturated=int((stored == 255).sum()))


def decibels(stored: Shaped[np.ndarray, "P H W"], zero: Zero) -> tuple[Float32[np.ndarray, "P H W"], Mended]:
    """VV and VH of one month in dB, NaN where there is no data; and what was met.

    A lone zero of VH counts as no data unless zeros are values: VH lies so far below VV that -1 to 1 dB hardly occurs in it.

    Raises:
        InputError: numbers of another type, or none that decibels can be.
    """
    values, n_unwrapped = _unwrapped(stored)
    low, high = MODALITIES["s1grdm"].valid_range
    is_beyond = (values < low) | (values > high)
    if is_beyond.any():
        raise InputError(
            f"holds {stored[is_beyond][0]:g} ({values[is_beyond][0]:g} dB if it had wrapped); decibels lie between {low:g} and "
            f"{high:g}: it may be power, or have wrapped otherwise"
        )
    is_absent = _absent_zeros(values == 0, zero)
    if zero == "together" and len(values) > 1:
        is_absent[1:] = values[1:] == 0
    values[is_absent] = np.nan
    return values, _mended(stored, is_absent, unwrapped=n_unwrapped)


def _unwrapped(stored: Shaped[np.ndarray, "P H W"]) -> tuple[Float32[np.ndarray, "P H W"], int]:
    """The numbers with their sign, and how many had lost it."""
    if stored.dtype not in (np.uint16, np.int16, np.float32, np.float64):
        raise InputError(f"holds {stored.dtype}; s1grdm as published is uint16, copies of it int16 or float32")
    is_wrapped = (stored >= WRAPPED_FROM) & (stored <= 2 * WRAPPED_FROM - 1) & (stored == np.floor(stored))
    values = stored.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    values[is_wrapped] -= 2 * WRAPPED_FROM
    return values, int(is_wrapped.sum())


def _absent_zeros(is_zero: Bool[np.ndarray, "P H W"], zero: Zero) -> Bool[np.ndarray, "P H W"]:
    """Which zeros are no data: those of all bands together, all, or none."""
    if zero == "together":
        return np.broadcast_to(is_zero.all(axis=0), is_zero.shape).copy()
    return is_zero if zero == "no-data" else np.zeros_like(is_zero)


def _mended(
    stored: Shaped[np.ndarray, "P H W"], is_absent: Bool[np.ndarray, "P H W"], *, unwrapped: int = 0, saturated: int = 0
) -> Mended:
    n_zeros, n_absent = int((stored == 0).sum()), int(is_absent.sum())
    return Mended(stored.size, n_absent, n_zeros - n_absent, unwrapped, saturated)
