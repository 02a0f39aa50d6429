"""Fields of coherence that are linear on the ground, GUNW files cut from them, and what a chip should show: by pyproj alone."""

import numpy as np
import pyproj
from faults.gunw_files import CELL_DEG, Layout, write_gunw

SLOPE = 0.2
"""Of coherence a degree, northward and eastward."""


def field(lon_deg, lat_deg, at):
    """Coherence at places, linear in degrees about `at`, between 0 and 1 for a degree around it."""
    lon0, lat0 = at
    return (0.5 + SLOPE * (np.asarray(lon_deg) - lon0) + SLOPE * (np.asarray(lat_deg) - lat0)).astype(np.float32)


def frame(path, at, west_deg, south_deg, east_deg, north_deg, layout=Layout()):
    """A GUNW file of the field, its cells' middles on multiples of 3 arc-seconds."""
    cols = np.arange(round(west_deg * 1200), round(east_deg * 1200) + 1)
    rows = np.arange(round(north_deg * 1200), round(south_deg * 1200) - 1, -1)
    lon, lat = np.meshgrid(cols * CELL_DEG, rows * CELL_DEG)
    return write_gunw(path, field(lon, lat, at), float(cols[0] * CELL_DEG), float(rows[0] * CELL_DEG), layout)


def expected(chip, side_px, at):
    """The field at the middles of a chip's cells, asked of pyproj and not of our own readers."""
    west, south, east, north = chip.bounds_m
    middle = (np.arange(side_px) + 0.5) / side_px
    x_m, y_m = np.meshgrid(west + middle * (east - west), north - middle * (north - south))
    to_degrees = pyproj.Transformer.from_crs(f"EPSG:{chip.epsg}", "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(x_m, y_m)
    return field(at[0] + (lon - at[0] + 180) % 360 - 180, lat, at)


def cells_off(found, wanted):
    """The largest difference as a distance along latitude, in cells of 3 arc-seconds."""
    return float(np.nanmax(np.abs(found - wanted)) / SLOPE / CELL_DEG)
