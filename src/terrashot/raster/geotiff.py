"""Reads a GeoTIFF of a chip: numbers, no-data and masks, names, units, scale and dates of the bands.

Only the GTiff driver may open the file, and no file beside it is looked at, so that no file can point at another one.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from terrashot.errors import InputError, MissingExtraError, one_line
from terrashot.raster.picture import MAX_VALUES, Dates, Form, Picture, as_float32, iso_date, refuse_size, unit_of

try:
    import rasterio
    from rasterio.enums import ColorInterp
    from rasterio.errors import NotGeoreferencedWarning, RasterioError
except ImportError:  # an optional extra; asked for when a GeoTIFF is met
    rasterio = None

CACHE_BYTES = 512 << 20
"""Of unpacked blocks; GDAL's own choice is a twentieth of the machine's memory, whatever else runs there. Chips of 448 px from a
made file of 3584 px, 64 bands, blocks of 1024 px: with 128 MiB it took 2 to 4 times as long, with 1200 MiB no less."""

OPENED_AS = re.compile(r"/vsi\w+/(\w+/)*")
"""How GDAL names what rasterio opens for it."""


def read_geotiff_form(path: Path) -> Form:
    """What the header claims; an alpha band is a mask, not a channel."""
    with _opened(path) as file:
        return _form(path, file)


def read_geotiff(path: Path) -> Picture:
    """The bands; NaN by the file's no-data value, its mask inside or its alpha band.

    Raises:
        InputError: unreadable, too large, complex numbers or a colour table.
        MissingExtraError: rasterio is not installed.
    """
    with _opened(path) as file:
        form = _form(path, file)
        bands = _bands(file)
        if not bands:
            raise InputError(f"{path}: holds an alpha band only; a chip needs a channel")
        dtype = np.result_type(*(file.dtypes[band - 1] for band in bands))
        if dtype.kind not in "uif" or ColorInterp.palette in file.colorinterp:
            raise InputError(f"{path}: holds {dtype.name} with colours {_colours(file)}; needs plain numbers a band")
        values = as_float32(file.read(bands))
        assert values.shape == (form.channels, form.height_px, form.width_px)
        values[file.read_masks(bands) == 0] = np.nan
        # GDAL takes alpha for a mask only in files of two or four bands.
        for band in set(range(1, file.count + 1)) - set(bands):
            values[:, file.read(band) == 0] = np.nan
        scale, offset = (tuple(float(found[band - 1]) for band in bands) for found in (file.scales, file.offsets))
        names = tuple(file.descriptions[band - 1] or None for band in bands)
        stated = [file.units[band - 1] or None for band in bands]
        dates = tuple(_dates(file.tags() | file.tags(band)) for band in bands)
    is_scaled = [(s, o) != (1.0, 0.0) for s, o in zip(scale, offset, strict=True)]
    own = unit_of(dtype)
    units = tuple(unit or (None if scaled else own) for unit, scaled in zip(stated, is_scaled, strict=True))
    return Picture(values, names, units, dates, scale, offset)


@contextmanager
def reading_geotiff(path: Path | str) -> Iterator[None]:
    """Inside, GDAL looks at nothing beside the file, and its complaints become an InputError that names it.

    Raises:
        MissingExtraError: rasterio is not installed.
    """
    if rasterio is None:
        raise MissingExtraError(f'{path}: reading GeoTIFF needs: pip install "terrashot[raster]"')
    try:
        with (
            warnings.catch_warnings(),
            # Neither a listing of a folder of many thousand chips at each file, nor what lies beside it.
            rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_NUM_THREADS="1", GDAL_CACHEMAX=CACHE_BYTES),
        ):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            yield
    except RasterioError as error:
        raise InputError(f"{path}: cannot be read as GeoTIFF: {OPENED_AS.sub('', one_line(error))}") from None


def open_geotiff(path: Path | str, **how: Any) -> Any:
    """The file, to be closed by whoever asks; to be called, and the file to be read, inside `reading_geotiff`.

    Args:
        how: an overview's number, or rasterio's `opener`.
    """
    return rasterio.open(path, driver="GTiff", **how)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with reading_geotiff(path), open_geotiff(path) as file:
        yield file


def _form(path: Path, file: Any) -> Form:
    form = Form(len(_bands(file)), file.height, file.width)
    refuse_size(path, form)
    # One block is unpacked whole, however few pixels of it lie inside the image.
    block = max(height * width for height, width in file.block_shapes)
    if block > MAX_VALUES:
        raise InputError(f"{path}: claims blocks of {block} pixels; write it again with blocks of 256 x 256")
    return form


def _bands(file: Any) -> list[int]:
    return [band for band, colour in enumerate(file.colorinterp, start=1) if colour is not ColorInterp.alpha]


def _colours(file: Any) -> str:
    return ", ".join(dict.fromkeys(colour.name for colour in file.colorinterp))


def _dates(tags: dict[str, str]) -> Dates:
    found = sorted(day for key in ("FIRST_DATE", "SECOND_DATE") if (day := iso_date(tags.get(key, ""))) is not None)
    return (found[0], found[1] if len(found) == 2 else None) if found else (None, None)
