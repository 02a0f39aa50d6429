"""Reads coherence of date pairs from a chip's NetCDF, as sartiles cuts it from ARIA GUNW products.

Group `/science/grids/data`, `coherence` with dimensions datepair, latitude, longitude; labels are `later_earlier`
(`20200217_20200205`). Cells are 3 arc-seconds in both directions, so a chip has more columns than rows off the equator.
0 and NaN are no data.

Source: rramosp/sartiles 0fb68da8 (writer); ACCESS-Cloud-Based-InSAR/DockerizedTopsApp ebe052c2 (packager).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from terrashot.errors import InputError, MissingExtraError
from terrashot.raster.picture import MAX_VALUES, Dates, Form, Picture, as_float32, iso_date, refuse_size
from terrashot.raster.place import RasterPlace

try:
    import h5py
except ImportError:  # an optional extra; asked for when a NetCDF is met
    h5py = None

GROUP = ("science", "grids", "data")
CELL_DEG = 1 / 1200
"""3 arc-seconds."""


def read_gunw_form(path: Path) -> Form:
    """What the file says: pairs (none is possible), rows, columns."""
    with opened_data(path) as group:
        return _form(path, own_dataset(path, group, "coherence"))


def read_gunw(path: Path) -> Picture:
    """One channel a date pair, north up and west first.

    Raises:
        InputError: unreadable, too large, not in this layout, or pointing at other files.
        MissingExtraError: h5py is not installed.
    """
    with opened_data(path) as group:
        coherence = own_dataset(path, group, "coherence")
        form = _form(path, coherence)
        axes = {
            name: _axis(path, group, name, length)
            for name, length in zip(("datepair", "latitude", "longitude"), coherence.shape, strict=True)
        }
        values = as_float32(coherence[...])
        fill = coherence.attrs.get("_FillValue", 0)
    values[(values == 0) | (values == np.float32(np.ravel(fill)[0]))] = np.nan
    rows = slice(None, None, 1 if axes["latitude"][0] >= axes["latitude"][-1] else -1)
    columns = slice(None, None, 1 if axes["longitude"][0] <= axes["longitude"][-1] else -1)
    labels = tuple(_text(label) for label in axes["datepair"])
    count = form.channels
    return Picture(
        values[:, rows, columns].copy(), labels, ("coherence",) * count, tuple(map(_dates, labels)),
        (1.0,) * count, (0.0,) * count, fills_chip=True,
    )  # fmt: skip


@contextmanager
def opened_data(path: Path, cache_bytes: int = 1 << 20) -> Iterator[Any]:
    """The group `/science/grids/data` of an open file.

    Args:
        cache_bytes: of unpacked chunks that are kept, of each array.
    """
    if h5py is None:
        raise MissingExtraError(f'{path}: reading NetCDF needs: pip install "terrashot[netcdf]"')
    with h5py.File(path, "r", locking=False, rdcc_nbytes=cache_bytes) as file:
        group: Any = file
        for name in GROUP:
            group = member(path, group, name)
        yield group


def member(path: Path, group: Any, name: str) -> Any:
    """What lies under a name inside this very file: a link elsewhere could show any file of the reader's disk.

    Raises:
        InputError: nothing, or a link.
    """
    link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
    if not isinstance(link, h5py.HardLink):
        raise InputError(f"{path}: no '{name}' in it; coherence lies in /science/grids/data")
    return group[name]


def own_dataset(path: Path, group: Any, name: str) -> Any:
    """An array of numbers that lie in this very file."""
    found = member(path, group, name)
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise InputError(f"{path}: '{name}' holds no numbers of its own; copy the values into the file")
    if found.chunks and np.prod(found.chunks, dtype=np.float64) > MAX_VALUES:
        raise InputError(f"{path}: '{name}' is stored in chunks of {found.chunks}; write it in smaller ones")
    return found


def _form(path: Path, coherence: Any) -> Form:
    if coherence.ndim != 3 or coherence.dtype.kind not in "uif":
        raise InputError(
            f"{path}: coherence is {coherence.dtype} of shape {coherence.shape}; needs (datepair, latitude, longitude)"
        )
    form = Form(*(int(length) for length in coherence.shape))
    refuse_size(path, form)
    return form


def _axis(path: Path, group: Any, name: str, length: int) -> np.ndarray:
    found = own_dataset(path, group, name)
    if found.shape != (length,):
        raise InputError(f"{path}: '{name}' has shape {found.shape}, coherence has {length} of them")
    return np.asarray(found[...])


def _text(label: object) -> str:
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


def _dates(label: str) -> Dates:
    days = sorted(day for part in label.split("_") if len(part) == 8 and (day := iso_date(part)) is not None)
    return (days[0], days[1]) if len(days) == 2 else (None, None)


def read_gunw_place(path: Path) -> RasterPlace:
    """Where the cells of `read_gunw`'s channels lie: degrees, north up; the axes hold the middles of cells.

    Raises:
        InputError: unreadable, or axes that are not even.
        MissingExtraError: h5py is not installed.
    """
    with opened_data(path) as group:
        form = _form(path, own_dataset(path, group, "coherence"))
        lat, lon = (
            np.sort(_axis(path, group, name, length).astype(np.float64))
            for name, length in (("latitude", form.height_px), ("longitude", form.width_px))
        )
    (south, down), (west, across) = _even(path, "latitude", lat), _even(path, "longitude", lon)
    north = south + down * len(lat)
    return RasterPlace("EPSG:4326", (across, 0.0, west, 0.0, -down, north), len(lon), len(lat))


def _even(path: Path, name: str, middles: np.ndarray) -> tuple[float, float]:
    """The lower edge of the first cell, and the step."""
    step = float(middles[-1] - middles[0]) / (len(middles) - 1) if len(middles) > 1 else CELL_DEG
    expected = middles[0] + step * np.arange(len(middles))
    if not np.isfinite(middles).all() or step <= 0 or np.abs(middles - expected).max() > 0.1 * step:
        raise InputError(f"{path}: '{name}' is no even row of degrees; copy or make it again")
    return float(middles[0]) - step / 2, step
