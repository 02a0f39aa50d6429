"""Which chips are read together: a tile is gone through piece by piece, so that no block of it is fetched or unpacked twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64, Int64

from terrashot.labels.chip_outlines import Ground, take
from terrashot.labels.map_tiles import MapTile, Meetings, hidden_from
from terrashot.raster.place import RasterPlace

SIDE_PX = 3072
"""Of a piece of a tile: whole blocks of most files, and few enough chips for what lies on them to be held."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A piece of a tile, and the chips that are looked at in it."""

    tile: MapTile
    rows: slice
    cols: slice
    chips: Int64[np.ndarray, " n"]
    """Their numbers in the whole table."""
    ground: Ground
    """Where they lie."""
    turn_deg: float
    hidden: tuple[shapely.Geometry | None, ...]
    """By chip, what an earlier tile shows of it, in the tile's axes; or None."""


def regions_of(ground: Ground, tiles: Sequence[MapTile], met: Meetings) -> list[Region]:
    """All pieces with a chip, in the order of tiles and of the blocks in them; of a chip on several each has a part."""
    pairs, pieces = _pieces(_windows(tiles, met))
    keys = np.column_stack([met.tile[pairs], met.turn_deg[pairs], pieces])
    order = np.lexsort((met.chip[pairs], *keys.T[::-1]))
    edges = np.flatnonzero(np.any(np.diff(keys[order], axis=0) != 0, axis=1)) + 1
    hidden = _Hidden(tiles, met)
    return [
        _region(ground, tiles, met, pieces[together[0]].tolist(), pairs[together], hidden)
        for together in np.split(order, edges)
        if len(together)
    ]


def _pieces(windows: Int64[np.ndarray, "P 4"]) -> tuple[Int64[np.ndarray, " _"], Int64[np.ndarray, "_ 2"]]:
    """Of each window the pieces that it meets, and which window that is."""
    firsts, ends = windows[:, ::2] // SIDE_PX, -(-windows[:, 1::2] // SIDE_PX)
    is_inside = (windows[:, 0] < windows[:, 1]) & (windows[:, 2] < windows[:, 3])
    down, across = ((ends - firsts) * is_inside[:, None]).T
    pairs = np.repeat(np.arange(len(windows)), down * across)
    within = np.arange(len(pairs)) - np.repeat(np.cumsum(down * across) - down * across, down * across)
    return pairs, firsts[pairs] + np.column_stack(np.divmod(within, across[pairs]))


def _region(
    ground: Ground, tiles: Sequence[MapTile], met: Meetings, piece: Sequence[int], pairs: np.ndarray, hidden: "_Hidden"
) -> Region:
    chips, first = met.chip[pairs], pairs[0]
    tile = tiles[met.tile[first]]
    sides = tile.place.height_px, tile.place.width_px
    rows, cols = (slice(at * SIDE_PX, min((at + 1) * SIDE_PX, side)) for at, side in zip(piece, sides, strict=True))
    turn_deg = float(met.turn_deg[first])
    return Region(tile, rows, cols, chips, take(ground, chips), turn_deg, tuple(map(hidden.of, pairs.tolist())))


def _windows(tiles: Sequence[MapTile], met: Meetings) -> Int64[np.ndarray, "P 4"]:
    """First row, row after the last, first column, column after the last, that hold each pair's box; cut at the tile's ends."""
    windows = np.zeros((len(met.chip), 4), np.int64)
    for number in np.unique(met.tile):
        pairs, place = met.tile == number, tiles[number].place
        cols, rows = _pixels(place, met.boxes[pairs])
        for at, along, most in ((0, rows, place.height_px), (2, cols, place.width_px)):
            windows[pairs, at] = np.clip(np.floor(along.min(axis=0)), 0, most)
            windows[pairs, at + 1] = np.clip(np.ceil(along.max(axis=0)), 0, most)
    return windows


def _pixels(place: RasterPlace, boxes: Float64[np.ndarray, "P 4"]) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the four corners of each box: (4, P)."""
    a, b, c, d, e, f = inverse_of(place)
    x, y = boxes[:, [0, 2, 2, 0]].T, boxes[:, [1, 1, 3, 3]].T
    return a * x + b * y + c, d * x + e * y + f


def inverse_of(place: RasterPlace) -> tuple[float, float, float, float, float, float]:
    """From a raster's axes to its columns and rows."""
    a, b, c, d, e, f = place.affine
    size = a * e - b * d
    return e / size, -b / size, (b * f - c * e) / size, -d / size, a / size, (c * d - a * f) / size


class _Hidden:
    """What of a chip earlier tiles show; worked out once for each two tiles."""

    def __init__(self, tiles: Sequence[MapTile], met: Meetings) -> None:
        self._tiles, self._met = tiles, met
        self._known: dict[tuple[int, float, int, float], shapely.Geometry] = {}
        self._order = np.argsort(met.chip, kind="stable")
        """Pairs by chip, in each by tile."""
        self._starts = np.searchsorted(met.chip[self._order], np.arange(met.chip.max(initial=-1) + 2))

    def of(self, pair: int) -> shapely.Geometry | None:
        """In the axes of the pair's tile; None where no earlier tile meets the chip."""
        chip = self._met.chip[pair]
        own = self._order[self._starts[chip] : self._starts[chip + 1]]
        if len(own) == 1 or own[0] == pair:
            return None
        key = int(self._met.tile[pair]), float(self._met.turn_deg[pair])
        earlier = {(int(self._met.tile[o]), float(self._met.turn_deg[o])) for o in own if self._met.tile[o] < key[0]}
        shapes = [shape for one in sorted(earlier) if not (shape := self._between(*key, *one)).is_empty]
        return shapely.union_all(shapes) if shapes else None

    def _between(self, tile: int, turn: float, earlier: int, earlier_turn: float) -> shapely.Geometry:
        key = tile, turn, earlier, earlier_turn
        if key not in self._known:
            self._known[key] = hidden_from(self._tiles[tile], turn, self._tiles[earlier], earlier_turn)
        return self._known[key]
