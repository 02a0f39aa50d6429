"""Windows of one GeoTIFF, on this disk or far away: its header is checked first, then only what is asked for is read."""

import contextlib
import contextvars
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from jaxtyping import Int64, Shaped

from terrashot.errors import InputError
from terrashot.raster.block_sums import refuse_damaged_blocks
from terrashot.raster.gate import Gate
from terrashot.raster.geotiff import open_geotiff, reading_geotiff
from terrashot.raster.met_blocks import Block, met_blocks
from terrashot.raster.picture import MAX_CHANNELS, MAX_VALUES
from terrashot.raster.place import Affine, RasterPlace, between
from terrashot.raster.plain_file import PlainFile, plain_file
from terrashot.raster.turn import in_gdal, out_of_gdal
from terrashot.raster.windows import MAX_SIDE_PX, damage_told
from terrashot.remote.file import Blocks

LEAST_BY_GDAL_PX = 512
"""A side of what GDAL is asked for at once, or more: strips may be one row high, and each question takes time."""


@dataclass(frozen=True, slots=True)
class PixelLimits:
    """The most that a file may claim, and that one window may hold."""

    max_side_px: int = MAX_SIDE_PX
    max_window_values: int = MAX_VALUES
    """Over all its bands."""
    max_block_values: int = 1 << 25
    """Of one block with all bands: it is unpacked whole, however few of its pixels are asked for."""


@dataclass(frozen=True, slots=True)
class AssetHeader:
    """What a GeoTIFF says of itself, or of one of its overviews."""

    name: str
    width_px: int
    height_px: int
    bands: int
    dtype: str
    """One for all bands."""
    crs: str | None
    """What pyproj reads; None where the file does not say."""
    affine: Affine
    """From columns and rows to the axes of `crs`; one to one where the file does not say."""
    nodata: float | None
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    """value = stored * scale + offset, as the file says of each band; 1 and 0 where it does not."""
    names: tuple[str | None, ...]
    overviews: tuple[int, ...]
    """By how much each is coarser; level 1 is the first of them."""
    block: tuple[int, int] = (1, 1)
    """Rows and columns that are unpacked together."""

    @property
    def pixel(self) -> float:
        """The shorter side of a pixel, in the axes' unit."""
        a, b, _, d, e, _ = self.affine
        return min(math.hypot(a, d), math.hypot(b, e))

    @property
    def place(self) -> RasterPlace:
        """Where its pixels lie.

        Raises:
            InputError: it does not say, as files do that have control points alone.
        """
        return _place(self, self.affine, self.width_px, self.height_px)

    def level_of(self, pixel: float) -> int:
        """The coarsest level whose pixels are no larger than this, in the axes' unit; 0, the file itself, where none is."""
        fine = [level for level, factor in enumerate(self.overviews, 1) if factor * self.pixel <= pixel * (1 + 1e-6)]
        return max(fine, default=0)


@dataclass(frozen=True, slots=True, eq=False)
class AssetWindow:
    """A part of an asset as stored, and its place."""

    pixels: Shaped[np.ndarray, "C H W"]
    header: AssetHeader
    """Of the level that it was read from."""
    affine: Affine
    """Of this very part."""
    bands: tuple[int, ...]
    """Of the file, counting from 1; in the order of `pixels`."""

    @property
    def place(self) -> RasterPlace:
        """Where these pixels lie.

        Raises:
            InputError: the file does not say.
        """
        height_px, width_px = self.pixels.shape[1:]
        return _place(self.header, self.affine, width_px, height_px)


class Asset:
    """An open GeoTIFF; made by `opened_asset`. Of one thread at a time, whichever that is."""

    def __init__(self, place: Path | Blocks, limits: PixelLimits) -> None:
        self.name = str(place) if isinstance(place, Path) else place.ranges.name
        self._limits, self._source = limits, place
        self._gate = None if isinstance(place, Path) else Gate(place)
        # rasterio keeps what GDAL calls back to in the context that a file was opened in; read or closed by a thread in
        # another one, a far file ends the process.
        self._context = contextvars.Context()
        self._files: dict[int, Any] = {}
        self._headers: dict[int, AssetHeader] = {}
        self._plain: dict[int, PlainFile | None] = {}

    def header(self, level: int = 0) -> AssetHeader:
        """What the file says of itself, or its overview of that level; no pixel is read.

        Raises:
            InputError: no GeoTIFF, too large, or blocks too large.
            NetworkError: it cannot be fetched within its budget.
            MissingExtraError: rasterio is not installed.
        """
        if level not in self._headers:
            with self._reading():
                self._files[level] = file = self._context.run(self._open, level)
                _refuse_size(self.name, file, self._limits)
                header = _header(self.name, file)
            self._plain[level] = plain_file(self.name, self._bytes, level, file)
            self._headers[level] = header
        return self._headers[level]

    def read(self, rows: slice, cols: slice, bands: tuple[int, ...] = (1,), level: int = 0) -> AssetWindow:
        """The pixels of these rows and columns of a level.

        Raises:
            InputError: they lie outside or are too many, or a block is damaged; NetworkError as `header`.
        """
        header = self.header(level)
        _refuse_window(header, rows, cols, bands, self._limits)
        plain = self._plain[level]
        found = None if plain is None else plain.window(rows, cols, bands)
        pixels = self._by_gdal(rows, cols, bands, level) if found is None else found
        return AssetWindow(pixels, header, _moved(header.affine, rows.start, cols.start), bands)

    def blocks(self, windows: Int64[np.ndarray, "n 4"], piece: tuple[slice, slice], band: int) -> Iterator[Block]:
        """Pixels that hold all these windows of the full image, block by block, none twice and none that no window meets.

        Args:
            windows, piece: as `met_blocks`; nobody will ask for the piece again.

        Raises:
            InputError: a block is damaged; NetworkError as `header`.
        """
        header, plain = self.header(), self._plain[0]
        height_px, width_px = (side if plain else -(-LEAST_BY_GDAL_PX // side) * side for side in header.block)
        met = met_blocks(windows, (height_px, width_px), (header.height_px, header.width_px), piece)
        for one, pixels in plain.blocks(met, band) if plain else ((one, None) for one in met):
            if pixels is None:
                yield Block(one.rows.start, one.cols.start, self._by_gdal(one.rows, one.cols, (band,), 0)[0])
            else:
                yield Block(one.row * height_px, one.col * width_px, pixels)

    def close(self) -> None:
        """Nothing; what lies on this disk or far away is as it was."""
        for plain in filter(None, self._plain.values()):
            plain.close()
        with in_gdal():
            while self._files:
                self._context.run(self._files.popitem()[1].close)

    def _open(self, level: int) -> Any:
        how = {} if level == 0 else {"overview_level": level - 1}
        if self._gate is None:
            return open_geotiff(self.name, **how)
        return open_geotiff(self._gate.path, opener=self._gate, **how)

    def _by_gdal(self, rows: slice, cols: slice, bands: tuple[int, ...], level: int) -> np.ndarray:
        """The pixels of blocks that are not packed in a way of which we know how to unpack it."""
        file, window = self._files[level], ((rows.start, rows.stop), (cols.start, cols.stop))
        with self._reading():
            pixels: np.ndarray = self._context.run(file.read, list(bands), window=window)
            self._context.run(refuse_damaged_blocks, file, self.name, self._bytes_in_turn, rows, cols, bands)
        return pixels

    def _bytes(self, start: int, stop: int) -> bytes | memoryview:
        """Of the file itself; fewer where it ends."""
        if isinstance(self._source, Blocks):
            return self._source.read(start, stop)
        descriptor = os.open(self._source, os.O_RDONLY)
        try:
            # What is wanted may be what a damaged header claims.
            return os.pread(descriptor, max(0, min(stop, os.fstat(descriptor).st_size) - start), start)
        finally:
            os.close(descriptor)

    def _bytes_in_turn(self, start: int, stop: int) -> bytes | memoryview:
        """The same for a thread that is in GDAL; far away, mostly those that GDAL has just read and that are kept."""
        with out_of_gdal():
            return self._bytes(start, stop)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            with in_gdal(), damage_told(self.name), reading_geotiff(self.name):
                yield
        except InputError:
            # What GDAL could not read because the bytes never came is no fault of the file.
            self._raise_failure()
            raise
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._gate is not None:
            self._gate.raise_failure()


def opened_asset(place: Path | Blocks, limits: PixelLimits = PixelLimits()) -> Asset:
    """The GeoTIFF, its header read and found within the limits; to be closed by whoever asks, before this process ends.

    Raises:
        InputError, NetworkError, MissingExtraError: as `Asset.header`.
    """
    asset = Asset(place, limits)
    try:
        asset.header()
    except BaseException:
        asset.close()
        raise
    return asset


def open_asset(place: Path | Blocks, limits: PixelLimits = PixelLimits()) -> contextlib.AbstractContextManager[Asset]:
    """As `opened_asset`, closed at the end of a `with`."""
    return contextlib.closing(opened_asset(place, limits))


def _refuse_size(name: str, file: Any, limits: PixelLimits) -> None:
    most = limits.max_side_px
    if not 1 <= file.count <= MAX_CHANNELS or not 1 <= min(file.shape) <= max(file.shape) <= most:
        raise InputError(
            f"{name}: claims {file.count} bands of {file.width} x {file.height} px; {MAX_CHANNELS} bands and {most} px a side at most"
        )
    block = max(height * width for height, width in file.block_shapes)
    if block * file.count > limits.max_block_values:
        raise InputError(
            f"{name}: claims blocks of {block} pixels in {file.count} bands; {limits.max_block_values} values a block at most"
        )
    dtypes = sorted(set(file.dtypes))
    if len(dtypes) > 1 or np.dtype(dtypes[0]).kind not in "uif":
        raise InputError(f"{name}: bands of {', '.join(dtypes)}; plain numbers of one type are needed")


def _header(name: str, file: Any) -> AssetHeader:
    code = None if file.crs is None else file.crs.to_epsg()
    crs = None if file.crs is None else file.crs.to_wkt() if code is None else f"EPSG:{code}"
    affine: Affine = tuple(float(number) for number in file.transform[:6])  # type: ignore[assignment]
    return AssetHeader(
        name, file.width, file.height, file.count, file.dtypes[0], crs, affine, file.nodata,
        tuple(map(float, file.scales)), tuple(map(float, file.offsets)),
        tuple(text or None for text in file.descriptions), tuple(file.overviews(1)), file.block_shapes[0],
    )  # fmt: skip


def _refuse_window(header: AssetHeader, rows: slice, cols: slice, bands: tuple[int, ...], limits: PixelLimits) -> None:
    for part, whole in ((rows, header.height_px), (cols, header.width_px)):
        if not 0 <= part.start < part.stop <= whole:
            raise InputError(f"{header.name}: has no pixels {part.start} to {part.stop} of {whole}")
    if not bands or not 1 <= min(bands) <= max(bands) <= header.bands:
        raise InputError(f"{header.name}: has {header.bands} bands, not {', '.join(map(str, bands))}")
    values = len(bands) * (rows.stop - rows.start) * (cols.stop - cols.start)
    if values > limits.max_window_values:
        raise InputError(f"{header.name}: {values} values wanted at once; {limits.max_window_values} at most")


def _place(header: AssetHeader, affine: Affine, width_px: int, height_px: int) -> RasterPlace:
    a, b, _, d, e, _ = affine
    if header.crs is None or a * e - b * d == 0:
        raise InputError(f"{header.name}: no coordinate system or no lattice, so its pixels have no place")
    try:
        between(header.crs, "EPSG:4326")
    except pyproj.exceptions.ProjError:
        raise InputError(f"{header.name}: its coordinate system has no place on the globe; write it in UTM") from None
    return RasterPlace(header.crs, affine, width_px, height_px)


def _moved(affine: Affine, row: int, col: int) -> Affine:
    """The same lattice, counted from another pixel."""
    a, b, c, d, e, f = affine
    return a, b, a * col + b * row + c, d, e, d * col + e * row + f
