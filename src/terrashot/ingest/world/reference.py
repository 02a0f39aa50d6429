"""Reference maps of the simulated Earth, as their makers would publish them: coarse, rounded, and wrong in their ways.

Each map has cells of its own in rows along the parallels, whatever the chips; a chip's label is the mean of the cells'
values over its pixels. P pixels.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64

from terrashot.domain.grid import Chip
from terrashot.ingest.world.covers import BARE, BUILT, CROP, GRASS, TREE, WATER
from terrashot.ingest.world.land import Land, make_land
from terrashot.ingest.world.lattice import EARTH_RADIUS_M
from terrashot.ingest.world.noise import drawn

TREE_CELL_M: Final = 250.0
"""Vegetation continuous fields (DiMiceli et al. 2015, MOD44B)."""
BUILT_CELL_M: Final = 100.0
"""Global human settlement layer (Pesaresi & Politis 2023, GHS-BUILT-S)."""
MOST_TREE: Final = 0.80
"""MOD44B knows no denser wood."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a map says of a chip."""

    value: float
    """Mean of the map's values over the chip; NaN where it has none."""
    valid_share: float
    """Of the chip's pixels."""


def read_reference(chip: Chip, side_px: int, seed: int) -> dict[str, Reading]:
    """Tree cover, built-up surface, cropland and permanent water of a chip, as four published maps would have them."""
    rim_px = math.ceil(1.1 * TREE_CELL_M * side_px / chip.size_m)
    land = make_land(chip, side_px, seed, rim_px)
    classes = _land_cover(land)
    return {
        "vegetation": _tree_cover(land),
        "builtup": _built_up(land),
        "cropland": _share_of(land, classes == CROP),
        "water": _share_of(land, classes == WATER),
    }


def _tree_cover(land: Land) -> Reading:
    """Percent tree cover in cells of 250 m: whole percents, dense woods cut off, thick grass taken for trees."""
    # Its error is of about ten points (DiMiceli et al. 2021, Remote Sensing of Environment 264) and shared by neighbours.
    region = 0.12 * land.lattice.slow(land.seed + 1101, 2600.0)
    key, means = _cells(land, TREE_CELL_M, np.stack([*(land.shares[cover] for cover in (TREE, GRASS, WATER)), region]))
    tree, grass, water, error = means
    error = (error + 0.08 * (drawn(key, 121).astype(np.float64) - 0.5)) * np.sqrt(
        np.clip(4 * tree * (1 - tree), 0.05, 1)
    )
    seen = MOST_TREE * tree + 0.06 * grass + error
    percent = np.round(100 * np.clip(seen, 0, MOST_TREE))
    return _mean(land, percent / 100, water < 0.5)


def _built_up(land: Land) -> Reading:
    """Built-up surface in cells of 100 m: misses lone farms, sees some roofs in bright bare ground."""
    key, (built, bare) = _cells(land, BUILT_CELL_M, np.stack([land.shares[BUILT], land.shares[BARE]]))
    found = np.where((built < 0.04) & (drawn(key, 122) < 0.85), 0.0, built)
    false = 0.12 * ((bare > 0.8) & (drawn(key, 123) < 0.001))
    gain = 0.75 + 0.5 * drawn(key, 124).astype(np.float64)
    return _mean(land, np.round(10_000 * np.clip(found * gain + false, 0, 1)) / 10_000, np.ones(len(key), np.bool_))


def _land_cover(land: Land) -> Int64[np.ndarray, " P"]:
    """The class of each pixel of 10 m: the largest cover, but narrow water is lost and some fields pass for grass."""
    classes = np.argmax(land.shares, axis=0)
    fallow = (classes == CROP) & (drawn(land.parcels.key, 125) < 0.13)
    mown = (classes == GRASS) & (drawn(land.parcels.key, 126) < 0.07)
    classes[fallow], classes[mown] = GRASS, CROP
    # Water that holds most of a pixel alone counts, and half of that of small ponds.
    doubtful = (classes == WATER) & (land.shares[WATER] < 0.75)
    classes[doubtful] = BARE
    return classes


def _cells(land: Land, cell_m: float, planes: np.ndarray) -> tuple[Int64[np.ndarray, " P"], Float64[np.ndarray, "K P"]]:
    """The cell of each pixel, and the means of the planes over that cell's pixels."""
    lattice = land.lattice
    row = np.floor(np.radians(lattice.lat_deg) * EARTH_RADIUS_M / cell_m).astype(np.int64)
    around_m = 2 * np.pi * EARTH_RADIUS_M * np.cos((row + 0.5) * cell_m / EARTH_RADIUS_M)
    in_row = np.maximum(1, np.round(around_m / cell_m)).astype(np.int64)
    col = np.floor(lattice.lon_deg / 360 * in_row).astype(np.int64) % in_row
    key = row * 1_000_000 + col
    _, which, counts = np.unique(key, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(which, plane, len(counts)) / counts for plane in planes])
    return key, means[:, which]


def _share_of(land: Land, is_class: Bool[np.ndarray, " P"]) -> Reading:
    return Reading(float(land.lattice.inner(is_class).mean()), 1.0)


def _mean(land: Land, values: Float64[np.ndarray, " P"], is_valid: Bool[np.ndarray, " P"]) -> Reading:
    kept, known = land.lattice.inner(values), land.lattice.inner(is_valid)
    share = float(known.mean())
    return Reading(float(kept[known].mean()) if share else math.nan, share)
