"""Towns: how large they are, how dense, and the streets and houses in them.

P pixels.
"""

from dataclasses import dataclass, fields
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numba import njit

from terrashot.ingest.world.lattice import Lattice
from terrashot.ingest.world.noise import drawn, mixed, uniform
from terrashot.ingest.world.sites import Sites, Sizes, sites

TOWN_CELL_M, HAMLET_CELL_M = 2600.0, 850.0
TOWN_SIZES: Final = Sizes(smallest_m=200.0, largest_m=2500.0, steepness=1.9, share=0.70)
HAMLET_SIZES: Final = Sizes(smallest_m=90.0, largest_m=200.0, steepness=1.9, share=0.30)
"""Radii; together one power law: people as Zipf 1949 counted them, one by the rank, on ground in proportion."""
STREET_M: Final = 9.0


@dataclass(frozen=True, slots=True, eq=False)
class Towns:
    """The town of each pixel, if any."""

    density: Float32[np.ndarray, " P"]
    """0 outside, 1 in the middle of a large town."""
    house: Int64[np.ndarray, " P"]
    """Names the plot, a house or a yard."""
    block: Int64[np.ndarray, " P"]
    is_street: Bool[np.ndarray, " P"]
    turn_rad: Float32[np.ndarray, " P"]
    """Lie of the streets, 0 to half of pi."""


def make_towns(lattice: Lattice, welcome: Float32[np.ndarray, " P"], seed: int) -> Towns:
    """Every pixel's town. `welcome` says how well people can live there: 0 nobody, 1 anybody."""
    towns = _nearest(lattice, seed)
    ragged = 0.30 * lattice.smooth(seed + 1, 650.0, 2) + 0.24 * lattice.smooth(seed + 2, 130.0)
    inside = towns.depth_m / np.maximum(towns.radius_m, 1) + ragged * np.where(
        towns.radius_m > 300, np.float32(1), np.float32(0.7)
    )
    density = np.clip(1.8 * inside + 0.2, 0, 1) * np.clip(2 * welcome, 0, 1)
    plots, turn, is_street = _streets(towns.key, towns.east_m, towns.north_m, density)
    return Towns(density.astype(np.float32), plots[0], plots[1], is_street, turn)


def _nearest(lattice: Lattice, seed: int) -> Sites:
    """The town that a pixel lies deepest in, or the hamlet where it lies deeper in that, as a share of the radius."""
    towns = sites(lattice.lon_deg, lattice.lat_deg, cell_m=TOWN_CELL_M, seed=seed, sizes=TOWN_SIZES)
    hamlets = sites(lattice.lon_deg, lattice.lat_deg, cell_m=HAMLET_CELL_M, seed=seed + 5, sizes=HAMLET_SIZES)
    is_hamlet = hamlets.depth_m / np.maximum(hamlets.radius_m, 1) > towns.depth_m / np.maximum(towns.radius_m, 1)
    chosen = {
        field.name: np.where(is_hamlet, getattr(hamlets, field.name), getattr(towns, field.name))
        for field in fields(Sites)
    }
    return Sites(**chosen)


def roofs(towns: Towns) -> Float32[np.ndarray, " P"]:
    """Share of each pixel under roofs: most plots of a dense town, few at its edge."""
    has_house = drawn(towns.house, 1) < 0.12 + 0.85 * towns.density
    share = 0.40 + 0.25 * drawn(towns.house, 2) * towns.density + 0.20 * towns.density
    is_park = drawn(towns.block, 3) < 0.10
    covered = has_house & (towns.density > 0.04) & ~is_park
    return np.where(covered, share * np.where(towns.is_street, np.float32(0.25), np.float32(1)), np.float32(0))


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _streets(
    town: np.ndarray, east_m: np.ndarray, north_m: np.ndarray, density: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    plots, turn = np.zeros((2, len(town)), np.int64), np.zeros(len(town), np.float32)
    is_street, last = np.zeros(len(town), np.bool_), 0
    cos, sin, wide, long, lot = 1.0, 0.0, 1.0, 1.0, 1.0
    for p in range(len(town)):
        if density[p] <= 0:
            continue
        if town[p] != last:
            last = town[p]
            angle = 0.5 * np.pi * uniform(mixed(last, 21, 0, 0))
            cos, sin = np.cos(angle), np.sin(angle)
            wide, long = 65 + 50 * uniform(mixed(last, 22, 0, 0)), 90 + 120 * uniform(mixed(last, 23, 0, 0))
            lot = 14 + 10 * uniform(mixed(last, 24, 0, 0))
        # Streets bend a little: a town is no chessboard.
        bend = 14 * np.sin(east_m[p] / 310 + last % 7) + 10 * np.sin(north_m[p] / 230 + last % 5)
        u, v = east_m[p] * cos + north_m[p] * sin + bend, north_m[p] * cos - east_m[p] * sin + bend
        i, j = int(np.floor(u / wide)), int(np.floor(v / long))
        plots[1, p] = np.int64(mixed(last, i, j, 25) >> np.uint64(1))
        # Some blocks are yards and halls rather than houses.
        size = lot * (3.2 if uniform(mixed(plots[1, p], 26, 0, 0)) < 0.12 else 1.0)
        plots[0, p] = np.int64(mixed(plots[1, p], int(np.floor(u / size)), int(np.floor(v / size)), 27) >> np.uint64(1))
        is_street[p] = u - i * wide < STREET_M or v - j * long < STREET_M
        turn[p] = np.arctan2(sin, cos)
    return plots, turn, is_street
