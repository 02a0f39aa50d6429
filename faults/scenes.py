"""Made scenes over rows of small chips: their files, their STAC items, the sources that read them, and what a store then shows."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio
from affine import Affine

from terrashot.domain.grid import Chip, Grid
from terrashot.durable.files import sha256_of_file
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.harvest import Harvested, harvest
from terrashot.ingest.scene_file import Listed, SceneFile, write_listed
from terrashot.ingest.scene_source import Recipe, SceneSource
from terrashot.ingest.window import OpenPlane
from terrashot.raster.asset import Asset, open_asset
from terrashot.remote.profiles import Plane, Profile, profile_of
from terrashot.steps.progress import finish
from terrashot.store.chips import open_chip_store

SIDE_PX, PIXEL_M = 8, 10.0
OPTICAL, RADAR = profile_of("earth-search/sentinel-2-l2a"), profile_of("planetary-computer/sentinel-1-rtc")
CLEAR, CLOUD = 4, 9
"""Of the scene classification: plants; cloud."""
RADAR_NO_DATA = -32768.0
GRID = Grid(32629, SIDE_PX * PIXEL_M)
FIRST = GRID.chip_at(240_000, 2_700_000)
Item = dict[str, Any]


def chip_number(number: int) -> Chip:
    """One of a row of chips, with room for another between two of them, so that no outline touches two."""
    return GRID.chip(FIRST.row, FIRST.col + 2 * number)


def outline_over(chip: Chip) -> dict[str, object]:
    """A box in degrees inside the chip: a scene with this outline lies over it and over no other."""
    west, south, east, north = chip.bounds_m
    to_deg = pyproj.Transformer.from_crs(chip.epsg, 4326, always_xy=True)
    lon, lat = to_deg.transform((west + east) / 2, (south + north) / 2)
    near = 0.1 * chip.size_m / 111_320
    ring = [[lon - near, lat - near], [lon + near, lat - near], [lon + near, lat + near], [lon - near, lat + near]]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def write_tif(path: Path, pixels: np.ndarray, west: float, north: float, **form: object) -> None:
    """A GeoTIFF of one band in pixels of 10 m of the row's zone; `form` as rasterio takes it."""
    height, width = pixels.shape
    wanted = {"dtype": pixels.dtype.name, "crs": f"EPSG:{GRID.epsg}"} | form
    place = Affine(PIXEL_M, 0, west, 0, -PIXEL_M, north)
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, transform=place, **wanted
    ) as file:
        file.write(pixels, 1)


def item_of(name: str, outline: Mapping[str, object], files: Mapping[str, str], **properties: object) -> Item:
    """A STAC item of assets by key; properties with `__` for `:`, and without those that are None."""
    told = {key.replace("__", ":"): value for key, value in properties.items() if value is not None}
    assets = {key: {"href": href} for key, href in files.items()}
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "collection": "made", "geometry": dict(outline),
        "properties": told, "assets": assets,
    }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class OpenFiles:
    """An `OpenPlane` on this disk that opens each file once: thousands of chips of a few files. To be used in a `with`."""

    folder: Path
    held: ExitStack = field(default_factory=ExitStack)
    opened: dict[str, Asset] = field(default_factory=dict)

    @contextmanager
    def __call__(self, plane: Plane) -> Iterator[Asset]:
        if plane.href not in self.opened:
            self.opened[plane.href] = self.held.enter_context(open_asset(self.folder / plane.href))
        yield self.opened[plane.href]

    def __enter__(self) -> "OpenFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self.held.close()


def scene_file(path: Path, items: Sequence[Item], offsets: Mapping[str, Offset | str] | None = None) -> SceneFile:
    """The items as a search would have left them."""
    write_listed(path, Listed("a question", items, offsets=offsets or {}))
    return SceneFile(path, sha256_of_file(path))


def source_of(product: Profile, recipe: Recipe, scenes: SceneFile, opener: OpenPlane) -> SceneSource:
    """The source that makes chips of the row of them."""
    return SceneSource(product, recipe, scenes, SIDE_PX, opener)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One channel of one chip, as whoever reads the store finds it."""

    status: str
    reason: str | None
    n_acquisitions: int
    valid_fraction: float
    pixels: np.ndarray | None
    """None where nothing is stored."""


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """What a harvest left."""

    harvested: Harvested
    chips: Mapping[str, Mapping[str, Shown]]
    """By chip, its channels by name; of a chip of which nothing could be formed one without a name."""
    digest: str
    """Of every byte of its pixels and of what is told of them."""


def store_of(folder: Path, sources: Sequence[SceneSource], chip_ids: Sequence[str]) -> Store:
    """The chips as the sources show them, through a store in this folder."""
    harvested = finish(harvest(sources, chip_ids, folder, workers=1))
    chips: dict[str, dict[str, Shown]] = {chip_id: {} for chip_id in chip_ids}
    for chip_id, name, shown in _channels(folder):
        chips[chip_id][name] = shown
    return Store(harvested, chips, store_digest(folder))


def _channels(folder: Path) -> Iterator[tuple[str, str, Shown]]:
    store = open_chip_store(folder)
    told = store.presence()
    for row, (chip_id, modality, name) in enumerate(zip(told.chip_id, told.modality, told.channel, strict=True)):
        slot = int(told.slot[row])
        pixels = store.read(modality, [(chip_id, slot)])[0] if told.status[row] == "ok" else None
        numbers = int(told.n_acquisitions[row]), float(told.valid_fraction[row])
        yield chip_id, name or "", Shown(told.status[row], told.reason[row], *numbers, pixels)


def store_digest(folder: Path) -> str:
    """SHA-256 of all that a store promises: every file of pixels, and what is told of every channel."""
    found = hashlib.sha256()
    for path in sorted(path for path in (folder / "chips.zarr").rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)} {sha256_of_file(path)}\n".encode())
    told = open_chip_store(folder).presence()
    for name in told.__slots__:
        found.update(str(getattr(told, name).tolist()).encode())
    return found.hexdigest()


def over(item: Item, chip: Chip, name: str) -> Item:
    """A copy of the item under another name that lies over this chip alone."""
    return {**item, "id": name, "geometry": outline_over(chip)}
