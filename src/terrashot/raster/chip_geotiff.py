"""A chip's channels as a GeoTIFF that says all of itself: place, and name, unit and dates of each band; NaN is no data."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from terrashot.domain.modality import Channel
from terrashot.errors import MissingExtraError
from terrashot.raster.place import RasterPlace

try:
    from affine import Affine
    from rasterio.io import MemoryFile
except ImportError:  # an optional extra; asked for when a chip is written
    MemoryFile = None


def need_rasterio_for_chips() -> None:
    """Nothing, if chips can be written.

    Raises:
        MissingExtraError: rasterio is not installed.
    """
    if MemoryFile is None:
        raise MissingExtraError('writing chips needs: pip install "terrashot[raster]"')


def chip_geotiff(values: Float32[np.ndarray, "C H W"], channels: Sequence[Channel], place: RasterPlace) -> bytes:
    """The file's content, as `raster/geotiff.py` reads it. Same values, same bytes.

    Raises:
        MissingExtraError: rasterio is not installed.
    """
    need_rasterio_for_chips()
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=place.width_px, height=place.height_px, count=len(values), dtype="float32",
            nodata=float("nan"), crs=place.crs, transform=Affine(*place.affine), compress="DEFLATE", zlevel=1,
            interleave="band", num_threads=1,
        ) as file:  # fmt: skip
            file.write(values)
            file.descriptions = tuple(channel.name for channel in channels)
            file.units = tuple(channel.unit or "" for channel in channels)
            for band, channel in enumerate(channels, start=1):
                dates = {"FIRST_DATE": channel.first_date, "SECOND_DATE": channel.second_date}
                file.update_tags(band, **{key: day for key, day in dates.items() if day is not None})
        return bytes(memory.read())
