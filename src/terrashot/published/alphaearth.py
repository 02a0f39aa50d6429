"""AlphaEarth Foundations: the annual Satellite Embedding as GeoTIFFs, 64 numbers a pixel.

Two forms are read. As published, signed bytes: value = (stored / 127.5)^2 with the sign of the stored, -128 is no data; these
files lie south up, which their georeference says. As exported from Earth Engine, floating-point numbers as they are. Either
way a pixel's vector has length 1.

Source: Google, "AlphaEarth Foundations GCS data" (developers.google.com/earth-engine/guides/aef_on_gcs_readme: bands A00 to
A63, quantisation, no data, length); Source Cooperative, tge-labs/aef (south up); Brown et al. 2025, arXiv:2507.22291.
*Deviation*: for larger pixels the maker scales the mean to length 1; here the mean stays as it is, as a head standardises
it and its length tells how alike the pixels are.

n: pixels looked up at once.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int8

from terrashot.errors import InputError
from terrashot.published.raster_rows import TIFF_ENDINGS, Numbers, blank_where_absent, window_around
from terrashot.published.source_files import files_below, one_maker
from terrashot.raster.picture import as_float32
from terrashot.raster.place import RasterPlace
from terrashot.raster.windows import TiffHeader, TiffShelf, read_tiff_header

BANDS = tuple(f"A{number:02d}" for number in range(64))
NO_DATA = -128
VERSION = "MODEL_VERSION"
"""A property of the images, as the reference of the product names it."""
SHORTEST, LONGEST = 0.5, 1.05
"""Of the middle one of some vectors: quantised ones are 0.99 to 1.01 long, those blended by an export's resampling shorter."""
LENGTHS_LOOKED_AT = 1000


def _decoded_bytes() -> Float32[np.ndarray, " 256"]:
    """The value of each byte, by the byte taken as unsigned."""
    stored = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.float64)
    values = (stored / 127.5) ** 2 * np.sign(stored)
    return np.where(stored == NO_DATA, np.nan, values).astype(np.float32)


DECODED = _decoded_bytes()


def dequantise(stored: Int8[np.ndarray, "n 64"]) -> Float32[np.ndarray, "n 64"]:
    """The numbers that the bytes stand for; NaN for no data."""
    return DECODED[stored.view(np.uint8)]


@dataclass(frozen=True, slots=True)
class AlphaEarthTile:
    """One file, read in windows."""

    header: TiffHeader
    bands: tuple[int, ...]
    """Number of A00 to A63 in the file, from 1."""
    shelf: TiffShelf

    @property
    def path(self) -> Path:
        return self.header.path

    @property
    def place(self) -> RasterPlace:
        return self.header.place

    @property
    def dimensions(self) -> int:
        return len(BANDS)

    def vectors(self, rows: Numbers, cols: Numbers) -> Float32[np.ndarray, "n D"]:
        """Vectors of length about 1; NaN where masked.

        Raises:
            InputError: unreadable, or numbers that are none of this maker's.
        """
        down, across = window_around(rows, cols)
        window = self.shelf.read(self.path, down, across, self.bands)
        stored = window[:, rows - down.start, cols - across.start].T
        if stored.dtype == np.int8:
            found = blank_where_absent(dequantise(np.ascontiguousarray(stored)))
        else:
            absent = None if self.header.nodata is None else (stored == self.header.nodata).any(axis=1)
            found = blank_where_absent(as_float32(stored), absent)
        self._refuse_others(found)
        return found

    def _refuse_others(self, found: Float32[np.ndarray, "n D"]) -> None:
        known = found[~np.isnan(found[:, 0])]
        if not len(known):
            return
        some = known[:: max(1, len(known) // LENGTHS_LOOKED_AT)]
        length = float(np.median(np.linalg.norm(some.astype(np.float64), axis=1)))
        if not SHORTEST <= length <= LONGEST:
            raise InputError(
                f"{self.path}: its vectors are {length:.3g} long, AlphaEarth's are 1; these are other numbers, or bytes "
                "made floating-point without (x / 127.5)^2; give the files as published"
            )


def find_tiles(source: Path, shelf: TiffShelf) -> tuple[list[AlphaEarthTile], str]:
    """The GeoTIFFs of a file or a folder, and the model: `alphaearth`, with the version where the files tell it.

    Raises:
        InputError: none there, or one that is not of this maker; names it.
        IntegrityError: they tell of several versions.
        MissingExtraError: rasterio is not installed.
    """
    headers = [read_tiff_header(path) for path in files_below(source, TIFF_ENDINGS)]
    tiles = [AlphaEarthTile(header, _bands_of(header), shelf) for header in headers]
    version = one_maker(
        "alphaearth", ((tile.path, tile.header.tags[VERSION]) for tile in tiles if VERSION in tile.header.tags)
    )
    return tiles, "alphaearth" if version is None else f"alphaearth/{version}"


def _bands_of(header: TiffHeader) -> tuple[int, ...]:
    if header.dtype not in ("int8", "float32", "float64"):
        raise InputError(
            f"{header.path}: {header.dtype}; the published bytes are int8, exports float32 or float64: give one of these"
        )
    if not any(header.names):
        if header.bands != len(BANDS):
            raise InputError(f"{header.path}: {header.bands} bands without names; AlphaEarth has {len(BANDS)}")
        return tuple(range(1, len(BANDS) + 1))
    missing = [name for name in BANDS if name not in header.names]
    if missing:
        raise InputError(
            f"{header.path}: {len(missing)} of the bands A00 to A63 are missing, the first {missing[0]}; export all of them"
        )
    return tuple(header.names.index(name) + 1 for name in BANDS)
