"""Made scenes of Sentinel-2 and Sentinel-1 over a block of chips: GeoTIFFs as large to unpack as real ones, and their items."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from scipy.ndimage import zoom

from terrashot.domain.grid import Chip, Grid
from terrashot.ingest.boa_offset import Offset

EPSG, CHIP_PX, PIXEL_M, TILE_PX = 32632, 448, 10.0, 512
GRID = Grid(EPSG, CHIP_PX * PIXEL_M)
BANDS, MASK, RADAR = ("red", "green", "blue"), "scl", ("vv", "vh")
PLACES = (7, 3)
"""Chips from the scenes' edge to the first, in tenths of a chip: no chip begins where a tile does."""
VEGETATION, BARE, CLOUD = 4, 5, 9
CLOUDED = 0.7
"""Level of a field of 0 to 1 above which there is cloud."""
MADE = 2
"""Different scenes; all others are links to these, under names of their own."""
OFFSET = Offset(0, True, "made")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is made."""

    rows: int
    cols: int
    months: tuple[str, ...]
    passes: int
    """A month and sensor."""

    @property
    def chips(self) -> tuple[Chip, ...]:
        """Row by row."""
        first = GRID.chip_at(500_000.0, 5_000_000.0)
        return tuple(
            GRID.chip(first.row + row, first.col + col) for row in range(self.rows) for col in range(self.cols)
        )

    @property
    def corner_m(self) -> tuple[float, float]:
        """West and north of the scenes."""
        west, _, _, north = self.chips[0].bounds_m
        return west - PLACES[1] * 640, north + PLACES[0] * 640

    @property
    def side_px(self) -> int:
        """Of a scene."""
        return CHIP_PX * (max(self.rows, self.cols) + 1) + TILE_PX

    @property
    def days(self) -> list[str]:
        """Of all passes."""
        return [f"{month}-{3 + 5 * number:02d}" for month in self.months for number in range(self.passes)]


def make_scenes(folder: Path, plan: Plan) -> None:
    """The files that `optical_items` and `radar_items` name, in `folder`."""
    rng = np.random.default_rng(0)
    for number in range(MADE):
        for kind in BANDS:
            _write(folder / f"made{number}-{kind}.tif", _reflectance(rng, plan.side_px), plan, PIXEL_M, 0)
        _write(folder / f"made{number}-{MASK}.tif", _classes(rng, plan.side_px // 2), plan, 2 * PIXEL_M, 0)
        for kind in RADAR:
            _write(folder / f"made{number}-{kind}.tif", _power(rng, plan.side_px), plan, PIXEL_M, -32768)
    for number, day in enumerate(plan.days):
        for kind in (*BANDS, MASK, *RADAR):
            os.link(folder / f"made{number % MADE}-{kind}.tif", folder / f"{day}-{kind}.tif")


def optical_items(plan: Plan, base: str) -> list[dict[str, Any]]:
    """Items in the form of Earth Search; files below `base`."""
    return [_item(plan, base, day, "sentinel-2-l2a", "sentinel-2a", (*BANDS, MASK)) for day in plan.days]


def radar_items(plan: Plan, base: str) -> list[dict[str, Any]]:
    """Items in the form of Planetary Computer's RTC."""
    return [_item(plan, base, day, "sentinel-1-rtc", "sentinel-1a", RADAR) for day in plan.days]


def _item(plan: Plan, base: str, day: str, collection: str, platform: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    outline = [[5.0, 42.0], [13.0, 42.0], [13.0, 48.0], [5.0, 48.0], [5.0, 42.0]]
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": f"{platform}-{day}", "collection": collection, "links": [],
        "geometry": {"type": "Polygon", "coordinates": [outline]},
        "properties": {"datetime": f"{day}T10:10:00Z", "platform": platform, "sat:orbit_state": "descending"},
        "assets": {kind: {"href": f"{base}{day}-{kind}.tif"} for kind in kinds},
    }  # fmt: skip


def _write(path: Path, pixels: np.ndarray, plan: Plan, pixel_m: float, nodata: float) -> None:
    west, north = plan.corner_m
    with rasterio.open(
        path, "w", driver="COG", width=pixels.shape[1], height=pixels.shape[0], count=1, dtype=pixels.dtype, nodata=nodata,
        crs=f"EPSG:{EPSG}", transform=Affine(pixel_m, 0, west, 0, -pixel_m, north), blocksize=TILE_PX, compress="DEFLATE",
        predictor="YES" if pixels.dtype.itemsize > 1 else "NO", overview_resampling="NEAREST", num_threads=2,
    ) as file:  # fmt: skip
        file.write(pixels, 1)


def _smooth(rng: np.random.Generator, side_px: int) -> np.ndarray:
    """A field of 0 to 1 with structures of 2 and of 16 cells of 32 px."""
    cells = side_px // 32 + 2
    coarse = zoom(rng.random((cells // 16 + 2,) * 2), 16, order=1)[:cells, :cells]
    field = zoom(coarse + 0.3 * rng.random((cells, cells)), 32, order=1)[:side_px, :side_px]
    return (field / 1.3).astype(np.float32)


def _reflectance(rng: np.random.Generator, side_px: int) -> np.ndarray:
    """Numbers of a band: packed they take three fifths of their bytes, as those of real bands do."""
    texture = rng.normal(0, 40, (side_px, side_px)).astype(np.float32)
    return (200 + 3000 * _smooth(rng, side_px) + texture).clip(1, 20_000).astype(np.uint16)


def _classes(rng: np.random.Generator, side_px: int) -> np.ndarray:
    ground = np.where(_smooth(rng, side_px) > 0.5, VEGETATION, BARE)
    return np.where(_smooth(rng, side_px) > CLOUDED, CLOUD, ground).astype(np.uint8)


def _power(rng: np.random.Generator, side_px: int) -> np.ndarray:
    """Backscatter with the speckle of four looks."""
    speckle = rng.standard_gamma(4, (side_px, side_px)).astype(np.float32) / 4
    return np.float32(0.2) * _smooth(rng, side_px) * speckle + np.float32(1e-4)
