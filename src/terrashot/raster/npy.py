"""Reads a .npy of a chip: numbers of shape (C, H, W) or (H, W); never a pickle."""

import math
from pathlib import Path

import numpy as np

from terrashot.errors import InputError
from terrashot.raster.picture import Form, Picture, as_float32, plain_picture, refuse_size

MAX_HEADER_CHARS = 1000
"""A real one has about 120; the parser takes all memory over some thousand brackets or minus signs."""


def read_npy_form(path: Path) -> Form:
    """What the header claims, which must be what the file has room for.

    Raises:
        InputError: objects, records or complex numbers, one axis or four, too large, or cut short.
    """
    shape, dtype, header_bytes = _header(path)
    if dtype.kind not in "uif" or dtype.itemsize > 8 or len(shape) not in (2, 3):
        raise InputError(f"{path}: {dtype} of shape {shape}; needs numbers of shape (channels, height, width)")
    form = Form(*(shape if len(shape) == 3 else (1, *shape)))
    refuse_size(path, form)
    _refuse_length(path, header_bytes + math.prod(shape) * dtype.itemsize)
    return form


def map_npy(path: Path) -> np.ndarray:
    """The numbers, of any shape, read from the disk as they are looked at.

    Raises:
        InputError: objects or records, or cut short.
    """
    shape, dtype, header_bytes = _header(path)
    if dtype.kind not in "uif":
        raise InputError(f"{path}: holds {dtype}; needs plain numbers")
    _refuse_length(path, header_bytes + math.prod(shape) * dtype.itemsize)
    return np.lib.format.open_memmap(path, mode="r", max_header_size=MAX_HEADER_CHARS)


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape, kind of number, and bytes of the header itself."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise InputError(f"{path}: .npy of version {version}; write plain numbers with numpy.save")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file, max_header_size=MAX_HEADER_CHARS)
        return shape, dtype, file.tell()


def _refuse_length(path: Path, claimed: int) -> None:
    found = path.stat().st_size
    if claimed != found:
        raise InputError(f"{path}: {found} bytes, its header claims {claimed}; copy or make it again")


def read_npy(path: Path) -> Picture:
    """The numbers; NaN where they are not finite.

    Raises:
        InputError: as for `read_npy_form`.
    """
    form = read_npy_form(path)
    stored = np.load(path, allow_pickle=False)
    values = as_float32(stored).reshape(form.channels, form.height_px, form.width_px)
    return plain_picture(values, stored.dtype)
