"""Simulated tiles of seasonal coherence over the rehearsal's area, in the open data set's names and numbers."""

import math
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine
from rehearsal_ground import EAST_EPSG, EDGE_LON_DEG, WEST_EPSG, Plan

from terrashot.domain.grid import Grid, to_metres
from terrashot.ingest.seasonal_source import TILE_PX, tile_name
from terrashot.ingest.world.coherence import coherence, make_cells, possible_pairs

FACTORS = {"winter": 1.0, "summer": 0.85}
"""Of the simulated coherence: summer's leaves move more."""
CELL_PX = 8
"""Pixels of a simulated chip along a cell, near 3 arc-seconds."""


def write_tiles(plan: Plan, root: Path) -> None:
    """COG-like tiles at the paths by which the bucket has them; no data but around the area."""
    west, south, east, north = plan.around
    for lon in range(math.floor(west), math.floor(east) + 1):
        for lat in range(math.floor(south) + 1, math.floor(north) + 2):
            cells = simulated_cells(plan, lon, lat)
            for season, factor in FACTORS.items():
                name = tile_name(lon, lat)
                folder = root / "data" / "tiles" / name
                folder.mkdir(parents=True, exist_ok=True)
                _write(folder / f"{name}_{season}_vv_COH12.tif", cells * factor, lon, lat)


def simulated_cells(plan: Plan, west_deg: int, north_deg: int) -> np.ndarray:
    """Coherence of a tile's cells, (1200, 1200); 0 beyond the area."""
    found = np.zeros((TILE_PX, TILE_PX))
    west, south, east, north = plan.around
    cols = np.arange(
        max(math.floor((west - west_deg) * TILE_PX), 0), min(math.ceil((east - west_deg) * TILE_PX), TILE_PX)
    )
    rows = np.arange(
        max(math.floor((north_deg - north) * TILE_PX), 0), min(math.ceil((north_deg - south) * TILE_PX), TILE_PX)
    )
    chips: dict[str, np.ndarray] = {}
    for row in rows:
        for col in cols:
            lon_deg, lat_deg = west_deg + (col + 0.5) / TILE_PX, north_deg - (row + 0.5) / TILE_PX
            found[row, col] = _at(plan, lon_deg, lat_deg, chips)
    return found


def _at(plan: Plan, lon_deg: float, lat_deg: float, chips: dict[str, np.ndarray]) -> float:
    epsg = WEST_EPSG if lon_deg < EDGE_LON_DEG else EAST_EPSG
    x_m, y_m = to_metres(epsg).transform(lon_deg, lat_deg)
    chip = Grid(epsg, plan.size_m).chip_at(x_m, y_m)
    if chip.id not in chips:
        chips[chip.id] = _simulated(plan, chip.id)
    side, (west, _, _, north) = len(chips[chip.id]), chip.bounds_m
    row, col = int((north - y_m) / plan.size_m * side), int((x_m - west) / plan.size_m * side)
    return float(chips[chip.id][min(row, side - 1), min(col, side - 1)])


def _simulated(plan: Plan, chip_id: str) -> np.ndarray:
    land, side = plan.world.land(chip_id), max(1, plan.chip_px // CELL_PX)
    pair = next(pair for pair in possible_pairs() if (pair[0] - pair[1]).days == 12)
    return coherence(make_cells(land, side), land, pair, plan.world.rng(chip_id, "seasonal"))


def _write(path: Path, cells: np.ndarray, west_deg: int, north_deg: int) -> None:
    stored = np.where(cells > 0, np.clip(np.round(100 * cells), 1, 100), 0).astype(np.uint8)
    with rasterio.open(
        path, "w", driver="GTiff", width=TILE_PX, height=TILE_PX, count=1, dtype="uint8", crs="EPSG:4326", nodata=0,
        transform=Affine(1 / TILE_PX, 0, west_deg, 0, -1 / TILE_PX, north_deg), compress="deflate", tiled=True,
        blockxsize=256, blockysize=256,
    ) as file:  # fmt: skip
        file.write(stored, 1)
