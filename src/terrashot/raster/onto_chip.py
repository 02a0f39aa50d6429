"""Brings a raster once, straight onto a chip's lattice: by area where the chip's pixels are the larger, else bilinear.

No data stays no data: a pixel has a value where at least half of what it is made from has one (as in `regrid.py`).
"""

import math
from functools import lru_cache
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32, Float64, Int64, Shaped
from numba import njit

from terrashot.domain.grid import Chip
from terrashot.errors import MissingExtraError
from terrashot.raster.place import RasterPlace, is_geographic, is_same_crs
from terrashot.raster.regrid import HALF
from terrashot.raster.turn import in_gdal
from terrashot.raster.window_needed import pixels_in

try:
    import rasterio
    from affine import Affine
    from rasterio.warp import Resampling, reproject
except ImportError:  # an optional extra; asked for when a raster is brought onto a chip
    rasterio = None

COARSER: Final = 1.05
"""From so many of the raster's pixels along a chip's pixel on they are averaged. Lattices of one nominal size in two zones
differ by up to 0.2 %: those are interpolated."""
WHOLE_PX: Final = 1e-3
"""A shift within this of whole pixels is one: corners are written with fewer digits than that."""
PLAIN: Final = {"XSCALE": "1", "YSCALE": "1"}
"""Bilinear over two by two pixels. Left to itself, GDAL widens it by what it takes for a reduction, a number of its own for each
block of its work: lattices of neighbouring zones then lay up to 0.12 pixels off, now 0.001."""
ROUNDING: Final = 1e-5
"""Of GDAL's weights, which are float32: must not empty a pixel of which exactly half is there."""


def chip_place(chip: Chip, side_px: int) -> RasterPlace:
    """The chip's lattice: north up, square, in metres of its zone."""
    west, _, _, north = chip.bounds_m
    pixel_m = chip.size_m / side_px
    return RasterPlace(f"EPSG:{chip.epsg}", (pixel_m, 0.0, west, 0.0, -pixel_m, north), side_px, side_px)


def onto(
    values: Float32[np.ndarray, "C h w"], source: RasterPlace, target: RasterPlace
) -> Float32[np.ndarray, "C H W"]:
    """The raster on the target's lattice; NaN where under half of a pixel's ground has data, or the raster ends.

    On the same lattice it is a copy, shifted by whole pixels a part: to the bit. h, w: pixels of the raster.

    Args:
        values: not finite is no data; pixels of `source`, the window that `window_needed` asks for or more.

    Raises:
        MissingExtraError: rasterio is not installed.
    """
    found = np.empty((len(values), target.height_px, target.width_px), np.float32)
    lay_onto(found, values, source, target)
    return found


def lay_onto(
    found: Float32[np.ndarray, "C H W"], values: Float32[np.ndarray, "C h w"], source: RasterPlace, target: RasterPlace
) -> None:
    """`found` holds what `onto` would give."""
    shift = whole_shift(source, target)
    if shift is None:
        found[...] = _interpolated(values, source, target)
    else:
        _shift(values, *shift, found)


def _interpolated(
    values: Float32[np.ndarray, "C h w"], source: RasterPlace, target: RasterPlace
) -> Float32[np.ndarray, "C H W"]:
    finite = np.where(np.isfinite(values), values, np.float32(np.nan))
    ratio = pixels_along(source, target)
    pad = math.ceil(min(ratio, max(values.shape[1:]))) + 2
    is_valid = ~np.isnan(finite)
    # Values and their presence go the same way; a ring of nothing makes what lies beyond the raster's end count as absent.
    both = np.concatenate([np.where(is_valid, finite, 0), is_valid.astype(np.float32)])
    padded = np.pad(both, ((0, 0), (pad, pad), (pad, pad)))
    total, share = np.split(_warped(padded, _padded(source, pad), target, ratio > COARSER), 2)
    is_kept = share >= HALF - ROUNDING
    return np.where(is_kept, total / np.where(is_kept, share, 1), np.float32(np.nan))


def nearest_onto(
    classes: Shaped[np.ndarray, "h w"], source: RasterPlace, target: RasterPlace, *, outside: int
) -> Shaped[np.ndarray, "H W"]:
    """The class at the middle of each of the target's pixels; `outside` where the raster does not reach.

    For masks on the pixels of the bands of their own tile (classes of 20 m under bands of 10 m), where a middle is never on an
    edge: clouds are taken away there, before anything is averaged.
    """
    if is_square_on(source, target):
        return _nearest_by_axes(classes, source, target, outside=outside)
    rows, cols = np.indices((target.height_px, target.width_px)).reshape(2, -1) + 0.5
    own_cols, own_rows = pixels_in(source, target, cols, rows)
    inside = (own_rows >= 0) & (own_rows < source.height_px) & (own_cols >= 0) & (own_cols < source.width_px)
    own_rows, own_cols = (np.where(inside, at, 0).astype(np.int64) for at in (own_rows, own_cols))
    found = np.where(inside, classes[own_rows, own_cols], np.array(outside, classes.dtype))
    return found.reshape(target.height_px, target.width_px)


def _nearest_by_axes(
    classes: Shaped[np.ndarray, "h w"], source: RasterPlace, target: RasterPlace, *, outside: int
) -> Shaped[np.ndarray, "H W"]:
    """The same where rows of the target are rows of the source: each row and column is looked up once, not each pixel."""
    found = np.empty((target.height_px, target.width_px), classes.dtype)
    _pick(classes, *_nearest_axes(source, target), classes.dtype.type(outside), found)
    return found


@lru_cache(maxsize=64)
def _nearest_axes(source: RasterPlace, target: RasterPlace) -> tuple[Int64[np.ndarray, " H"], Int64[np.ndarray, " W"]]:
    """The source's row under each of the target's, and its columns; -1 where it has none."""
    own_cols, _ = pixels_in(source, target, np.arange(target.width_px) + 0.5, np.zeros(target.width_px))
    _, own_rows = pixels_in(source, target, np.zeros(target.height_px), np.arange(target.height_px) + 0.5)
    return _inside(own_rows, source.height_px), _inside(own_cols, source.width_px)


def _inside(at: Float64[np.ndarray, " n"], has: int) -> Int64[np.ndarray, " n"]:
    return np.where((at >= 0) & (at < has), at, -1).astype(np.int64)


@njit(cache=True, nogil=True)
@no_type_check
def _pick(classes: np.ndarray, rows: np.ndarray, cols: np.ndarray, outside: int, found: np.ndarray) -> None:
    for row in range(len(rows)):
        for col in range(len(cols)):
            is_inside = rows[row] >= 0 and cols[col] >= 0
            found[row, col] = classes[rows[row], cols[col]] if is_inside else outside


def is_square_on(source: RasterPlace, target: RasterPlace) -> bool:
    """Whether both have one coordinate system, of metres, and neither is turned in it."""
    is_turned = any(number != 0 for place in (source, target) for number in (place.affine[1], place.affine[3]))
    return not is_turned and is_same_crs(source.crs, target.crs) and not is_geographic(source.crs)


def pixels_along(source: RasterPlace, target: RasterPlace) -> float:
    """How many of the source's pixels lie along one of the target's, in the target's middle: above 1, it is the coarser."""
    col, row = target.width_px / 2, target.height_px / 2
    cols, rows = pixels_in(source, target, np.array([col, col + 1, col]), np.array([row, row, row + 1]))
    turned = (cols[1] - cols[0]) * (rows[2] - rows[0]) - (cols[2] - cols[0]) * (rows[1] - rows[0])
    return math.sqrt(abs(float(turned)))


@lru_cache(maxsize=256)
def whole_shift(source: RasterPlace, target: RasterPlace) -> tuple[int, int] | None:
    """Row and column of the source at the target's first pixel, if both lie on one lattice; else None."""
    if not is_same_crs(source.crs, target.crs):
        return None
    cols, rows = pixels_in(source, target, np.array([0.0, target.width_px]), np.array([0.0, target.height_px]))
    starts = float(rows[0]), float(cols[0])
    spans = float(rows[1]) - starts[0] - target.height_px, float(cols[1]) - starts[1] - target.width_px
    is_turned = any(abs(a) > 1e-12 for a in (source.affine[1], source.affine[3], target.affine[1], target.affine[3]))
    off = max(abs(number) for number in (*spans, *(start - round(start) for start in starts)))
    return None if is_turned or off > WHOLE_PX else (round(starts[0]), round(starts[1]))


@njit(cache=True, nogil=True)
@no_type_check
def _shift(values: np.ndarray, first_row: int, first_col: int, found: np.ndarray) -> None:
    """`found` holds the part that begins at a row and column, NaN beyond the end and where it is not finite."""
    n_rows, n_cols = values.shape[1:]
    n_channels, height, width = found.shape
    left, right = min(max(-first_col, 0), width), min(max(n_cols - first_col, 0), width)
    for channel in range(n_channels):
        for row in range(height):
            found[channel, row] = np.float32(np.nan)
            if 0 <= row + first_row < n_rows:
                for col in range(left, right):
                    number = values[channel, row + first_row, col + first_col]
                    found[channel, row, col] = number if np.isfinite(number) else np.float32(np.nan)


def _padded(place: RasterPlace, pad: int) -> RasterPlace:
    """The raster with a ring of so many pixels around it."""
    a, b, c, d, e, f = place.affine
    affine = (a, b, c - pad * (a + b), d, e, f - pad * (d + e))
    return RasterPlace(place.crs, affine, place.width_px + 2 * pad, place.height_px + 2 * pad)


def _warped(
    values: Float32[np.ndarray, "C h w"], source: RasterPlace, target: RasterPlace, is_coarser: bool
) -> Float32[np.ndarray, "C H W"]:
    if rasterio is None:
        raise MissingExtraError('bringing rasters onto chips needs: pip install "terrashot[raster]"')
    found = np.zeros((len(values), target.height_px, target.width_px), np.float32)
    with in_gdal():
        reproject(
            values, found,
            src_transform=Affine(*source.affine), src_crs=source.crs,
            dst_transform=Affine(*target.affine), dst_crs=target.crs,
            resampling=Resampling.average if is_coarser else Resampling.bilinear,
            tolerance=0, num_threads=1, **({} if is_coarser else PLAIN),
        )  # fmt: skip
    return found
