"""Windows of coherence in a whole ARIA S1-GUNW product, versions 2 and 3 (NetCDF-4).

Group `/science/grids/data`: `coherence` (and from version 3 on `unfilteredCoherence`) has the shape (latitude, longitude). 0 is no
data in the frame and outside of it, whatever `_FillValue` says: some files have none.

Source: ACCESS-Cloud-Based-InSAR/DockerizedTopsApp ebe052c2 (packager); MintPy issue 100 (files without `_FillValue`).
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from terrashot.errors import InputError, TerrashotError, one_line
from terrashot.raster.gunw import member, opened_data, own_dataset
from terrashot.raster.gunw_axes import PACKINGS, place_of_cells
from terrashot.raster.picture import as_float32
from terrashot.raster.place import RasterPlace

VARIABLES: Final = {"filtered": "coherence", "unfiltered": "unfilteredCoherence"}
MAX_SIDE_PX: Final = 40_000
"""A frame is about 250 km long: 4,232 rows of 3 arc-seconds, three times as many of one."""
MAX_CHUNK_VALUES: Final = 1 << 24
"""Unpacked whole, however few of its cells are asked for; real ones have 600,000."""
MAX_WINDOW_VALUES: Final = 1 << 24
CACHE_BYTES: Final = 32 << 20
"""Of unpacked chunks: a row of them across a frame, so that none is unpacked anew for every chip."""
ROUNDING: Final = 1e-3
"""By which coherence may leave 0 to 1; beyond, it is something else."""
MOST_SCENES: Final = 64
"""Of one pass; a frame is made of two to four."""
SCENE: Final = re.compile(r"S1[A-D]_\w\w_SLC__\w{4}_(\d{8})T\d{6}_(\d{8})T\d{6}_", re.ASCII)
SCENE_CHARACTERS: Final = 2000


@dataclass(frozen=True, slots=True)
class GunwProduct:
    """An open product."""

    path: Path
    place: RasterPlace
    """North up or south up, as stored."""
    days: tuple[frozenset[str], frozenset[str]]
    """Days, `20210723`, on which the scenes of the later and of the earlier pass were sensed; empty where the file does not tell."""
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
    fill = np.ravel(cells.attrs.get("_FillValue", 0))
    place = place_of_cells(path, group, cells.shape)
    days = _days(path, group.file, "reference"), _days(path, group.file, "secondary")
    return GunwProduct(path, place, days, cells, float(fill[0]) if len(fill) else 0.0)


def _days(path: Path, file: Any, which: str) -> frozenset[str]:
    """Of the scenes that one pass was made of, as their names tell."""
    found = file
    try:
        for name in ("science", "radarMetaData", "inputSLC", which):
            found = member(path, found, name)
        names = own_dataset(path, found, "L1InputGranules")
    except InputError:  # not in every file; no cell depends on it
        return frozenset()
    if not names.size or names.size > MOST_SCENES or names.compression not in PACKINGS:
        return frozenset()
    # One at a time: many could point at one long text.
    texts = (str(names[at])[:SCENE_CHARACTERS] for at in np.ndindex(names.shape))
    return frozenset(day for text in texts for days in SCENE.findall(text) for day in days)


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
