"""The windows that a harvest needs, read by rasterio in the plainest way: each file opened once, nothing done with the pixels."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import rasterio
from made_scenes import CHIP_PX, MASK, PIXEL_M, Plan

from terrashot.raster.geotiff import CACHE_BYTES
from terrashot.raster.onto_chip import chip_place
from terrashot.raster.place import RasterPlace
from terrashot.raster.window_needed import window_needed

SENSIBLE: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif", "VSI_CACHE": "TRUE",
    "GDAL_HTTP_MULTIPLEX": "YES", "GDAL_NUM_THREADS": "1", "GDAL_CACHEMAX": CACHE_BYTES,
}  # fmt: skip
"""What GDAL's documentation advises for cloud-optimised files; the cache of blocks is as large as ours."""
Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One chip's windows, by file; the files of one delivery together."""

    deliveries: tuple[tuple[tuple[str, Window], ...], ...]

    @property
    def pixels(self) -> int:
        """Of all of them."""
        windows = (window for delivery in self.deliveries for _, window in delivery)
        return sum((rows.stop - rows.start) * (cols.stop - cols.start) for rows, cols in windows)


def wanted(plan: Plan, items: Sequence[dict[str, Any]]) -> list[Wanted]:
    """By chip; all are read from the files themselves, whose pixels are those of the chips."""
    west, north = plan.corner_m
    found = []
    for chip in plan.chips:
        windows = {}
        for pixel_m in (PIXEL_M, 2 * PIXEL_M):
            side_px = round(plan.side_px * PIXEL_M / pixel_m)
            scene = RasterPlace(f"EPSG:{chip.epsg}", (pixel_m, 0, west, 0, -pixel_m, north), side_px, side_px)
            windows[pixel_m] = window_needed(scene, chip_place(chip, CHIP_PX))
        found.append(Wanted(tuple(_delivery(item, windows[PIXEL_M], windows[2 * PIXEL_M]) for item in items)))
    return found


def _delivery(item: dict[str, Any], band: Window | None, mask: Window | None) -> tuple[tuple[str, Window], ...]:
    assert band is not None and mask is not None, "the scenes reach beyond all chips"
    return tuple((asset["href"], mask if kind == MASK else band) for kind, asset in item["assets"].items())


@dataclass(slots=True)
class Open:
    """Datasets that stay open; a delivery's are never read by two threads at once, as chips are read one after the other."""

    prefix: str
    closed_with: ExitStack
    datasets: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, delivery: Sequence[tuple[str, Window]]) -> None:
        with rasterio.Env(**SENSIBLE):
            for name, (rows, cols) in delivery:
                self._dataset(name).read(1, window=((rows.start, rows.stop), (cols.start, cols.stop)))

    def _dataset(self, name: str) -> Any:
        if name not in self.datasets:
            opened = rasterio.open(self.prefix + name)
            with self.lock:
                self.datasets[name] = self.closed_with.enter_context(opened)
        return self.datasets[name]


def read_all(chips: Sequence[Wanted], prefix: str, threads: int) -> None:
    """Nothing, after every window of every chip was read.

    Args:
        prefix: `/vsicurl/` for addresses, or the folder of paths.
    """
    with ExitStack() as stack, ThreadPoolExecutor(threads) as pool:
        files = Open(prefix, stack)
        for chip in chips:
            list(pool.map(files.read, chip.deliveries))
