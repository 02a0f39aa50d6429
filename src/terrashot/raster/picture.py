"""What one chip's image file holds, and how large it may be."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from terrashot.errors import InputError

MAX_SIDE_PX = 4096
"""The largest chip of a study file."""
MAX_CHANNELS = 1024
"""Far above any chip; GDAL takes minutes over some hundred bytes that claim 60,000 bands."""
MAX_VALUES = 1 << 27
"""Over all channels: half a GiB of float32, eight channels of the largest chip."""

Dates = tuple[str | None, str | None]
"""ISO dates of a channel: of a pair the earlier and the later, of a composite its first day alone."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a file's header claims."""

    channels: int
    height_px: int
    width_px: int


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The numbers of an image file as stored, and what the file says of them; what it does not say is None."""

    values: Float32[np.ndarray, "C H W"]
    """North up; NaN where the file itself says no data, and where a number is not finite."""
    names: tuple[str | None, ...]
    units: tuple[str | None, ...]
    """`dn` for unsigned whole numbers of 8 or 16 bit without a scale."""
    dates: tuple[Dates, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    """value = stored * scale + offset, as the file says; 1 and 0 where it does not."""
    fills_chip: bool = False
    """The cells cover the chip whatever their number along each axis; else the pixels are the chip's own."""


def plain_picture(values: Float32[np.ndarray, "C H W"], dtype: np.dtype) -> Picture:
    """An image of a file that says nothing but its numbers, stored as `dtype`."""
    count = len(values)
    neutral = ((1.0,) * count, (0.0,) * count)
    return Picture(values, (None,) * count, (unit_of(dtype),) * count, ((None, None),) * count, *neutral)


def unit_of(dtype: np.dtype) -> str | None:
    """`dn` for a file's own unsigned integers; None for numbers that may be anything."""
    return "dn" if dtype.kind == "u" and dtype.itemsize <= 2 else None


def refuse_size(path: Path, form: Form) -> None:
    """Nothing, unless the header claims more than a chip has; to be called before anything is allocated.

    Raises:
        InputError: no pixel at all, too many along a side, or too many in all.
    """
    sides = (form.height_px, form.width_px)
    if (
        min(sides) < 1
        or not 0 <= form.channels <= MAX_CHANNELS
        or max(sides) > MAX_SIDE_PX
        or form.channels * sides[0] * sides[1] > MAX_VALUES
    ):
        raise InputError(
            f"{path}: claims {form.channels} channels of {form.width_px} x {form.height_px} px; a chip has 1 to "
            f"{MAX_SIDE_PX} px a side, {MAX_CHANNELS} channels and {MAX_VALUES} values at most; cut it into chips first"
        )


def as_float32(stored: np.ndarray) -> np.ndarray:
    """The same numbers as float32; NaN where they are not finite, or too large for it (as many no-data values are)."""
    with np.errstate(over="ignore"):
        values = stored.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return values


def iso_date(text: str) -> str | None:
    """`2020-02-17` of `20200217` or `2020-02-17`; None for anything else."""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        return None
