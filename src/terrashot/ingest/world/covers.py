"""What share of each pixel water, trees, crops, grass, buildings and bare ground cover, given the lie of the land.

P pixels with their rim, row by row from the north.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32

from terrashot.ingest.world.climate import Country
from terrashot.ingest.world.lattice import Lattice
from terrashot.ingest.world.noise import drawn
from terrashot.ingest.world.parcels import Parcels
from terrashot.ingest.world.relief import Relief
from terrashot.ingest.world.towns import Towns, roofs

COVERS: Final = ("water", "tree", "crop", "grass", "built", "bare")
WATER, TREE, CROP, GRASS, BUILT, BARE = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What decides the covers of a chip."""

    lattice: Lattice
    country: Country
    relief: Relief
    parcels: Parcels
    towns: Towns
    water: Float32[np.ndarray, " P"]
    """Share of each pixel."""
    texture: Float32[np.ndarray, " P"]
    """Varies from pixel to pixel: crowns, clods, ripples."""


def paved(ground: Ground) -> Bool[np.ndarray, " P"]:
    """Roads along the borders of districts, for some pairs of neighbours; streets in towns."""
    parcels, towns, is_dry = ground.parcels, ground.towns, ground.water < 0.3
    has_road = drawn(parcels.district ^ parcels.next_district, 31) < 0.55
    return is_dry & ((has_road & (parcels.border_m < 5.5)) | (towns.is_street & (towns.density > 0.1)))


def cover_shares(ground: Ground, is_paved: Bool[np.ndarray, " P"], seed: int) -> Float32[np.ndarray, "6 P"]:
    """Shares of WATER to BARE; they sum to one. What comes first takes its room, what comes next shares the rest."""
    built = roofs(ground.towns)
    # Whole arrays of float64 would cost as much as all the rest.
    built_over, wooded_over, open_over = (np.where(is_paved, np.float32(x), np.float32(1)) for x in (0.25, 0.3, 0.15))
    built = built_over * built * (1 - ground.water)
    left = 1 - ground.water - built
    tree = _trees(ground, seed) * left * wooded_over
    left = left - tree
    crop = _crops(ground, seed + 20) * open_over
    grass = _grass(ground, seed + 21) * open_over * (1 - crop)
    crop, grass = crop * left, grass * left
    return np.stack([ground.water, tree, crop, grass, built, left - crop - grass])


def scrub(lattice: Lattice, seed: int) -> Float32[np.ndarray, " P"]:
    """Share of the grass that is heath or bushes: as dark as trees, but not trees."""
    region = 0.5 * lattice.slow(seed, 330_000.0)
    return np.clip(0.25 + region + 0.7 * lattice.slow(seed + 1, 1800.0, 2), 0, 0.95).astype(np.float32)


def _trees(ground: Ground, seed: int) -> Float32[np.ndarray, " P"]:
    """Woods on slopes and wet ground, woodlots in the shape of parcels, hedges, belts along streams, gardens."""
    lattice, country, texture = ground.lattice, ground.country, ground.texture
    wooded = 0.75 * lattice.slow(seed, 1900.0, 2) + 0.30 * lattice.smooth(seed + 1, 260.0, 2)
    wooded += 0.30 * country.moisture + 0.55 * country.woods + 0.5 * np.clip(ground.relief.ruggedness - 0.4, -0.5, 1.5)
    wooded += 0.9 * (drawn(ground.parcels.key, 51) - 0.5)
    forest = np.clip(3.0 * (wooded - 0.45) + 0.25 * texture, 0, 1) * np.clip(0.86 + 0.1 * texture, 0.5, 1)
    stream = 0.8 * np.clip(1.5 - ground.relief.side_valley / 0.05, 0, 1) * (country.moisture > -0.5)
    single = 0.45 * np.clip(texture - 1.35, 0, 1) * np.clip(0.9 + wooded, 0, 1)
    garden = 0.5 * np.clip(0.6 + 0.7 * texture, 0, 1) * (ground.towns.density > 0.04)
    kinds = (forest * (ground.towns.density < 0.3), _hedges(ground.parcels), stream, single, garden)
    return np.clip(np.maximum.reduce(kinds), 0, 0.97)


def _hedges(parcels: Parcels) -> Float32[np.ndarray, " P"]:
    """Around some parcels of the districts that have hedges at all."""
    is_hedge = (drawn(parcels.district, 52) < 0.45) & (parcels.edge_m < 6) & (drawn(parcels.key, 53) < 0.6)
    return is_hedge * np.float32(0.55)


def _crops(ground: Ground, seed: int) -> Float32[np.ndarray, " P"]:
    """Parcels that are ploughed, to three metres from their edge."""
    country, parcels = ground.country, ground.parcels
    farmed = 0.7 * ground.lattice.slow(seed, 2600.0, 2) + 0.5 * country.farms + 0.25 * country.moisture
    farmed -= 0.9 * np.clip(ground.relief.ruggedness - 0.5, -0.3, 1.5)
    farmed += 1.4 * (drawn(parcels.key, 61) - 0.5) - 0.1
    return np.float32(0.98) * ((farmed > 0) & (ground.towns.density < 0.15) & (parcels.edge_m > 3))


def _grass(ground: Ground, seed: int) -> Float32[np.ndarray, " P"]:
    """Share of what is left that is grown over: little where dry."""
    lush = ground.country.moisture + 0.35 * ground.lattice.smooth(seed, 500.0, 2) + 0.15 * ground.texture
    return np.clip(0.75 + 0.5 * lush, 0.04, 0.97)
