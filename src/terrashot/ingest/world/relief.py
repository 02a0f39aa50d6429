"""Hills, valleys and what gathers in them.

P pixels.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from terrashot.ingest.world.lattice import Lattice
from terrashot.ingest.world.sites import Sizes, sites

POND_CELL_M: Final = 2100.0
PONDS: Final = Sizes(smallest_m=30.0, largest_m=900.0, steepness=0.85, share=0.55)
"""Radii of ponds to lakes; a power law, as Downing et al. 2006 (Limnol. Oceanogr. 51) found of lakes."""


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """The lie of the land."""

    height_m: Float32[np.ndarray, " P"]
    """Above the valley floors."""
    valley: Float32[np.ndarray, " P"]
    """0 on the line of a large valley, about 1 far from it."""
    side_valley: Float32[np.ndarray, " P"]
    """The same of the small valleys."""
    ruggedness: Float32[np.ndarray, " P"]
    """0 in plains, 1 and more among mountains."""


def make_relief(lattice: Lattice, seed: int) -> Relief:
    """Ridges between valleys that follow the zero lines of smooth fields, higher in some countries than in others."""
    large = np.abs(lattice.slow(seed, 5200.0) + 0.20 * lattice.smooth(seed + 1, 900.0, 2))
    small = np.abs(lattice.smooth(seed + 2, 1500.0) + 0.22 * lattice.smooth(seed + 3, 340.0))
    steep = 0.8 * lattice.at_coarse(seed + 4, 11_000.0) + 0.6 * lattice.at_coarse(seed + 5, 140_000.0)
    rugged = lattice.from_coarse(np.exp(steep) * np.float32(0.45))
    fine = lattice.smooth(seed + 6, 700.0, 2)
    # A ridge rises from its valley at once and grows rounder above: the square root of a zero crossing is too steep.
    height = 150 * large * np.sqrt(np.sqrt(large)) + 70 * small * (0.25 + large) + 16 * fine * (0.3 + large)
    return Relief((rugged * height).astype(np.float32), large, small, rugged.astype(np.float32))


def water_share(
    lattice: Lattice, relief: Relief, moisture: Float32[np.ndarray, " P"], texture: Float32[np.ndarray, " P"], seed: int
) -> Float32[np.ndarray, " P"]:
    """Share of each pixel under water that stays: rivers along the large valleys, ponds and lakes."""
    flow = lattice.slow(seed, 6500.0) + 0.5 * moisture
    half_width = 0.020 + 0.035 * np.clip(flow - 0.15, 0, 2)
    river = np.where(flow > 0.15, (half_width - relief.valley) / 0.012, -1)
    ponds = sites(lattice.lon_deg, lattice.lat_deg, cell_m=POND_CELL_M, seed=seed + 1, sizes=PONDS)
    shore = 0.35 * lattice.smooth(seed + 2, 300.0) * np.minimum(ponds.radius_m, 250) + 5 * texture
    wet = 22 * np.clip(moisture + 0.8, -2, 1) - 25 * np.clip(relief.ruggedness - 0.7, 0, 2)
    pond = (ponds.depth_m + shore + np.minimum(wet, 0)) / 14 + 0.5
    return np.clip(np.maximum(river, pond), 0, 1).astype(np.float32)
