"""Targets of chips from one reference map: piece by piece, each part of a tile read once.

N: chips. n: chips of a piece. T: targets.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyproj
import shapely
from jaxtyping import Float64, Int64

from terrashot.engine import as_finished, ordered_map
from terrashot.errors import InputError
from terrashot.labels.cell_spans import spans_of
from terrashot.labels.chip_outlines import Ground, outlines_deg, outlines_on, polygons_of
from terrashot.labels.map_regions import Region, inverse_of, regions_of
from terrashot.labels.map_tiles import MapTile, OpenTile, meetings_of
from terrashot.labels.map_values import Taken, cell_of, weighted
from terrashot.labels.shapes import Shapes, shapes_of_polygons
from terrashot.raster.asset import Asset, AssetHeader
from terrashot.raster.met_blocks import Block
from terrashot.raster.place import RasterPlace, is_geographic
from terrashot.remote.ranges import AbsentFileError

ROUNDING = 1e-9
"""Of a share; a chip that is wholly known has 1 +- 1e-12."""
SAME_PLACE_PX = 0.5


@dataclass(frozen=True, slots=True)
class ReferenceMap:
    """A map, and what is taken of it. Picklable."""

    name: str
    """For messages."""
    tiles: tuple[MapTile, ...]
    """By name: of ground that several show, the first one counts."""
    open_tile: OpenTile
    band: int
    taken: Taken


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """What a map says of chips."""

    valid: Float64[np.ndarray, " N"]
    """Share of each chip's ground of which the map knows something."""
    means: Float64[np.ndarray, "N T"]
    """Share of classes, or mean, over that part; NaN where there is none."""
    absent_tiles: tuple[str, ...] = ()
    """Names of tiles that their maker does not have."""

    def labels(self, least_valid: float, target: int) -> Float64[np.ndarray, " N"]:
        """The target's values; NaN where the map knows less of a chip than that share."""
        return np.where(self.valid >= least_valid - ROUNDING, self.means[:, target], np.nan)


@dataclass(frozen=True, slots=True)
class MapRead:
    """So many pieces of a map are done."""

    done: int
    total: int
    chips: int
    """Met in them, wholly or in part."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What one piece says: shares of the whole chip, and target sums over them."""

    chips: Int64[np.ndarray, " n"]
    sums: Float64[np.ndarray, "n K"]
    """Valid, then one a target."""
    absent: str | None = None


def shares_of(
    source: ReferenceMap, ground: Ground, *, workers: int, is_far: bool, readers: int = 1
) -> Generator[MapRead, None, Shares]:
    """What the map says of the chips, the same whatever the number of workers.

    Args:
        is_far: pieces are waited for by so many threads at once (`readers`), not read by processes (`workers`).

    Raises:
        InputError: a tile cannot be read, is of another map, or the map lies over no chip.
        NetworkError: a tile cannot be fetched; what came is kept where `open_tile` keeps it.
    """
    met = meetings_of(ground, source.tiles)
    regions = regions_of(ground, source.tiles, met)
    sums = np.zeros((len(ground), 1 + len(source.taken.targets)))
    absent, parts, is_met = dict[str, None](), dict[int, _Part](), np.zeros(len(ground), bool)
    for done, (number, part) in enumerate(_read_all(source, regions, workers, readers if is_far else 0), start=1):
        parts[number], is_met[part.chips] = part, True
        yield MapRead(done, len(regions), int(np.count_nonzero(is_met)))
    for number in sorted(parts):  # sums of a chip on several tiles come in one order
        np.add.at(sums, parts[number].chips, parts[number].sums)
        if (name := parts[number].absent) is not None:
            absent[name] = None
    if len(ground) and not sums[:, 0].any():
        raise InputError(_nowhere(source, absent))
    valid = np.clip(sums[:, 0], 0, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(sums[:, :1] > ROUNDING, sums[:, 1:] / sums[:, :1], np.nan)
    return Shares(valid, means, tuple(absent))


def _read_all(
    source: ReferenceMap, regions: Sequence[Region], workers: int, readers: int
) -> Iterable[tuple[int, _Part]]:
    read = partial(read_region, source)
    if readers:
        return as_finished(read, regions, readers)
    return enumerate(ordered_map(read, regions, workers if len(regions) > 64 else 1, chunk=4))


def _nowhere(source: ReferenceMap, absent: Mapping[str, None]) -> str:
    told = f"{len(source.tiles)} tiles" if len(source.tiles) != 1 else source.tiles[0].name
    why = f"; {len(absent)} tiles are not there, such as {next(iter(absent))}" if absent else ""
    return f"{source.name}: knows nothing of any chip ({told}{why}); is it of another place, or its coordinate system wrong?"


def read_region(source: ReferenceMap, region: Region) -> _Part:
    """What one piece of a tile says of its chips."""
    try:
        with source.open_tile(region.tile.plane) as asset:
            _refuse_other_place(asset.header(), region.tile)
            return _read(source, region, asset)
    except AbsentFileError:
        if not region.tile.may_be_absent:
            raise
        return _Part(region.chips, np.zeros((len(region.chips), 1 + len(source.taken.targets))), region.tile.name)


def _read(source: ReferenceMap, region: Region, asset: Asset) -> _Part:
    header, piece = asset.header(), (region.rows, region.cols)
    outlines = outlines_on(region.tile.place.crs, outlines_deg(region.ground))
    spans = spans_of(
        _moved(_uncovered(outlines, region), region, header.place), *(part.stop - part.start for part in piece)
    )
    row, col = region.rows.start, region.cols.start
    blocks = (
        Block(block.row - row, block.col - col, block.pixels)
        for block in asset.blocks(spans.boxes + np.array([row, row, col, col]), piece, source.band)
    )
    cell = cell_of(source.taken, header, source.band, _cell_area_m2(header.place))
    found = weighted(blocks, spans, source.taken, cell)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = found * (_cell_area(header.place) / outlines.areas)[:, None]
    return _Part(region.chips, np.where(np.isfinite(sums), sums, 0.0))


def _moved(outlines: Shapes, region: Region, place: RasterPlace) -> Shapes:
    """In columns and rows of the piece."""
    a, b, c, d, e, f = inverse_of(place)
    c, f = c - region.cols.start, f - region.rows.start
    return outlines.moved((a, b, c + a * region.turn_deg, d, e, f + d * region.turn_deg))


def _uncovered(outlines: Shapes, region: Region) -> Shapes:
    """What no earlier tile shows of the chips."""
    if not any(hidden is not None for hidden in region.hidden):
        return outlines
    shapes = polygons_of(outlines)
    for chip, hidden in enumerate(region.hidden):
        if hidden is not None:
            own = shapely.transform(hidden, lambda points: points - np.array([region.turn_deg, 0]))
            shapes[chip] = shapely.difference(shapes[chip], own)
    return shapes_of_polygons(shapes)


def _cell_area(place: RasterPlace) -> float:
    a, b, _, d, e, _ = place.affine
    return abs(a * e - b * d)


def _cell_area_m2(place: RasterPlace) -> float | None:
    if is_geographic(place.crs):
        return None
    x, y = (axis.unit_conversion_factor for axis in pyproj.CRS(place.crs).axis_info[:2])
    return float(_cell_area(place) * x * y)


def _refuse_other_place(header: AssetHeader, tile: MapTile) -> None:
    """Before a pixel is read: a catalogue, or the name of a tile, may say what is not so."""
    own, told = header.place, tile.place
    corners = np.array([own.bounds, told.bounds])
    is_near = np.abs(corners[0] - corners[1]).max() <= SAME_PLACE_PX * header.pixel
    if (own.width_px, own.height_px) != (told.width_px, told.height_px) or not is_near:
        raise InputError(
            f"{header.name}: lies at {own.bounds} with {own.width_px} x {own.height_px} px, not where {tile.name} is said to lie, "
            f"{told.bounds} with {told.width_px} x {told.height_px} px; fetch it again"
        )
