"""The part of `terrashot import` that pools vectors of pixels to vectors of chips."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area
from terrashot.domain.tables import Chips, Embeddings
from terrashot.durable.parts import Parts, read_part
from terrashot.engine import cut
from terrashot.errors import InputError, UsageError
from terrashot.ingest.folder import read_chip_table
from terrashot.published import alphaearth, tessera
from terrashot.published.coverage import coverage
from terrashot.published.ground import grounds_of
from terrashot.published.pool_pixels import KINDS, MIN_VALID, VectorRaster, pool_ground, reaching, same_ground
from terrashot.raster.place import METRES_PER_DEGREE
from terrashot.raster.windows import TiffShelf
from terrashot.steps.progress import Progress, Said, Work
from terrashot.store.arrays import arrays_as_bytes, arrays_of_bytes
from terrashot.store.geoparquet import hilbert_order
from terrashot.store.manifest import digest_of
from terrashot.store.tables import read_chips

CHIP_M = 4480.0
"""The chip of a new study: 448 pixels of 10 m."""
MOST_CHIPS = 20_000_000
"""That our grid may have over the box around all rasters."""
CHIPS_A_PART = 64
"""Of 448 px and 64 numbers a pixel, in about 20 s: what a killed run does again."""


MAKERS: Mapping[str, Callable[[Path, TiffShelf], tuple[Sequence[VectorRaster], str]]] = {
    "alphaearth": alphaearth.find_tiles, "tessera": tessera.find_tiles,
}  # fmt: skip
"""How each maker's rasters are found, and the model that made them."""


@dataclass(frozen=True, slots=True)
class PoolRequest:
    """What is pooled to which chips."""

    kind: str
    source: Path
    chips: Path | None
    chip_m: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """The chips' vectors and how much of each chip they come from."""

    table: Embeddings
    valid_fraction: np.ndarray
    """(N,): share of the chip's ground with a vector."""
    n_files: int


def pool_files(request: PoolRequest, parts_of: Callable[[str], Parts]) -> Work[Pooled]:
    """Mean and spread over each chip, in the order of a Hilbert curve; no vector where under half of the chip has any.

    Args:
        parts_of: where finished parts are kept, by the digest of all that they are made from.

    Raises:
        InputError: the files are not the maker's, show the same ground twice, or meet no chip.
        IntegrityError: they are of several models.
    """
    with TiffShelf() as shelf:
        tiles, model = MAKERS[request.kind](request.source, shelf)
        _refuse_same_ground(tiles)
        chips = _chips(request, tiles)
        chips = chips.take(hilbert_order(chips))
        yield Said(f"{model}: {len(tiles)} rasters for {len(chips)} chips")
        parts = parts_of(digest_of([request.kind, MIN_VALID, list(chips.ids), *_fingerprints(request.source)]))
        vectors, share = yield from _pool(request, tiles, chips, parts)
    if np.isnan(vectors).all():
        raise InputError(
            f"{request.source}: no chip has {100 * MIN_VALID:.0f} % of its ground valid, the best of {len(chips)} "
            f"{100 * share.max():.0f} %; check that chips and rasters show the same place"
        )
    valid = {request.kind: share.astype(np.float32)}
    table = Embeddings(
        chips, {request.kind: vectors}, model=model, kinds={request.kind: KINDS}, valid_fraction=valid
    )  # fmt: skip
    return Pooled(table, share, len(tiles))


def _pool(
    request: PoolRequest, tiles: Sequence[VectorRaster], chips: Chips, parts: Parts
) -> Work[tuple[np.ndarray, np.ndarray]]:
    grounds = grounds_of(chips, str(request.chips or request.source))
    numbers = reaching(grounds, [tile.place for tile in tiles])
    pixel_m, dimensions = min(tile.place.pixel_m for tile in tiles), tiles[0].dimensions
    made = []
    for number, rows in enumerate(cut(range(len(chips)), CHIPS_A_PART)):
        arrays = read_part(parts, f"pool-{number}", arrays_of_bytes)
        if arrays is None:
            pooled = []
            for row in rows:
                found = [tiles[tile] for tile in numbers[row]]
                pooled.append(pool_ground(grounds[row], found, pixel_m, dimensions))
                yield Progress("pool", row + 1, len(chips))
            arrays = [np.stack([mean for mean, _ in pooled]), np.array([share for _, share in pooled])]
            parts.put(f"pool-{number}", arrays_as_bytes(arrays))
        else:
            yield Progress("pool", rows[-1] + 1, len(chips))
        made.append(arrays)
    return np.concatenate([vectors for vectors, _ in made]), np.concatenate([share for _, share in made])


def _chips(request: PoolRequest, tiles: Sequence[VectorRaster]) -> Chips:
    """The chips of a table, or of our own grid over the rasters."""
    if request.chips is not None:
        found = read_chip_table(request.chips) if request.chips.suffix == ".csv" else read_chips(request.chips)
        if not len(found):
            raise InputError(f"{request.chips}: holds no chip")
        return found
    chip_m = request.chip_m or CHIP_M
    outline = coverage([tile.place for tile in tiles])
    west, south, east, north = outline.bounds
    box_m2 = (east - west) * np.cos(np.radians((south + north) / 2)) * (north - south) * METRES_PER_DEGREE**2
    if chip_m > 0 and box_m2 / chip_m**2 > MOST_CHIPS:
        raise UsageError(
            f"--chip-m {chip_m:g}: {box_m2 / chip_m**2:.3g} chips in the box around the rasters, more than {MOST_CHIPS:.3g}; "
            "take larger chips, fewer rasters, or name chips with --chips"
        )
    chips, _ = chips_of_areas([Area("all", outline)], chip_m)
    return chips


def _refuse_same_ground(tiles: Sequence[VectorRaster]) -> None:
    pair = same_ground([tile.place for tile in tiles])
    if pair is not None:
        one, other = (tiles[number].path for number in pair)
        raise InputError(f"{one} and {other} show the same ground, of two years or versions; import one at a time")


def _fingerprints(source: Path) -> list[str]:
    """Name, size and time of every file, by which a changed one is noticed; their bytes would take hours to read."""
    paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    return [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths]
