"""Maps for the benchmark of labels: patches of classes, and heights, as large, as packed and as blocked as published ones of 10 m."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from terrashot.domain.cells import Cells
from terrashot.domain.grid import Grid, to_degrees, to_metres, utm_zone

CLASSES = np.array([10, 30, 40, 50, 60, 80, 90], np.uint8)
PIXEL_DEG = 1 / 12_000
WEST_DEG, NORTH_DEG = 9.0, 46.5
CHIP_M = 4480.0
PATCHES_PX = (512, 96, 24, 6)
WEIGHTS = (1.0, 0.8, 0.5, 0.42)
"""Of patches of each size; with these a block of 1024 px packs to about what blocks of land of WorldCover do."""
BLOCK_PX = 1024


@dataclass(frozen=True, slots=True)
class Made:
    """A square map of so many pixels a side."""

    side_px: int
    seed: int = 0

    @property
    def cells(self) -> Cells:
        """All chips of 4,480 m that lie in it, whole."""
        edge = self.side_px * PIXEL_DEG
        middle = np.array([WEST_DEG + edge / 2]), np.array([NORTH_DEG - edge / 2])
        epsg = int(utm_zone(*middle)[0])
        x_m, y_m = to_metres(epsg).transform(
            np.array([0, 0, edge, edge]) + WEST_DEG, NORTH_DEG - np.array([0, edge, 0, edge])
        )
        grid = Grid(epsg, CHIP_M)
        first, last = grid.chip_at(min(x_m), max(y_m)), grid.chip_at(max(x_m), min(y_m))
        row, col = np.mgrid[first.row : last.row + 1, first.col : last.col + 1].reshape(2, -1)
        found = Cells(CHIP_M, np.full(len(row), epsg), row, col)
        west, south, east, north = found.edges_m()
        lon, lat = to_degrees(epsg).transform(
            np.stack([west, west, east, east]), np.stack([south, north, south, north])
        )
        inside = (lon > WEST_DEG) & (lon < WEST_DEG + edge) & (lat < NORTH_DEG) & (lat > NORTH_DEG - edge)
        return found.take(np.flatnonzero(inside.all(axis=0)))


def write_classes(path: Path, made: Made) -> None:
    """A map of classes, uint8, deflate, blocks of 1024 px."""
    rng = np.random.default_rng(made.seed)
    with _written(path, made, "uint8", nodata=0) as file:
        for row in range(0, made.side_px, BLOCK_PX):
            best, found = (
                np.full((BLOCK_PX, made.side_px), -np.inf, np.float32),
                np.empty((BLOCK_PX, made.side_px), np.uint8),
            )
            for value in CLASSES:
                score = _patches(rng, made.side_px)
                found[score > best] = value
                np.maximum(best, score, out=best)
            file.write(found, 1, window=((row, row + BLOCK_PX), (0, made.side_px)))


def write_heights(path: Path, made: Made) -> None:
    """A map of numbers, float32 in steps of a quarter, deflate, blocks of 1024 px."""
    rng = np.random.default_rng(made.seed)
    with _written(path, made, "float32", nodata=-9999) as file:
        for row in range(0, made.side_px, BLOCK_PX):
            heights = np.round(40 * _patches(rng, made.side_px)) / 4
            file.write(heights.astype(np.float32), 1, window=((row, row + BLOCK_PX), (0, made.side_px)))


def _written(path: Path, made: Made, dtype: str, nodata: float) -> rasterio.io.DatasetWriter:
    return rasterio.open(
        path, "w", driver="GTiff", width=made.side_px, height=made.side_px, count=1, dtype=dtype, nodata=nodata, crs="EPSG:4326",
        transform=Affine(PIXEL_DEG, 0, WEST_DEG, 0, -PIXEL_DEG, NORTH_DEG), tiled=True, blockxsize=BLOCK_PX, blockysize=BLOCK_PX,
        compress="deflate",
    )  # fmt: skip


def _patches(rng: np.random.Generator, width_px: int) -> np.ndarray:
    """A row of blocks of squares of several sizes, each size of a number of its own."""
    total = np.zeros((BLOCK_PX, width_px), np.float32)
    for size, weight in zip(PATCHES_PX, WEIGHTS, strict=True):
        rows, cols = -(-BLOCK_PX // size), -(-width_px // size)
        squares = rng.random((rows, cols), dtype=np.float32) * np.float32(weight)
        total += np.repeat(np.repeat(squares, size, 0), size, 1)[:BLOCK_PX, :width_px]
    return total
