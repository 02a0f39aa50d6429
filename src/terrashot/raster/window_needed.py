"""Which part of a raster a chip needs, so that only that is read.

P: points. Pixel coordinates count from the outer corner of the first pixel; its middle is at 0.5.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float64

from terrashot.raster.place import RasterPlace, between, is_geographic, is_same_crs

MARGIN_PX: Final = 3
"""Beyond the outermost point: bilinear looks one pixel further, an average two halves, and one for rounding."""
POINTS_A_SIDE: Final = 33
"""Of the chip; between them its sides are straight to a tenth of a pixel of 10 m, for chips of up to 40 km."""

Points = Float64[np.ndarray, " P"]


@lru_cache(maxsize=256)  # the scenes of a tile have one lattice
def window_needed(source: RasterPlace, target: RasterPlace) -> tuple[slice, slice] | None:
    """Rows and columns of the source that the target's pixels are made from; None where the two do not meet.

    Longitudes count round the globe: a raster that ends at 180 degrees serves a chip beyond it as far as it reaches.
    """
    along = np.linspace(0, 1, POINTS_A_SIDE)
    cols, rows = (axis.ravel() for axis in np.meshgrid(along * target.width_px, along * target.height_px))
    own_cols, own_rows = pixels_in(source, target, cols, rows)
    is_somewhere = np.isfinite(own_cols) & np.isfinite(own_rows)
    if not is_somewhere.any():
        return None
    needed = [
        _clipped(at[is_somewhere], has) for at, has in ((own_rows, source.height_px), (own_cols, source.width_px))
    ]
    return None if any(part.stop <= part.start for part in needed) else (needed[0], needed[1])


def part_of(source: RasterPlace, rows: slice, cols: slice) -> RasterPlace:
    """Where a window of the source lies."""
    a, b, c, d, e, f = source.affine
    corner = a * cols.start + b * rows.start + c, d * cols.start + e * rows.start + f
    return RasterPlace(source.crs, (a, b, corner[0], d, e, corner[1]), cols.stop - cols.start, rows.stop - rows.start)


def pixels_in(source: RasterPlace, target: RasterPlace, cols: Points, rows: Points) -> tuple[Points, Points]:
    """Columns and rows in the source of places given as columns and rows in the target; infinite where there is none."""
    a, b, c, d, e, f = target.affine
    x, y = a * cols + b * rows + c, d * cols + e * rows + f
    if not is_same_crs(source.crs, target.crs):
        x, y = between(target.crs, source.crs).transform(x, y)
    a, b, c, d, e, f = source.affine
    if is_geographic(source.crs):
        x = _near(x, a * source.width_px / 2 + b * source.height_px / 2 + c)
    u, v, scale = x - c, y - f, a * e - b * d
    with np.errstate(invalid="ignore"):  # infinite where a place is nowhere in these coordinates
        return (e * u - b * v) / scale, (a * v - d * u) / scale


def _clipped(at: Points, has: int) -> slice:
    """The pixels from the least to the greatest of the places, with a margin, as far as there are any."""
    return slice(max(math.floor(at.min()) - MARGIN_PX, 0), min(math.ceil(at.max()) + MARGIN_PX, has))


def _near(lon_deg: Points, middle_deg: float) -> Points:
    """The longitudes without a jump, counted so that they lie as near as can be to a raster's middle."""
    is_somewhere = np.isfinite(lon_deg)
    if not is_somewhere.any():
        return lon_deg
    first = lon_deg[is_somewhere][0]
    even = first + (np.where(is_somewhere, lon_deg, first) - first + 180) % 360 - 180
    even += 360 * round((middle_deg - float(even.mean())) / 360)
    return np.where(is_somewhere, even, np.inf)
