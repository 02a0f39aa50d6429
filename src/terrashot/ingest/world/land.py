"""The ground of the simulated Earth: what covers each pixel, and what lies behind it.

P pixels with their rim, row by row from the north.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from terrashot.domain.grid import Chip
from terrashot.ingest.world.climate import Country, make_country
from terrashot.ingest.world.covers import BUILT, COVERS, TREE, Ground, cover_shares, paved, scrub
from terrashot.ingest.world.lattice import Lattice, make_lattice
from terrashot.ingest.world.noise import drawn
from terrashot.ingest.world.parcels import Parcels, make_parcels
from terrashot.ingest.world.relief import Relief, make_relief, water_share
from terrashot.ingest.world.towns import Towns, make_towns


@dataclass(frozen=True, slots=True, eq=False)
class Land:
    """One chip's ground."""

    lattice: Lattice
    seed: int
    shares: Float32[np.ndarray, "6 P"]
    """Of each cover in each pixel, WATER to BARE; they sum to one."""
    relief: Relief
    country: Country
    parcels: Parcels
    towns: Towns
    is_paved: Bool[np.ndarray, " P"]
    """Roads and streets: bare ground that is not soil."""
    scrub: Float32[np.ndarray, " P"]
    """Share of the grass that is heath or bushes."""
    texture: Float32[np.ndarray, " P"]
    """Varies from pixel to pixel: crowns, clods, ripples."""


def make_land(chip: Chip, side_px: int, seed: int, rim_px: int = 0) -> Land:
    """The ground of a chip, from its place and the world's seed alone; neighbouring chips continue each other."""
    lattice, seed = make_lattice(chip, side_px, rim_px), _spread_out(seed)
    country, relief = make_country(lattice, seed + 100), make_relief(lattice, seed + 200)
    parcels = make_parcels(lattice, country.spacing, seed + 300)
    texture = lattice.exact(seed + 600, 34.0)
    water = water_share(lattice, relief, country.moisture, texture, seed + 400)
    towns = make_towns(lattice, _welcome(lattice, relief, seed + 500), seed + 510)
    ground = Ground(lattice, country, relief, parcels, towns, water, texture)
    is_paved = paved(ground)
    shares = cover_shares(ground, is_paved, seed + 700)
    return Land(
        lattice, seed, shares, relief, country, parcels, towns, is_paved, scrub(lattice, seed + 650), texture
    )  # fmt: skip


def mean_shares(land: Land) -> dict[str, float]:
    """Share of the chip, without its rim, under each cover."""
    means = (float(land.lattice.inner(plane).mean(dtype=np.float64)) for plane in land.shares)
    return dict(zip(COVERS, means, strict=True))


def surface_slopes(land: Land) -> tuple[Float32[np.ndarray, " P"], Float32[np.ndarray, " P"]]:
    """Slope eastward and northward of ground, crowns and roofs; wrong on the outermost ring of the rim."""
    lattice = land.lattice
    crowns = 4.5 * land.shares[TREE] * (1 + 0.30 * land.texture)
    houses = 5.0 * land.shares[BUILT] * (0.4 + drawn(land.towns.house, 91))
    surface = lattice.square(land.relief.height_m + crowns + houses)
    span = 2 * min(lattice.pixel_m, 30.0)
    east = (np.roll(surface, -1, axis=1) - np.roll(surface, 1, axis=1)) / span
    north = (np.roll(surface, 1, axis=0) - np.roll(surface, -1, axis=0)) / span
    return east.ravel(), north.ravel()


def _spread_out(seed: int) -> int:
    """A number below 2**40, far from that of any other world: months and days are counted up from it."""
    return (seed * 0x9E3779B97F4A7C15 % 2**64) >> 24


def _welcome(lattice: Lattice, relief: Relief, seed: int) -> Float32[np.ndarray, " P"]:
    """How well people can live there: on friendly plains, hardly among mountains."""
    friendly = 0.55 + 0.55 * lattice.slow(seed, 5200.0) - 0.5 * np.clip(relief.ruggedness - 0.6, 0, 2)
    return np.clip(friendly, 0, 1).astype(np.float32)
