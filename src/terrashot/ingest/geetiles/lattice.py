"""Where the pixels of an imported chip lie: in degrees as published, or on a lattice of metres in its UTM zone."""

import math
from typing import Final, Literal

import numpy as np
import shapely
from jaxtyping import Float32

from terrashot.domain.grid import to_degrees, to_metres, utm_zone
from terrashot.errors import InputError
from terrashot.ingest.decibels import from_db, to_db
from terrashot.raster.onto_chip import onto
from terrashot.raster.place import RasterPlace

Lattice = Literal["degrees", "utm"]
Bounds = tuple[float, float, float, float]
PIXEL_M: Final = 10.0
COHERENCE_M: Final = 90.0
OFF: Final = 0.1
"""Share of a chip's side by which a tile may lie beside its polygon; their pixels are cut to whole ones."""


def utm_place(bounds_deg: Bounds, side_px: int, pixel_m: float) -> RasterPlace:
    """A square of so many pixels around the middle of a rectangle, in the zone that owns it; corners at whole multiples of 10 m.

    Chips of one zone then share one lattice of 10 m, whatever their places.
    """
    west, south, east, north = bounds_deg
    lon_deg, lat_deg = (west + east) / 2, (south + north) / 2
    epsg = int(utm_zone(np.array([lon_deg]), np.array([lat_deg]))[0])
    x_m, y_m = to_metres(epsg).transform(lon_deg, lat_deg)
    half_m = side_px * pixel_m / 2
    left, top = (round((at + step) / PIXEL_M) * PIXEL_M for at, step in ((x_m, -half_m), (y_m, half_m)))
    return RasterPlace(f"EPSG:{epsg}", (pixel_m, 0.0, left, 0.0, -pixel_m, top), side_px, side_px)


def degree_place(bounds_deg: Bounds, side_px: int) -> RasterPlace:
    """So many pixels along each side of a rectangle of degrees, north up."""
    west, south, east, north = bounds_deg
    affine = ((east - west) / side_px, 0.0, west, 0.0, (south - north) / side_px, north)
    return RasterPlace("EPSG:4326", affine, side_px, side_px)


def footprint(place: RasterPlace) -> shapely.Polygon:
    """The four corners in degrees."""
    if place.crs == "EPSG:4326":
        return shapely.box(*place.bounds)
    west, south, east, north = place.bounds
    corners = ((west, south), (east, south), (east, north), (west, north))
    transform = to_degrees(int(place.crs.removeprefix("EPSG:"))).transform
    return shapely.Polygon([transform(x_m, y_m) for x_m, y_m in corners])


def moved(
    values: Float32[np.ndarray, "C h w"], source: RasterPlace, target: RasterPlace, *, is_db: bool = False
) -> Float32[np.ndarray, "C H W"]:
    """The channels on another lattice; decibels as power, which alone may be averaged."""
    found = onto(from_db(values) if is_db else values, source, target)
    return to_db(found) if is_db else found


def refuse_elsewhere(place: RasterPlace, bounds_deg: Bounds) -> None:
    """Nothing, if a tile lies on its chip's rectangle.

    Raises:
        InputError: it lies beside it, or is of another size.
    """
    lon_deg, lat_deg = place.outline_deg()
    if not (np.isfinite(lon_deg).all() and np.isfinite(lat_deg).all()):
        raise InputError("lies nowhere on the Earth by its coordinates")
    west, south, east, north = bounds_deg
    lon_deg = west + (lon_deg - west + 180) % 360 - 180
    sides = ((lon_deg, west, east), (lat_deg, south, north))
    off = max(max(abs(float(at.min()) - low), abs(float(at.max()) - high)) / (high - low) for at, low, high in sides)
    if off > OFF:
        raise InputError(
            f"lies at {lon_deg.min():.4f} to {lon_deg.max():.4f}, {lat_deg.min():.4f} to {lat_deg.max():.4f}, its chip at "
            f"{west:.4f} to {east:.4f}, {south:.4f} to {north:.4f}; it is of another chip"
        )


def coherence_px(bounds_deg: Bounds) -> int:
    """Pixels of about 90 m along the side of a chip, by its height."""
    return max(1, math.floor((bounds_deg[3] - bounds_deg[1]) * 111_195.0 / COHERENCE_M + 0.5))
