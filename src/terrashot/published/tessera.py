"""TESSERA: tiles of 0.1 degree in their UTM zone, a vector a pixel of 10 m, as published or as exported by its own tool.

Two forms are read. As published: `grid_<lon>_<lat>.npy`, signed bytes (height, width, dimensions); beside it
`grid_<lon>_<lat>_scales.npy`, float32 (height, width) or (height, width, dimensions), value = byte * scale; and somewhere
below the same folder the landmask `grid_<lon>_<lat>.tiff`, which alone says where the tile lies. A scale that is not finite,
and a landmask of 0 (water), are no data. As exported: GeoTIFFs of floating-point numbers.
Neighbouring tiles overlap by some pixels, and a version's numbers mean nothing beside another's.

Source: ucam-eo/geotessera, README.md (files, quantisation), geotessera/core.py (`dequantize_embedding`, band names and tags
of exports), geotessera/tiles.py (names), geotessera/registry.py (`tessera_metadata.json`), geotessera/zarr.py (what no
data is: scales and landmask); Feng et al. 2025, arXiv:2506.20380.

n: pixels looked up at once.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from terrashot.errors import InputError, IntegrityError, one_line
from terrashot.published.raster_rows import TIFF_ENDINGS, Numbers, blank_where_absent, window_around
from terrashot.published.source_files import files_below, one_maker
from terrashot.raster.npy import map_npy
from terrashot.raster.picture import as_float32
from terrashot.raster.place import RasterPlace
from terrashot.raster.read import DAMAGE
from terrashot.raster.windows import TiffHeader, TiffShelf, read_tiff_header

LANDMASK = re.compile(r"grid_-?\d+\.\d+_-?\d+\.\d+")
SCALES, SIDECAR = "_scales", "tessera_metadata.json"
BAND = "Tessera_Band_"
UNNAMED_BANDS = 128
MAX_DIMENSIONS = 1024
MAX_SIDECAR_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PublishedTile:
    """Bytes, scales and landmask, each looked at when asked for, so that thousands of tiles hold no file open."""

    path: Path
    scales: Path
    landmask: TiffHeader
    dimensions: int
    shelf: TiffShelf

    @property
    def place(self) -> RasterPlace:
        return self.landmask.place

    def vectors(self, rows: Numbers, cols: Numbers) -> Float32[np.ndarray, "n D"]:
        """byte * scale; NaN on water and where nothing was made."""
        down, across = window_around(rows, cols)
        is_land = (
            self.shelf.read(self.landmask.path, down, across, (1,))[0][rows - down.start, cols - across.start] != 0
        )
        scales = as_float32(np.asarray(_mapped(self.scales)[rows, cols])).reshape(len(rows), -1)
        with np.errstate(over="ignore"):  # infinite then, and no data
            found = np.asarray(_mapped(self.path)[rows, cols], dtype=np.float32) * scales
        return blank_where_absent(found, ~is_land)


@dataclass(frozen=True, slots=True)
class ExportedTile:
    """A GeoTIFF of floating-point numbers, read in windows."""

    header: TiffHeader
    shelf: TiffShelf

    @property
    def path(self) -> Path:
        return self.header.path

    @property
    def place(self) -> RasterPlace:
        return self.header.place

    @property
    def dimensions(self) -> int:
        return self.header.bands

    def vectors(self, rows: Numbers, cols: Numbers) -> Float32[np.ndarray, "n D"]:
        """The numbers as they are; NaN where one is no data, or all are zero."""
        down, across = window_around(rows, cols)
        window = self.shelf.read(self.path, down, across, tuple(range(1, self.dimensions + 1)))
        stored = window[:, rows - down.start, cols - across.start].T
        absent = None if self.header.nodata is None else (stored == self.header.nodata).any(axis=1)
        return blank_where_absent(as_float32(stored), absent)


Tile = PublishedTile | ExportedTile


def find_tiles(source: Path, shelf: TiffShelf) -> tuple[list[Tile], str]:
    """The tiles of a folder, or of one exported file, and the model.

    The model is `tessera/VERSION-VARIANT` as tags of exports or `tessera_metadata.json` tell it, `tessera` if nothing does.

    Raises:
        InputError: none there, or one that lacks its scales or its landmask, or is not of this maker; names it.
        IntegrityError: tiles of several versions, or of different numbers of dimensions.
        MissingExtraError: rasterio is not installed.
    """
    files = files_below(source, (*TIFF_ENDINGS, ".npy"))
    landmasks = _landmasks(files)
    tiles: list[Tile] = []
    for path in files:
        if path.suffix.lower() == ".npy":
            tiles += [] if path.stem.endswith(SCALES) else [_published(path, landmasks, shelf)]
        elif not LANDMASK.fullmatch(path.stem):
            tiles.append(_exported(path, shelf))
    if not tiles:
        raise InputError(f"{source}: {len(files)} landmasks and scales, no tile of vectors; put grid_*.npy beside them")
    version = one_maker("tessera", [*_told_beside(source), *_told_by_tags(tiles)])
    _refuse_other_lengths(tiles)
    return tiles, "tessera" if version is None else f"tessera/{version}"


def _landmasks(files: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        if path.suffix.lower() not in TIFF_ENDINGS or not LANDMASK.fullmatch(path.stem):
            continue
        if path.stem in found:
            raise InputError(
                f"{path}: a second landmask of this tile, the other is {found[path.stem]}; landmasks differ between versions: "
                "keep one"
            )
        found[path.stem] = path
    return found


def _published(path: Path, landmasks: Mapping[str, Path], shelf: TiffShelf) -> PublishedTile:
    beside = path.with_name(f"{path.stem}{SCALES}.npy")
    if not beside.is_file():
        raise InputError(f"{path}: no {beside.name} beside it, without which its bytes say nothing; download it too")
    if path.stem not in landmasks:
        raise InputError(
            f"{path}: no landmask {path.stem}.tiff in the folder or below, so the tile has no place; download it too"
        )
    stored, scales = _mapped(path), _mapped(beside)
    if stored.dtype != np.int8 or stored.ndim != 3 or not 1 <= stored.shape[2] <= MAX_DIMENSIONS:
        raise InputError(
            f"{path}: {stored.dtype} of shape {stored.shape}; published tiles are int8 (height, width, 128)"
        )
    if scales.dtype.kind != "f" or scales.shape not in (stored.shape, stored.shape[:2]):
        raise InputError(
            f"{beside}: {scales.dtype} of shape {scales.shape}; scales of {path.name} are float32 {stored.shape[:2]}"
        )
    landmask = read_tiff_header(landmasks[path.stem])
    if (landmask.place.height_px, landmask.place.width_px) != stored.shape[:2]:
        raise InputError(
            f"{path}: {stored.shape[1]} x {stored.shape[0]} px, its landmask {landmask.path} has "
            f"{landmask.place.width_px} x {landmask.place.height_px}; take both from one version"
        )
    return PublishedTile(path, beside, landmask, int(stored.shape[2]), shelf)


def _mapped(path: Path) -> np.ndarray:
    try:
        return map_npy(path)
    except DAMAGE as error:
        if isinstance(error, InputError):
            raise
        reason = one_line(error) or type(error).__name__
        raise InputError(f"{path}: cannot be read as .npy: {reason}; copy it again") from None


def _exported(path: Path, shelf: TiffShelf) -> ExportedTile:
    header = read_tiff_header(path)
    if header.dtype not in ("float32", "float64"):
        raise InputError(f"{path}: {header.dtype}; exported tiles are float32, published ones .npy with scales")
    if any(header.names):
        wanted = tuple(f"{BAND}{number}" for number in range(header.bands))
        if header.names != wanted:
            odd = next(name for name, right in zip(header.names, wanted, strict=True) if name != right)
            raise InputError(
                f"{path}: band '{odd}' where {BAND}0, {BAND}1, ... should follow; export all bands in order"
            )
    elif header.bands != UNNAMED_BANDS:
        raise InputError(f"{path}: {header.bands} bands without names; TESSERA has {UNNAMED_BANDS}")
    return ExportedTile(header, shelf)


def _refuse_other_lengths(tiles: Sequence[Tile]) -> None:
    other = next((tile for tile in tiles if tile.dimensions != tiles[0].dimensions), None)
    if other is not None:
        raise IntegrityError(
            f"{other.path}: {other.dimensions} dimensions, {tiles[0].path} has {tiles[0].dimensions}; import each version "
            "or depth alone"
        )


def _told_beside(source: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(source.rglob(SIDECAR)) if source.is_dir() else []:
        try:
            if path.stat().st_size > MAX_SIDECAR_BYTES:
                raise ValueError("too large")
            told = json.loads(path.read_text("utf-8"))
            name = _version(str(told["dataset_version"]), str(told.get("dataset_variant") or ""))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
            raise InputError(
                f"{path}: tells no dataset_version ({one_line(error, 60)}); download it again or delete it"
            ) from None
        yield path, name


def _told_by_tags(tiles: Iterable[Tile]) -> Iterator[tuple[Path, str]]:
    for tile in tiles:
        tags = tile.header.tags if isinstance(tile, ExportedTile) else {}
        if "TESSERA_DATASET_VERSION" in tags:
            yield tile.path, _version(tags["TESSERA_DATASET_VERSION"], tags.get("TESSERA_DATASET_VARIANT", ""))


def _version(version: str, variant: str) -> str:
    """`1.1-cambridge`; of the 1.0 line, which has one variant and was once called `v1`, `1.0`."""
    number = version.removeprefix("v")
    number = number if "." in number else f"{number}.0"
    return number if number == "1.0" or not variant else f"{number}-{variant}"
