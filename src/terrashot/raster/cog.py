"""A cloud-optimised GeoTIFF of some bands, and which chip each of its pixels shows.

Source: OGC 21-026 (OGC Cloud Optimized GeoTIFF 1.0), as GDAL's COG driver writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

from terrashot.errors import MissingExtraError

try:
    from affine import Affine
    from rasterio.crs import CRS
    from rasterio.features import rasterize
    from rasterio.io import MemoryFile
except ImportError:  # an optional extra; asked for when a map is written
    MemoryFile = None

TILE_PX = 256


@dataclass(frozen=True, slots=True)
class PixelGrid:
    """A raster's place: north up, square to its axes."""

    epsg: int
    west: float
    north: float
    """Outer corner, in the axes' unit: metres, or degrees for EPSG:4326."""
    pixel_x: float
    pixel_y: float
    """Positive."""
    width_px: int
    height_px: int


def need_rasterio() -> None:
    """Nothing, if maps can be written.

    Raises:
        MissingExtraError: rasterio is not installed.
    """
    if MemoryFile is None:
        raise MissingExtraError('writing a GeoTIFF map needs: pip install "terrashot[raster]"')


def lattice_owners(
    grid: PixelGrid, row: Int64[np.ndarray, " N"], col: Int64[np.ndarray, " N"]
) -> Int32[np.ndarray, "H W"]:
    """Number of the chip that each pixel shows, -1 for none; rows and columns count from the grid's corner."""
    owner = np.full((grid.height_px, grid.width_px), -1, dtype=np.int32)
    owner[row, col] = np.arange(len(row), dtype=np.int32)
    return owner


def footprint_owners(grid: PixelGrid, footprints: np.ndarray) -> Int32[np.ndarray, "H W"]:
    """Number of the chip whose footprint (shapely, in the grid's axes) covers the pixel's centre, the last of several."""
    need_rasterio()
    shapes = ((shape, number) for number, shape in enumerate(footprints))
    return rasterize(
        shapes, out_shape=(grid.height_px, grid.width_px), transform=_transform(grid), fill=-1, dtype="int32"
    )


def cog_bytes(grid: PixelGrid, bands: Float32[np.ndarray, "C H W"], names: Sequence[str]) -> bytes:
    """The file's content: tiles of 256 px, overviews by mean, deflate; NaN is no data. Same bands, same bytes.

    Raises:
        MissingExtraError: rasterio is not installed.
    """
    need_rasterio()
    with MemoryFile() as memory:
        with memory.open(
            driver="COG", width=grid.width_px, height=grid.height_px, count=len(bands), dtype="float32",
            nodata=float("nan"), crs=CRS.from_epsg(grid.epsg), transform=_transform(grid), blocksize=TILE_PX,
            compress="DEFLATE", predictor=3, overview_resampling="AVERAGE", num_threads=1, bigtiff="IF_SAFER",
        ) as file:  # fmt: skip
            file.write(bands)
            file.descriptions = tuple(names)
        return bytes(memory.read())


def _transform(grid: PixelGrid) -> "Affine":
    return Affine(grid.pixel_x, 0.0, grid.west, 0.0, -grid.pixel_y, grid.north)
