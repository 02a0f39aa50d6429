"""Reads one chip's image file within limits: its kind, its bytes, and what its header claims before a pixel is held."""

import struct
import tokenize
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from terrashot.errors import InputError, TerrashotError, one_line
from terrashot.raster.geotiff import read_geotiff, read_geotiff_form
from terrashot.raster.gunw import read_gunw, read_gunw_form
from terrashot.raster.npy import read_npy, read_npy_form
from terrashot.raster.picture import Form, Picture
from terrashot.raster.png_jpeg import read_png_jpeg, read_png_jpeg_form

MAX_BYTES = 1 << 30
DAMAGE = (
    OSError, ValueError, TypeError, LookupError, AttributeError, EOFError, RuntimeError, SyntaxError, ArithmeticError,
    MemoryError, struct.error, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What the decoders raise on damaged files, one of whose lengths may be gigabytes; found by bending bytes of good ones."""

Found = TypeVar("Found", Form, Picture)


@dataclass(frozen=True, slots=True)
class Kind:
    """How files of one ending are read."""

    form: Callable[[Path], Form]
    picture: Callable[[Path], Picture]


GEOTIFF, PNG_JPEG = Kind(read_geotiff_form, read_geotiff), Kind(read_png_jpeg_form, read_png_jpeg)
KINDS: dict[str, Kind] = {
    ".tif": GEOTIFF, ".tiff": GEOTIFF, ".png": PNG_JPEG, ".jpg": PNG_JPEG, ".jpeg": PNG_JPEG,
    ".npy": Kind(read_npy_form, read_npy), ".nc": Kind(read_gunw_form, read_gunw),
}  # fmt: skip
"""By the file name's ending, in small letters."""


def read_picture(path: Path) -> Picture:
    """The image of a .tif, .png, .jpg, .npy or .nc file.

    Raises:
        InputError: no such file, unreadable, too large, or no image of numbers; names the file.
        MissingExtraError: the library for this kind is not installed; names the pip line.
    """
    return _guarded(_kind(path).picture, path)


def read_form(path: Path) -> Form:
    """What the file's header claims, without its pixels.

    Raises:
        InputError: as for `read_picture`, as far as the header shows it.
        MissingExtraError: the library for this kind is not installed; names the pip line.
    """
    return _guarded(_kind(path).form, path)


def _kind(path: Path) -> Kind:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"{path}: no kind of image that is read here; kinds are {', '.join(KINDS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"{path}: {size} bytes, more than {MAX_BYTES}; cut it into chips first")
    return kind


def _guarded(read: Callable[[Path], Found], path: Path) -> Found:
    try:
        return read(path)
    except DAMAGE as error:
        if isinstance(error, TerrashotError):
            raise
        reason = one_line(error) or type(error).__name__
        raise InputError(f"{path}: cannot be read: {reason}; copy or make it again") from None
