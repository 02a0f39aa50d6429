"""Places in any coordinate system as degrees of longitude and latitude."""

import numpy as np
import pyproj
import shapely
from jaxtyping import Bool, Float64

from terrashot.errors import InputError, one_line

STRAIGHT_M = 1000.0
"""A longer side is cut: straight in one projection, it is bent in another, by L^2 / 8 R: 2 cm on a kilometre."""
MOST_VERTICES = 20_000_000
DEGREES = pyproj.CRS.from_epsg(4326)


def crs_of(told: pyproj.CRS | None, asked: str | None, where: str) -> pyproj.CRS:
    """What the coordinates mean: what the file says, else what the study file does.

    Raises:
        InputError: neither says, they differ, or no such system is known.
    """
    try:
        own = None if asked is None else pyproj.CRS.from_user_input(asked)
    except pyproj.exceptions.CRSError as error:
        raise InputError(f"crs = {asked!r}: no such coordinate system is known ({one_line(error, 60)})") from None
    if told is None and own is None:
        raise InputError(f'{where}: does not say what its coordinates mean; add crs = "EPSG:..." under [labels.own]')
    if told is not None and own is not None and not told.equals(own, ignore_axis_order=True):
        raise InputError(
            f"{where}: says that its coordinates are {told.name}, and crs that they are {own.name}; drop the key"
        )
    found = told if told is not None else own
    assert found is not None, "one of the two was given"
    if not (found.is_geographic or found.is_projected):
        raise InputError(f"{where}: coordinates in {found.name[:60]}, which is no map's; reproject to EPSG:4326")
    return found


def points_in_degrees(
    x: Float64[np.ndarray, " R"], y: Float64[np.ndarray, " R"], crs: pyproj.CRS
) -> tuple[Float64[np.ndarray, " R"], Float64[np.ndarray, " R"]]:
    """Longitude, from -180 up to 180, and latitude; not finite where the system does not reach."""
    if is_degrees(crs):
        return _wrapped(x), y
    lon, lat = pyproj.Transformer.from_crs(crs, DEGREES, always_xy=True).transform(x, y)
    return _wrapped(np.asarray(lon, dtype=np.float64)), np.asarray(lat, dtype=np.float64)


def shapes_in_degrees(shapes: np.ndarray, crs: pyproj.CRS, where: str) -> np.ndarray:
    """Shapely geometries in degrees, with their long sides cut first, so that they stay where they were.

    Raises:
        InputError: far too many corners.
    """
    if is_degrees(crs):
        return shapes
    dense = shapely.segmentize(shapes, STRAIGHT_M / _metres_a_unit(crs))
    if int(shapely.get_num_coordinates(dense).sum()) > MOST_VERTICES:
        raise InputError(f"{where}: over {MOST_VERTICES:,} corners; simplify the shapes")
    turn = pyproj.Transformer.from_crs(crs, DEGREES, always_xy=True)
    moved: np.ndarray = shapely.transform(dense, lambda points: np.column_stack(turn.transform(*points.T)))
    return moved


def off_the_globe(lon_deg: Float64[np.ndarray, " R"], lat_deg: Float64[np.ndarray, " R"]) -> Bool[np.ndarray, " R"]:
    """Which are no degrees of longitude and latitude, or not finite."""
    return ~((np.abs(lon_deg) <= 180) & (np.abs(lat_deg) <= 90))


def is_degrees(crs: pyproj.CRS) -> bool:
    """Degrees on an ellipsoid within metres of that of GPS: nothing to move."""
    greenwich = crs.prime_meridian is not None and crs.prime_meridian.longitude == 0
    return bool(crs.is_geographic) and greenwich and abs(crs.axis_info[0].unit_conversion_factor - np.pi / 180) < 1e-9


def _wrapped(lon_deg: np.ndarray) -> Float64[np.ndarray, " R"]:
    """180 is -180; what is no degree stays as it is."""
    return np.where(lon_deg == 180, -180.0, lon_deg)


def _metres_a_unit(crs: pyproj.CRS) -> float:
    factor = float(crs.axis_info[0].unit_conversion_factor)
    return factor * 6_371_000 if crs.is_geographic else factor
