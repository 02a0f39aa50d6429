"""Vectors a pixel, pooled to vectors a chip: mean and spread over the chip's valid ground.

Each cell of the ground counts once: where rasters overlap, the first that is valid there tells; where they lie on another
lattice or in another zone, the pixel that holds the cell's middle does. So nothing is blended between pixels: a blend of two
embedding vectors is the embedding of nothing.

n: cells looked up at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int64

from terrashot.domain.grid import Bounds
from terrashot.published.ground import Ground, Places
from terrashot.raster.place import RasterPlace, between

MIN_VALID = 0.5
"""Share of a chip's ground that must have a vector for the chip to have one, as of a cell of `raster/regrid.py`."""
NUMBERS_AT_ONCE = 1 << 23
"""32 MiB of float32, whatever the size of chips and rasters."""
KINDS = ("mean", "spread")


@runtime_checkable
class VectorRaster(Protocol):
    """A raster of one vector a pixel."""

    @property
    def path(self) -> Path: ...

    @property
    def place(self) -> RasterPlace: ...

    @property
    def dimensions(self) -> int: ...

    def vectors(self, rows: Int64[np.ndarray, " n"], cols: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n D"]:
        """The vectors of pixels of the raster; a row of NaN where it has no data.

        Raises:
            InputError: they cannot be read, or are not what the maker publishes.
        """
        ...


@dataclass(slots=True, eq=False)
class Moments:
    """Mean and spread of rows that come in groups.

    Source: Chan, Golub & LeVeque 1983, doi:10.1080/00031305.1983.10483115, equation 1.5 (two groups merged).
    """

    mean: Float64[np.ndarray, " D"]
    squares: Float64[np.ndarray, " D"]
    """Sum of squared distances from the mean."""
    count: int = 0

    def add(self, rows: Float32[np.ndarray, "n D"]) -> None:
        """Takes a group in; nothing of an empty one."""
        if not len(rows):
            return
        exact = rows.astype(np.float64)
        mean = exact.mean(axis=0)
        exact -= mean
        total, apart = self.count + len(rows), mean - self.mean
        self.squares += (exact**2).sum(axis=0) + apart**2 * (self.count * len(rows) / total)
        self.mean += apart * (len(rows) / total)
        self.count = total


def pool_ground(
    ground: Ground, rasters: Sequence[VectorRaster], pixel_m: float, dimensions: int
) -> tuple[Float32[np.ndarray, " D2"], float]:
    """Mean and spread (standard deviation over the cells) side by side, and the share of cells with a vector.

    The numbers are NaN where that share is under `MIN_VALID`. D2: twice the dimensions.

    Args:
        rasters: those that may reach over the chip, the one to be believed first.
        pixel_m: side of a cell.
    """
    moments = Moments(np.zeros(dimensions), np.zeros(dimensions))
    cells = 0
    for x, y in ground.strips(pixel_m, max(1, NUMBERS_AT_ONCE // dimensions)):
        found = _vectors_at(x, y, ground.crs, rasters, dimensions)
        moments.add(found[~np.isnan(found[:, 0])])
        cells += len(x)
    share = moments.count / cells if cells else 0.0
    if share < MIN_VALID:
        return np.full(2 * dimensions, np.nan, dtype=np.float32), share
    spread = np.sqrt(moments.squares / moments.count)
    return np.concatenate([moments.mean, spread]).astype(np.float32), share


def reaching(grounds: Sequence[Ground], places: Sequence[RasterPlace]) -> list[list[int]]:
    """Of each chip, the numbers of the rasters whose box meets its own; those of its own zone first, then in their order."""
    found: list[list[int]] = [[] for _ in grounds]
    boxes = {crs: _boxes_in(crs, grounds) for crs in {place.crs for place in places}}
    for number, place in enumerate(places):
        west, south, east, north = place.bounds
        chips = boxes[place.crs]
        # NaN, for a chip that has no place in the raster's coordinates, meets nothing.
        meet = (chips[:, 0] <= east) & (chips[:, 2] >= west) & (chips[:, 1] <= north) & (chips[:, 3] >= south)
        for chip in np.flatnonzero(meet):
            found[chip].append(number)
    return [
        sorted(numbers, key=lambda number: places[number].crs != ground.crs)
        for ground, numbers in zip(grounds, found, strict=True)
    ]


def same_ground(places: Sequence[RasterPlace]) -> tuple[int, int] | None:
    """Numbers of two rasters of one coordinate system of which one covers over half of the other; None if there are none."""
    for crs in dict.fromkeys(place.crs for place in places):
        numbers = [number for number, place in enumerate(places) if place.crs == crs]
        pair = _overlapping([places[number].bounds for number in numbers])
        if pair is not None:
            return numbers[pair[0]], numbers[pair[1]]
    return None


def _vectors_at(
    x: Places, y: Places, crs: str, rasters: Iterable[VectorRaster], dimensions: int
) -> Float32[np.ndarray, "n D"]:
    """The vector of each place from the first raster that has one there; a row of NaN where none has."""
    found = np.full((len(x), dimensions), np.nan, dtype=np.float32)
    missing = np.arange(len(x))
    for raster in rasters:
        if not len(missing):
            break
        place = raster.place
        there = (x[missing], y[missing])
        there = there if place.crs == crs else between(crs, place.crs).transform(*there)
        rows, cols = place.pixels_at(*there)
        inside = rows >= 0
        if inside.any():
            found[missing[inside]] = raster.vectors(rows[inside], cols[inside])
            missing = missing[np.isnan(found[missing, 0])]
    return found


def _boxes_in(crs: str, grounds: Sequence[Ground]) -> Float64[np.ndarray, "N 4"]:
    """West, south, east, north of each chip in other coordinates; NaN where it has no place in them."""
    boxes = np.full((len(grounds), 4), np.nan)
    samples = [np.stack(ground.samples()) for ground in grounds]
    for own in {ground.crs for ground in grounds}:
        numbers = [number for number, ground in enumerate(grounds) if ground.crs == own]
        x, y = np.stack([samples[number] for number in numbers], axis=1)
        if own != crs:
            x, y = between(own, crs).transform(x, y)
        box = np.stack([x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)], axis=1)
        boxes[numbers] = np.where(np.isfinite(box).all(axis=1, keepdims=True), box, np.nan)
    return boxes


def _overlapping(boxes: Sequence[Bounds]) -> tuple[int, int] | None:
    west, south, east, north = np.array(boxes, dtype=np.float64).reshape(-1, 4).T
    area = (east - west) * (north - south)
    for first in range(len(boxes)):
        rest = slice(first + 1, None)
        width = np.minimum(east[first], east[rest]) - np.maximum(west[first], west[rest])
        height = np.minimum(north[first], north[rest]) - np.maximum(south[first], south[rest])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        hits = np.flatnonzero(shared > np.minimum(area[first], area[rest]) / 2)
        if len(hits):
            return first, first + 1 + int(hits[0])
    return None
