"""Reads parts of GeoTIFFs that are too large to be held: what the header says, then windows of pixels as stored."""

import contextlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj

from terrashot.errors import InputError, TerrashotError, one_line
from terrashot.raster.geotiff import open_geotiff, reading_geotiff
from terrashot.raster.picture import MAX_CHANNELS, MAX_VALUES
from terrashot.raster.place import RasterPlace, between
from terrashot.raster.read import DAMAGE

MAX_FILE_BYTES = 64 << 30
MAX_SIDE_PX = 1 << 18
"""A third of the way round the equator in pixels of 10 m is more than one file holds."""
OPEN_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """What a georeferenced GeoTIFF says of itself."""

    path: Path
    place: RasterPlace
    dtype: str
    """One for all bands."""
    bands: int
    names: tuple[str | None, ...]
    """Of the bands; None where the file does not say."""
    nodata: float | None
    tags: Mapping[str, str]


def read_tiff_header(path: Path) -> TiffHeader:
    """What the file says of itself; no pixel is read.

    Raises:
        InputError: unreadable, too large, without a coordinate system, or bands of several types.
        MissingExtraError: rasterio is not installed.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"{path}: over {MAX_FILE_BYTES >> 30} GiB; cut it into several files")
    with damage_told(path), reading_geotiff(path), open_geotiff(path) as file:
        _refuse_size(path, file)
        dtypes = sorted(set(file.dtypes))
        if len(dtypes) > 1:
            raise InputError(f"{path}: bands of several types ({', '.join(dtypes)}); write all of them as one")
        names = tuple(name or None for name in file.descriptions)
        return TiffHeader(path, _place(path, file), dtypes[0], file.count, names, file.nodata, dict(file.tags()))


class TiffShelf:
    """GeoTIFFs that stay open from one window to the next, so that a block unpacked for one chip serves the next."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, Any] = OrderedDict()

    def __enter__(self) -> "TiffShelf":
        return self

    def __exit__(self, *_: object) -> None:
        while self._open:
            self._close_oldest()

    def read(self, path: Path, rows: slice, cols: slice, bands: tuple[int, ...]) -> np.ndarray:
        """Pixels as stored: (C, H, W), in the order of `bands`, which count from 1.

        Raises:
            InputError: a block of the file is damaged or missing.
        """
        with damage_told(path), reading_geotiff(path):
            window = ((rows.start, rows.stop), (cols.start, cols.stop))
            values: np.ndarray = self._file(path).read(list(bands), window=window)
        return values

    def _file(self, path: Path) -> Any:
        if path not in self._open:
            if len(self._open) >= OPEN_AT_ONCE:
                self._close_oldest()
            self._open[path] = open_geotiff(path)
        self._open.move_to_end(path)
        return self._open[path]

    def _close_oldest(self) -> None:
        _, file = self._open.popitem(last=False)
        file.close()


@contextlib.contextmanager
def damage_told(path: Path | str) -> Iterator[None]:
    """Inside, what the decoders raise on damaged files becomes an InputError that names the file."""
    try:
        yield
    except DAMAGE as error:
        if isinstance(error, TerrashotError):
            raise
        reason = one_line(error) or type(error).__name__
        raise InputError(f"{path}: cannot be read: {reason}; copy it again") from None


def _refuse_size(path: Path, file: Any) -> None:
    block = max(height * width for height, width in file.block_shapes)
    if not 1 <= file.count <= MAX_CHANNELS or max(file.height, file.width) > MAX_SIDE_PX:
        raise InputError(
            f"{path}: claims {file.count} bands of {file.width} x {file.height} px; {MAX_CHANNELS} bands and "
            f"{MAX_SIDE_PX} px a side at most; cut it into several files"
        )
    # One block is unpacked whole, with all its bands where they lie pixel by pixel.
    if block * file.count > MAX_VALUES:
        raise InputError(
            f"{path}: claims blocks of {block} pixels in {file.count} bands; write it again with blocks of 256 x 256"
        )


def _place(path: Path, file: Any) -> RasterPlace:
    if file.crs is None:
        raise InputError(f"{path}: no coordinate system, so its pixels have no place; export it with one")
    transform = file.transform
    if transform.is_identity or transform.determinant == 0:
        raise InputError(f"{path}: no georeference (corner and pixel size); export it with one")
    code = file.crs.to_epsg()
    crs = file.crs.to_wkt() if code is None else f"EPSG:{code}"
    try:
        between(crs, "EPSG:4326")
    except pyproj.exceptions.ProjError:
        raise InputError(f"{path}: its coordinate system has no place on the globe; export it in UTM") from None
    return RasterPlace(crs, tuple(float(number) for number in transform[:6]), file.width, file.height)  # type: ignore[arg-type]
