"""Reads a GeoTIFF with its numbers as stored and its place: what a chip looks like before anyone has said what its numbers mean."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from terrashot.errors import InputError, TerrashotError, one_line
from terrashot.raster.geotiff import open_geotiff, reading_geotiff
from terrashot.raster.picture import MAX_VALUES, Form, refuse_size
from terrashot.raster.place import RasterPlace
from terrashot.raster.read import DAMAGE, MAX_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class TileHead:
    """What the header says."""

    names: tuple[str | None, ...]
    """Of the bands."""
    place: RasterPlace
    dtype: str
    nodata: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """Bands as stored; a no-data value that the file states is not yet taken away."""

    head: TileHead
    values: Shaped[np.ndarray, "C H W"]


def read_tile_head(path: Path) -> TileHead:
    """What the header claims, no pixel read.

    Raises:
        InputError: no such file, unreadable, too large, or without a place.
        MissingExtraError: rasterio is not installed.
    """
    return _read(path, with_pixels=False).head


def read_tile(path: Path) -> Tile:
    """All bands.

    Raises:
        InputError: as `read_tile_head`, or a damaged block.
        MissingExtraError: rasterio is not installed.
    """
    return _read(path, with_pixels=True)


def _read(path: Path, *, with_pixels: bool) -> Tile:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: over {MAX_BYTES} bytes; a chip has less")
    try:
        with reading_geotiff(path), open_geotiff(path) as file:
            refuse_size(path, Form(file.count, file.height, file.width))
            if max(height * width for height, width in file.block_shapes) > MAX_VALUES:
                raise InputError(f"{path}: claims blocks larger than a chip; write it again with blocks of 256 x 256")
            if file.crs is None or file.transform.is_identity:
                raise InputError(f"{path}: says not where it lies; a published chip is georeferenced")
            place = RasterPlace(file.crs.to_string(), tuple(file.transform)[:6], file.width, file.height)
            head = TileHead(
                tuple(name or None for name in file.descriptions), place, np.result_type(*file.dtypes).name, file.nodata
            )
            return Tile(head, file.read() if with_pixels else np.empty((0, 0, 0), head.dtype))
    except DAMAGE as error:
        if isinstance(error, TerrashotError):
            raise
        raise InputError(f"{path}: cannot be read: {one_line(error) or type(error).__name__}; copy it again") from None
