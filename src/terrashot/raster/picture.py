"""Reads one chip's image file within limits: bytes on disk, pixels that its header claims, and a named driver.

The header is judged before a pixel is allocated. A GeoTIFF is opened by the GTiff driver alone, so that no file can
point at another one.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from terrashot.errors import InputError, MissingExtraError

try:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError
except ImportError:  # an optional extra; asked for when a GeoTIFF is met
    rasterio = None
try:
    from PIL import Image
except ImportError:  # an optional extra; asked for when a PNG or JPEG is met
    Image = None  # type: ignore[assignment]
try:
    import h5py
except ImportError:  # an optional extra; asked for when a NetCDF is met
    h5py = None

MAX_BYTES = 1 << 30
MAX_SIDE_PX = 16_384
MAX_VALUES = 1 << 28
GUNW_GROUP = "science/grids/data"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What an image file holds, before any scale of ours."""

    values: Float32[np.ndarray, "C H W"]
    """NaN where the file itself says no data."""
    names: tuple[str | None, ...]
    """Of the channels, where the file says."""
    is_integer: bool
    """Whether the file holds whole numbers."""
    pairs: tuple[tuple[str, str] | None, ...] = ()
    """ISO dates, earlier and later, of each channel of a coherence file."""


def read_picture(path: Path) -> Picture:
    """The image of a .tif, .png, .jpg, .npy or .nc file.

    Raises:
        InputError: unreadable, too large, or of a form that is not an image; names the file.
        MissingExtraError: the library for this kind is not installed.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: no image kind of ours; kinds are {', '.join(READERS)}")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: {path.stat().st_size} bytes, more than {MAX_BYTES}; cut it into chips first")
    try:
        picture = reader(path)
    except (InputError, MissingExtraError):
        raise
    except Exception as error:
        # Decoders of damaged files raise whatever they like; here each becomes one line about one file.
        raise InputError(
            f"{path}: cannot be read: {' '.join(str(error).split())[:120] or type(error).__name__}"
        ) from None
    if picture.values.ndim != 3 or picture.values.shape[1] != picture.values.shape[2]:
        raise InputError(f"{path}: {picture.values.shape} is no square image of channels; a chip is square")
    return picture


def _refuse_size(path: Path, channels: int, height: int, width: int) -> None:
    if min(channels, height, width) < 1 or max(height, width) > MAX_SIDE_PX or channels * height * width > MAX_VALUES:
        raise InputError(
            f"{path}: claims {channels} x {height} x {width} values; a chip has at most {MAX_VALUES}, {MAX_SIDE_PX} a side"
        )


def _read_tif(path: Path) -> Picture:
    if rasterio is None:
        raise MissingExtraError(f'{path}: reading GeoTIFF needs: pip install "terrashot[raster]"')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as file:
                _refuse_size(path, file.count, file.height, file.width)
                stored = file.read(masked=True)
                scales, offsets = np.array(file.scales), np.array(file.offsets)
                names = tuple(file.descriptions)
                pairs = (_tag_dates(file.tags()),) * file.count
    except RasterioError as error:
        raise InputError(f"{path}: cannot be read as GeoTIFF: {' '.join(str(error).split())[:120]}") from None
    plain = bool(np.all(scales == 1) and np.all(offsets == 0))
    values = np.ma.filled(stored.astype(np.float64), np.nan) * scales[:, None, None] + offsets[:, None, None]
    return Picture(values.astype(np.float32), names, plain and stored.dtype.kind in "ui", pairs)


def _tag_dates(tags: dict[str, str]) -> tuple[str, str] | None:
    first, second = tags.get("FIRST_DATE"), tags.get("SECOND_DATE")
    return (first, second) if first and second else None


def _read_picture_file(path: Path) -> Picture:
    if Image is None:
        raise MissingExtraError(f'{path}: reading PNG and JPEG needs: pip install "terrashot[raster]"')
    with Image.open(path, formats=("PNG", "JPEG")) as file:
        _refuse_size(path, 4, file.height, file.width)
        if file.mode not in ("L", "I;16", "I", "RGB", "LA", "RGBA"):
            raise InputError(f"{path}: colour mode {file.mode}; save it as grey or RGB, without a palette")
        pixels = np.asarray(file)
    planes = np.atleast_3d(pixels).transpose(2, 0, 1).astype(np.float32)
    if file.mode in ("LA", "RGBA"):
        planes[:-1, planes[-1] == 0] = np.nan  # fully transparent is no data
        planes = planes[:-1]
    return Picture(planes, (None,) * len(planes), True)


def _read_npy(path: Path) -> Picture:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
    if dtype.kind not in "uif" or len(shape) not in (2, 3):
        raise InputError(f"{path}: {dtype} of shape {shape}; needs numbers of shape (channels, height, width)")
    _refuse_size(path, *(shape if len(shape) == 3 else (1, *shape)))
    stored = np.load(path, allow_pickle=False)
    values = (stored if stored.ndim == 3 else stored[None]).astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return Picture(values, (None,) * len(values), dtype.kind in "ui")


def _read_nc(path: Path) -> Picture:
    """Coherence of date pairs as sartiles writes it; pair labels are `later_earlier`, a fill of 0 is no data."""
    if h5py is None:
        raise MissingExtraError(f'{path}: reading NetCDF needs: pip install "terrashot[netcdf]"')
    with h5py.File(path, "r") as file:
        group = file[GUNW_GROUP]
        coherence = group["coherence"]
        if coherence.ndim != 3:
            raise InputError(f"{path}: coherence has {coherence.ndim} axes; needs (datepair, latitude, longitude)")
        _refuse_size(path, *coherence.shape)
        values = np.asarray(coherence[...], dtype=np.float32)
        labels = [_text(label) for label in group["datepair"][...]]
        latitude = np.asarray(group["latitude"][...])
    values = values if latitude[0] >= latitude[-1] else values[:, ::-1]
    if np.nanmin(values) < 0 or np.nanmax(values) > 1:
        raise InputError(
            f"{path}: coherence from {np.nanmin(values):g} to {np.nanmax(values):g}; it lies between 0 and 1"
        )
    values[values == 0] = np.nan
    side = min(values.shape[1:])
    return Picture(values[:, :side, :side].copy(), tuple(labels), False, tuple(_label_dates(label) for label in labels))


def _text(label: object) -> str:
    return label.decode() if isinstance(label, bytes) else str(label)


def _label_dates(label: str) -> tuple[str, str] | None:
    later, _, earlier = label.partition("_")
    if not (len(later) == len(earlier) == 8 and later.isdigit() and earlier.isdigit()):
        return None
    return f"{earlier[:4]}-{earlier[4:6]}-{earlier[6:]}", f"{later[:4]}-{later[4:6]}-{later[6:]}"


READERS: dict[str, Callable[[Path], Picture]] = {
    ".tif": _read_tif, ".tiff": _read_tif, ".png": _read_picture_file, ".jpg": _read_picture_file,
    ".jpeg": _read_picture_file, ".npy": _read_npy, ".nc": _read_nc,
}  # fmt: skip
