"""Where the cells of a GUNW product lie: the axes hold their middles, in degrees of WGS 84.

Source: ACCESS-Cloud-Based-InSAR/DockerizedTopsApp ebe052c2 (packager: `crs` with its ellipsoid, axes with their units).
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj
from jaxtyping import Float64
from pyproj.exceptions import CRSError

from terrashot.errors import InputError, one_line
from terrashot.raster.gunw import own_dataset
from terrashot.raster.place import Affine, RasterPlace

UNEVEN: Final = 0.01
"""Of a cell, by which a middle may lie off an even lattice."""
LARGEST_STEP_DEG: Final = 0.01
"""Cells have 3 arc-seconds, of special orders 1; axes that count cells, or metres, have far larger steps."""
PACKINGS: Final = (None, "gzip")
"""Ways of packing that HDF5 has inside; any other is code that it would look for on this machine."""
UNITS: Final = {"latitude": re.compile("degrees?(_?n(orth)?)?"), "longitude": re.compile("degrees?(_?e(ast)?)?")}
"""CF's `degrees_north`, `degreeN` and so on."""
ELLIPSOID: Final = {
    "semi_major_axis": 6378137.0,
    "inverse_flattening": 298.257223563,
    "longitude_of_prime_meridian": 0.0,
}
FEW_CM: Final = 1e-8
"""Relative: GRS 80 has the same degrees to a tenth of a millimetre, WGS 72 to metres."""
MOST_WKT: Final = 20_000


def place_of_cells(path: Path, group: Any, shape: tuple[int, int]) -> RasterPlace:
    """The lattice, north up or south up, as stored.

    Raises:
        InputError: axes that are no even degrees, or a coordinate system that is another; names the file.
    """
    _refuse_other_degrees(path, group)
    lat_deg, lon_deg = (
        _middles(path, group, name, length) for name, length in zip(("latitude", "longitude"), shape, strict=True)
    )
    return RasterPlace("EPSG:4326", _affine(lat_deg, lon_deg), len(lon_deg), len(lat_deg))


def _middles(path: Path, group: Any, name: str, length: int) -> Float64[np.ndarray, " L"]:
    """The middles of cells along one axis, in degrees: even steps, up or down. L: rows or columns."""
    stored = own_dataset(path, group, name)
    if stored.shape != (length,) or stored.dtype.kind != "f" or stored.compression not in PACKINGS:
        raise InputError(f"{path}: '{name}' is {stored.dtype} of shape {stored.shape}; coherence has {length} of them")
    found = np.asarray(stored[...], dtype=np.float64)
    most = 90.0 if name == "latitude" else 540.0  # longitudes may count on beyond 180
    unit = _text(stored.attrs.get("units", "degrees")).lower()
    if not UNITS[name].fullmatch(unit) or not np.isfinite(found).all() or np.abs(found).max() > most:
        raise InputError(f"{path}: '{name}' holds numbers that are no degrees of {name}")
    step = (found[-1] - found[0]) / (length - 1)
    off = np.abs(found - (found[0] + step * np.arange(length))).max()
    if step == 0 or off > UNEVEN * abs(step) or (name == "longitude" and step < 0):
        raise InputError(f"{path}: '{name}' has no even steps (upward for longitudes), so its cells have no place")
    if abs(step) > LARGEST_STEP_DEG:
        raise InputError(f"{path}: '{name}' has steps of {abs(step):g} degrees; cells of a product have 1/1200")
    return found


def _affine(lat_deg: Float64[np.ndarray, " H"], lon_deg: Float64[np.ndarray, " W"]) -> Affine:
    """From columns and rows to degrees, for corners of cells: half a cell before the first middle."""
    down, right = ((axis[-1] - axis[0]) / (len(axis) - 1) for axis in (lat_deg, lon_deg))
    return float(right), 0.0, float(lon_deg[0] - right / 2), 0.0, float(down), float(lat_deg[0] - down / 2)


def _refuse_other_degrees(path: Path, group: Any) -> None:
    """Nothing where the file tells of WGS 84, or of no coordinate system: the layout has no other."""
    if group.get("crs", getlink=True) is None:
        return
    told = own_dataset(path, group, "crs").attrs
    kind = _text(told.get("grid_mapping_name", "latitude_longitude"))
    if (
        kind != "latitude_longitude"
        or not _is_ellipsoid(told)
        or not all(_is_wgs84(path, text) for text in _wkts(told))
    ):
        raise InputError(f"{path}: 'crs' tells of another coordinate system than degrees of WGS 84; fetch it anew")


def _is_ellipsoid(told: Mapping[str, object]) -> bool:
    return all(_is_near(told.get(key, wanted), wanted) for key, wanted in ELLIPSOID.items())


def _is_near(found: object, wanted: float) -> bool:
    number = np.ravel(np.asarray(found))
    is_number = number.size == 1 and number.dtype.kind in "iuf"
    return is_number and math.isclose(float(number[0]), wanted, rel_tol=FEW_CM, abs_tol=FEW_CM)


def _wkts(told: Mapping[str, object]) -> list[str]:
    return [_text(told[key]) for key in ("crs_wkt", "spatial_ref") if key in told]


def _is_wgs84(path: Path, text: str) -> bool:
    try:
        known = pyproj.CRS.from_wkt(text[:MOST_WKT])
    except CRSError as error:
        raise InputError(f"{path}: 'crs' cannot be read: {one_line(error, 80)}; fetch it anew") from None
    axes = {
        "semi_major_axis": known.ellipsoid and known.ellipsoid.semi_major_metre,
        "inverse_flattening": known.ellipsoid and known.ellipsoid.inverse_flattening,
        "longitude_of_prime_meridian": known.prime_meridian and known.prime_meridian.longitude,
    }
    return known.is_geographic and _is_ellipsoid(axes)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
