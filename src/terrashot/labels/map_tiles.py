"""The tiles of a map, and which chips meet which of them.

N: chips. T: tiles. P: pairs of a chip and a tile that may meet.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64, Int64

from terrashot.labels.chip_outlines import Ground, boxes_of, outlines_deg, outlines_on, take, way_round
from terrashot.raster.asset import Asset
from terrashot.raster.place import RasterPlace, between, is_geographic, is_same_crs
from terrashot.remote.profiles import Plane

OpenTile = Callable[[Plane], AbstractContextManager[Asset]]
"""Opens the file of a tile, near or far."""

WIDER = 0.01
"""Of a box around a chip's corners, by which its bent sides stay inside for chips of up to 100 km."""
AT_ONCE = 1 << 16
"""Chips whose boxes are worked out together."""
WAYS_ROUND_DEG = (-360.0, 0.0, 360.0)
POINTS_A_SIDE = 64
TOUCHING = 1e-6
"""Of a tile's side: tiles that overlap by less lie side by side, and their numbers were rounded."""


@dataclass(frozen=True, slots=True)
class MapTile:
    """One file of a map."""

    name: str
    """By which tiles are ordered: where several show the same ground, the first counts."""
    plane: Plane
    place: RasterPlace
    may_be_absent: bool = False
    """Where there is no such file, its ground is not known: makers leave out tiles of open sea."""


@dataclass(frozen=True, slots=True, eq=False)
class Meetings:
    """Pairs of chips and tiles, by tile and then by chip."""

    chip: Int64[np.ndarray, " P"]
    tile: Int64[np.ndarray, " P"]
    turn_deg: Float64[np.ndarray, " P"]
    """Added to the chip's longitudes so that they are those of the tile."""
    boxes: Float64[np.ndarray, "P 4"]
    """Around the chip, in the tile's axes: least x and y, greatest x and y."""


def meetings_of(ground: Ground, tiles: Sequence[MapTile]) -> Meetings:
    """All pairs of a chip and a tile whose boxes overlap."""
    found = [
        _meetings_from(start, take(ground, np.arange(start, min(start + AT_ONCE, len(ground)))), tiles)
        for start in range(0, len(ground), AT_ONCE)
    ]
    chip, tile, turn, boxes = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((turn, chip, tile))
    return Meetings(chip[order], tile[order], turn[order], boxes[order])


def _meetings_from(start: int, ground: Ground, tiles: Sequence[MapTile]) -> tuple[np.ndarray, ...]:
    corners = outlines_deg(ground, points_a_side=1)
    chips, numbers, turns, boxes = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)], [np.empty((0, 4))]
    for crs in dict.fromkeys(tile.place.crs for tile in tiles):
        own = np.array([number for number, tile in enumerate(tiles) if tile.place.crs == crs])
        tree = shapely.STRtree(shapely.box(*np.array([tiles[number].place.bounds for number in own]).T))
        around = _wider(boxes_of(outlines_on(crs, corners)))
        for turn in WAYS_ROUND_DEG if is_geographic(crs) else (0.0,):
            turned = around + np.array([turn, 0, turn, 0])
            chip, which = tree.query(_boxes(turned), predicate="intersects")
            chips.append(chip + start)
            numbers.append(own[which])
            turns.append(np.full(len(chip), turn))
            boxes.append(turned[chip])
    return tuple(np.concatenate(each) for each in (chips, numbers, turns, boxes))


def _wider(boxes: Float64[np.ndarray, "N 4"]) -> Float64[np.ndarray, "N 4"]:
    margin = WIDER * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return boxes + margin * np.array([-1, -1, 1, 1])


def _boxes(boxes: Float64[np.ndarray, "N 4"]) -> np.ndarray:
    """As shapely polygons; None where there is none."""
    has = np.isfinite(boxes).all(axis=1)
    found = np.empty(len(boxes), dtype=object)
    found[has] = shapely.box(*boxes[has].T)
    return found


def hidden_from(tile: MapTile, turn_deg: float, earlier: MapTile, earlier_turn_deg: float) -> shapely.Geometry:
    """The ground in `tile`'s axes that an earlier tile shows already; empty where the two lie side by side."""
    outline = _outline_in(tile.place.crs, earlier.place)
    if outline is None:
        return shapely.Polygon()
    outline = shapely.transform(outline, lambda points: points + np.array([turn_deg - earlier_turn_deg, 0]))
    own = _outline_in(tile.place.crs, tile.place)
    assert own is not None, "a raster has a place in its own axes"
    overlap = shapely.intersection(own, outline)
    narrowest = TOUCHING * min(own.bounds[2] - own.bounds[0], own.bounds[3] - own.bounds[1])
    return shapely.Polygon() if shapely.buffer(overlap, -narrowest).is_empty else outline


def _outline_in(crs: str, place: RasterPlace) -> shapely.Polygon | None:
    """A raster's edge in other axes; None where that has no place there."""
    a, b, c, d, e, f = place.affine
    across, down = way_round(1 if is_same_crs(crs, place.crs) else POINTS_A_SIDE)
    col, row = across * place.width_px, down * place.height_px
    x, y = a * col + b * row + c, d * col + e * row + f
    if not is_same_crs(crs, place.crs):
        x, y = between(place.crs, crs).transform(x, y)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    return shapely.make_valid(shapely.Polygon(np.column_stack([x, y])))
