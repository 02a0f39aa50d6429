"""Windows of coherence in a whole ARIA S1-GUNW product, versions 2 and 3 (NetCDF-4).

Group `/science/grids/data`: `latitude` and `longitude` hold the middles of cells, on multiples of 3 arc-seconds, `coherence` (and from
version 3 on `unfilteredCoherence`) has the shape (latitude, longitude). 0 is no data in the frame and outside of it, whatever
`_FillValue` says: some files have none.

Source: ACCESS-Cloud-Based-InSAR/DockerizedTopsApp ebe052c2 (packager); MintPy issue 100 (files without `_FillValue`).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64

from terrashot.errors import InputError, TerrashotError, one_line
from terrashot.raster.gunw import opened_data, own_dataset
from terrashot.raster.picture import as_float32
from terrashot.raster.place import Affine, RasterPlace

VARIABLES: Final = {"filtered": "coherence", "unfiltered": "unfilteredCoherence"}
MAX_SIDE_PX: Final = 40_000
"""A frame is about 250 km long: 4,232 rows of 3 arc-seconds, three times as many of one."""
MAX_CHUNK_VALUES: Final = 1 << 24
"""Unpacked whole, however few of its cells are asked for; real ones have 600,000."""
MAX_WINDOW_VALUES: Final = 1 << 24
CACHE_BYTES: Final = 32 << 20
"""Of unpacked chunks: a row of them across a frame, so that none is unpacked anew for every chip."""
UNEVEN: Final = 0.01
"""Of a cell, by which a middle may lie off an even lattice."""
ROUNDING: Final = 1e-3
"""By which coherence may leave 0 to 1; beyond, it is something else."""
PACKINGS: Final = (None, "gzip")
"""Ways of packing that HDF5 has inside; any other is code that it would look for on this machine."""


@dataclass(frozen=True, slots=True)
class GunwProduct:
    """An open product."""

    path: Path
    place: RasterPlace
    """North up or south up, as stored."""
    _cells: Any
    _fill: float

    def read(self, rows: slice, cols: slice) -> Float32[np.ndarray, "h w"]:
        """Coherence of a window, 0 to 1; NaN where there is none.

        Raises:
            InputError: cannot be read, or holds numbers that are no coherence.
        """
        if (rows.stop - rows.start) * (cols.stop - cols.start) > MAX_WINDOW_VALUES:
            raise InputError(f"{self.path}: {MAX_WINDOW_VALUES} cells are the most of a window; take smaller chips")
        with _reading(self.path):
            values = as_float32(self._cells[rows, cols])
        values[(values == 0) | (values == np.float32(self._fill))] = np.nan
        is_beyond = (values < -ROUNDING) | (values > 1 + ROUNDING)
        if is_beyond.any():
            raise InputError(
                f"{self.path}: holds {float(values[is_beyond][0]):g} where coherence, 0 to 1, should be; fetch the product anew"
            )
        return np.clip(values, np.float32(0), np.float32(1))


@contextmanager
def open_gunw_product(path: Path, variable: str) -> Iterator[GunwProduct]:
    """The product, open; its header is checked before a cell is held.

    Args:
        variable: `coherence` or `unfilteredCoherence`.

    Raises:
        InputError: unreadable, too large, not in this layout, or pointing at other files; names the file.
        MissingExtraError: h5py is not installed.
    """
    with ExitStack() as open_until_the_end:
        with _reading(path):
            group = open_until_the_end.enter_context(opened_data(path, CACHE_BYTES))
            product = _product(path, group, variable)
        yield product


def _product(path: Path, group: Any, variable: str) -> GunwProduct:
    if variable not in group:
        raise InputError(f"{path}: has no '{variable}'; unfiltered coherence is in products of version 3 alone")
    cells = own_dataset(path, group, variable)
    _refuse_form(path, cells)
    lat_deg, lon_deg = (
        _middles(path, group, name, length) for name, length in zip(("latitude", "longitude"), cells.shape, strict=True)
    )
    fill = np.ravel(cells.attrs.get("_FillValue", 0))
    place = RasterPlace("EPSG:4326", _affine(lat_deg, lon_deg), len(lon_deg), len(lat_deg))
    return GunwProduct(path, place, cells, float(fill[0]) if len(fill) else 0.0)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Inside, what the HDF5 library complains of becomes an InputError that names the file."""
    try:
        yield
    except TerrashotError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise InputError(f"{path}: cannot be read as a GUNW product: {one_line(error)}; fetch it anew") from None


def _refuse_form(path: Path, cells: Any) -> None:
    if cells.ndim != 2 or cells.dtype.kind != "f" or not 2 <= min(cells.shape) <= max(cells.shape) <= MAX_SIDE_PX:
        raise InputError(
            f"{path}: coherence is {cells.dtype} of shape {cells.shape}; needs floating numbers (latitude, longitude), 2 to "
            f"{MAX_SIDE_PX} a side"
        )
    chunk = int(np.prod(cells.chunks, dtype=np.float64)) if cells.chunks else 0
    if chunk > MAX_CHUNK_VALUES or cells.compression not in PACKINGS:
        raise InputError(
            f"{path}: coherence is stored in chunks of {cells.chunks}, packed by {cells.compression}; write it in chunks of "
            f"{MAX_CHUNK_VALUES} values at most, by gzip"
        )


def _middles(path: Path, group: Any, name: str, length: int) -> Float64[np.ndarray, " L"]:
    """The middles of cells along one axis, in degrees: even steps, up or down. L: rows or columns."""
    stored = own_dataset(path, group, name)
    if stored.shape != (length,) or stored.dtype.kind != "f" or stored.compression not in PACKINGS:
        raise InputError(f"{path}: '{name}' is {stored.dtype} of shape {stored.shape}; coherence has {length} of them")
    found = np.asarray(stored[...], dtype=np.float64)
    most = 90.0 if name == "latitude" else 540.0  # longitudes may count on beyond 180
    if not np.isfinite(found).all() or np.abs(found).max() > most:
        raise InputError(f"{path}: '{name}' holds numbers that are no degrees")
    step = (found[-1] - found[0]) / (length - 1)
    off = np.abs(found - (found[0] + step * np.arange(length))).max()
    if step == 0 or off > UNEVEN * abs(step) or (name == "longitude" and step < 0):
        raise InputError(f"{path}: '{name}' has no even steps (upward for longitudes), so its cells have no place")
    return found


def _affine(lat_deg: Float64[np.ndarray, " H"], lon_deg: Float64[np.ndarray, " W"]) -> Affine:
    """From columns and rows to degrees, for corners of cells: half a cell before the first middle."""
    down, right = ((axis[-1] - axis[0]) / (len(axis) - 1) for axis in (lat_deg, lon_deg))
    return float(right), 0.0, float(lon_deg[0] - right / 2), 0.0, float(down), float(lat_deg[0] - down / 2)
