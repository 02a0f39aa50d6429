"""Which rasters show a table's chips, and which chip each pixel shows."""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Int32, Int64

from terrashot.domain.grid import CHIP_ID, Grid, chip_from_id
from terrashot.domain.tables import Chips
from terrashot.raster.cog import PixelGrid, footprint_owners, lattice_owners

MOST_PIXELS = 100_000_000
LON_LAT = 4326


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """One file of the map."""

    name: str
    grid: PixelGrid
    owner: Int32[np.ndarray, "H W"]
    """Row of the chip that a pixel shows, -1 for none."""


@dataclass(frozen=True, slots=True)
class RasterPlan:
    """The files of the map, and what a person must be told of them."""

    rasters: tuple[Raster, ...]
    notes: tuple[str, ...]


def plan_rasters(chips: Chips) -> RasterPlan:
    """A file a UTM zone with a pixel a chip, where ids are those of our grid; else one in degrees, of the footprints.

    Raises:
        MissingExtraError: footprints are to be drawn, and rasterio is not installed.
    """
    if all(CHIP_ID.fullmatch(chip_id) for chip_id in chips.ids):
        return _on_lattices(chips)
    if chips.footprint is None:
        return RasterPlan((), ("no map.tif: the chips have no footprints; give a table with `geometry` as --chips",))
    return _in_degrees(chips.footprint)


def _on_lattices(chips: Chips) -> RasterPlan:
    cells = [chip_from_id(chip_id) for chip_id in chips.ids]
    kinds = np.array([(cell.epsg, int(cell.size_m)) for cell in cells], dtype=np.int64)
    zones = np.unique(kinds, axis=0).tolist()
    places = np.array([(cell.row, cell.col) for cell in cells], dtype=np.int64)
    rasters, notes = [], []
    for epsg, size_m in zones:
        rows = np.flatnonzero((kinds == (epsg, size_m)).all(axis=1))
        name = "map.tif" if len(zones) == 1 else f"map_{epsg}.tif"
        if len({zone for zone, _ in zones}) < len(zones):
            name = f"map_{epsg}_{size_m}m.tif"
        grid, own = _lattice_grid(Grid(epsg, float(size_m)), places[rows])
        if grid.width_px * grid.height_px > MOST_PIXELS:
            notes.append(
                f"no {name}: {grid.width_px} x {grid.height_px} pixels, most of them empty; map a smaller area"
            )
            continue
        owner = lattice_owners(grid, *own.T)
        rasters.append(Raster(name, grid, _renumbered(owner, rows)))
    return RasterPlan(tuple(rasters), tuple(notes))


def _lattice_grid(grid: Grid, places: Int64[np.ndarray, "N 2"]) -> tuple[PixelGrid, Int64[np.ndarray, "N 2"]]:
    top, left = places.min(axis=0).tolist()
    height, width = (np.ptp(places, axis=0) + 1).tolist()
    west, _, _, north = grid.chip(top, left).bounds_m
    size_m = grid.chip_size_m
    return PixelGrid(grid.epsg, west, north, size_m, size_m, width, height), places - (top, left)


def _renumbered(owner: Int32[np.ndarray, "H W"], rows: np.ndarray) -> Int32[np.ndarray, "H W"]:
    """Owners among the chips of one zone, as rows of the whole table."""
    return np.where(owner < 0, -1, rows[owner]).astype(np.int32)


def _in_degrees(footprints: np.ndarray) -> RasterPlan:
    west, south, east, north = shapely.bounds(footprints).T
    pixel_x, pixel_y = float(np.median(east - west)), float(np.median(north - south))
    if min(pixel_x, pixel_y) <= 0:
        return RasterPlan((), ("no map.tif: the chips' footprints have no extent",))
    width, height = _pixels(west.min(), east.max(), pixel_x), _pixels(south.min(), north.max(), pixel_y)
    if width * height > MOST_PIXELS:
        return RasterPlan((), (f"no map.tif: {width} x {height} pixels, most of them empty; map a smaller area",))
    grid = PixelGrid(LON_LAT, float(west.min()), float(north.max()), pixel_x, pixel_y, width, height)
    owner = footprint_owners(grid, footprints)
    unseen = len(footprints) - len(np.unique(owner[owner >= 0]))
    note = f"map.tif is in degrees, with a pixel of the median footprint ({pixel_x:.6f} x {pixel_y:.6f})"
    if unseen:
        note += f"; {unseen} chips cover no pixel's centre and are in map.parquet alone"
    return RasterPlan((Raster("map.tif", grid, owner),), (note,))


def _pixels(low: float, high: float, size: float) -> int:
    # A hair less, so that rounding adds no empty row.
    return max(1, int(np.ceil((high - low) / size - 1e-6)))
