"""One made scene over many chips side by side, and the source that makes chips of it."""

import math
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from faults.scenes import CLEAR, OPTICAL, Item, item_of, scene_file
from terrashot.domain.cells import cells_of, footprints
from terrashot.domain.grid import Grid
from terrashot.durable.files import sha256_of_file
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.near_files import NearFiles
from terrashot.ingest.scene_file import SceneFile
from terrashot.ingest.scene_source import Recipe, SceneSource

SIDE_PX, PIXEL_M, KINDS = 128, 10.0, ("red", "green", "blue")
SCENES = "scenes.json"
GRID = Grid(32629, SIDE_PX * PIXEL_M)
FIRST = GRID.chip_at(300_000, 2_700_000)


def wide_chips(n_chips: int) -> list[str]:
    """Ids of so many chips, in a square as far as it goes."""
    across = math.isqrt(n_chips - 1) + 1
    return [GRID.chip(FIRST.row + n // across, FIRST.col + n % across).id for n in range(n_chips)]


def write_wide_scene(folder: Path, n_chips: int) -> None:
    """The folder holds three bands of seeded noise and a clear sky over the chips, and a file of the one scene."""
    side_px = (math.isqrt(n_chips - 1) + 1) * SIDE_PX
    rng = np.random.default_rng(0)
    for name in KINDS:
        tile = rng.integers(200, 4000, (256, 256), dtype=np.uint16)
        _write(folder / f"{name}.tif", np.tile(tile, (-(-side_px // 256),) * 2)[:side_px, :side_px], 1)
    _write(folder / "scl.tif", np.full((side_px // 2, side_px // 2), CLEAR, np.uint8), 2)
    scene_file(folder / SCENES, [_item(n_chips)], {"wide": Offset(0, True, "made")})


def wide_source(folder: Path) -> SceneSource:
    """The source of one month that reads what was written there."""
    scenes = SceneFile(folder / SCENES, sha256_of_file(folder / SCENES))
    return SceneSource(OPTICAL, Recipe(("2020-02",), KINDS), scenes, SIDE_PX, NearFiles(folder))


def _write(path: Path, pixels: np.ndarray, times: int) -> None:
    west, _, _, north = FIRST.bounds_m
    place = Affine(PIXEL_M * times, 0, west, 0, -PIXEL_M * times, north)
    form = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1, "nodata": 0}
    height, width = pixels.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype=pixels.dtype.name, crs=f"EPSG:{GRID.epsg}",
        transform=place, **form,
    ) as file:  # fmt: skip
        file.write(pixels, 1)


def _item(n_chips: int) -> Item:
    across = math.isqrt(n_chips - 1)
    corners = [GRID.chip(FIRST.row + down, FIRST.col + right) for down in (0, across) for right in (0, across)]
    west, south, east, north = zip(*(shape.bounds for shape in footprints(cells_of(corners))), strict=True)
    ring = [[min(west), min(south)], [max(east), min(south)], [max(east), max(north)], [min(west), max(north)]]
    outline = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    files = {name: f"{name}.tif" for name in (*KINDS, "scl")}
    return item_of("wide", outline, files, datetime="2020-02-10T11:00:00Z", platform="sentinel-2a")
