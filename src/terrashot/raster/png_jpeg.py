"""Reads a PNG or JPEG of a chip: grey or RGB of 8 bit, grey of 16; transparent pixels are no data."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from terrashot.errors import InputError, MissingExtraError, one_line
from terrashot.raster.picture import Form, Picture, plain_picture, refuse_size

try:
    import PIL.Image as pillow
except ImportError:  # an optional extra; asked for when a PNG or JPEG is met
    pillow = None  # type: ignore[assignment]

CHANNELS = {"L": 1, "LA": 1, "I;16": 1, "RGB": 3, "RGBA": 3}
"""By Pillow's mode. A palette's numbers are no measurements; bilevel, CMYK and the like are no sensor's."""


def read_png_jpeg_form(path: Path) -> Form:
    """What the header claims."""
    with _opened(path) as image:
        return _form(path, image)


def read_png_jpeg(path: Path) -> Picture:
    """The planes of grey or red, green, blue; NaN where alpha is 0 or the file names the colour transparent.

    Raises:
        InputError: unreadable, too large, a palette, or more than 8 bit in colour, which Pillow would cut to 8.
        MissingExtraError: Pillow is not installed.
    """
    with _opened(path) as image:
        form = _form(path, image)
        stored, has_alpha, key = np.asarray(image), image.mode.endswith("A"), image.info.get("transparency")
    planes = np.atleast_3d(stored).transpose(2, 0, 1).astype(np.float32)
    is_absent = np.zeros(planes.shape[1:], dtype=bool)
    if has_alpha:
        is_absent = planes[-1] == 0
    elif isinstance(key, int | tuple):
        is_absent = (planes == np.reshape(np.array(key, np.float32), (-1, 1, 1))).all(axis=0)
    planes = planes[: form.channels].copy()
    planes[:, is_absent] = np.nan
    return plain_picture(planes, stored.dtype)


@contextmanager
def _opened(path: Path) -> Iterator["pillow.Image"]:
    if pillow is None:
        raise MissingExtraError(f'{path}: reading PNG and JPEG needs: pip install "terrashot[raster]"')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pillow.DecompressionBombWarning)  # our own limit is lower
            with pillow.open(path, formats=("PNG", "JPEG")) as image:
                yield image
    except pillow.DecompressionBombError as error:
        raise InputError(f"{path}: claims too many pixels for a chip: {one_line(error, 80)}") from None


def _form(path: Path, image: "pillow.Image") -> Form:
    if image.mode not in CHANNELS:
        raise InputError(f"{path}: colour mode {image.mode}; save it as grey or RGB, without a palette, or as GeoTIFF")
    form = Form(CHANNELS[image.mode], image.height, image.width)
    refuse_size(path, form)
    if form.channels == 3 and image.format == "PNG" and _bits(path) > 8:
        raise InputError(f"{path}: colour of {_bits(path)} bit; save it as GeoTIFF or .npy, which keep all of them")
    return form


def _bits(path: Path) -> int:
    """Bits a sample: byte 24 of a PNG, whose first chunk is always IHDR (PNG specification, 11.2.2)."""
    with path.open("rb") as file:
        return file.read(25)[24]
