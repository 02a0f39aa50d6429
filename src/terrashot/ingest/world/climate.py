"""Countries: what changes slowly over the globe, on the ground and in the air above it.

P pixels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from terrashot.ingest.world.lattice import Lattice


@dataclass(frozen=True, slots=True, eq=False)
class Country:
    """What the land of a region has in common."""

    moisture: Float32[np.ndarray, " P"]
    """About 0, wetter above."""
    woods: Float32[np.ndarray, " P"]
    """How much of the land was left to trees, about 0."""
    farms: Float32[np.ndarray, " P"]
    """How much of it is ploughed, about 0."""
    spacing: Float32[np.ndarray, " P"]
    """How large fields are, about 1."""
    evergreen: Float32[np.ndarray, " P"]
    """Share of trees that keep their leaves, 0 to 1."""
    variety: Float32[np.ndarray, " P"]
    """How unlike each other its fields are, about 1: one crop for miles, or a patchwork."""


def make_country(lattice: Lattice, seed: int) -> Country:
    """The region's ways, from fields of hundreds of kilometres; moisture varies over a few as well."""
    size, evergreens, woods = (lattice.slow(seed + number, 420_000.0) for number in (1, 2, 3))
    moisture = lattice.from_coarse(
        (0.45 * lattice.at_coarse(seed, 420_000.0) + 0.75 * lattice.at_coarse(seed + 10, 7000.0, 2)).astype(np.float32)
    )
    # Steps rather than a slope: inside a district all fields must be of one scale.
    spacing = np.exp(0.3 * np.round(2 * np.clip(size, -1.5, 1.5))) * 0.9
    evergreen = np.clip(0.45 + 0.3 * evergreens + 0.35 * lattice.smooth(seed + 11, 800.0, 2), 0, 1)
    return Country(
        moisture.astype(np.float32), woods, -woods + 0.5 * size, spacing.astype(np.float32),
        evergreen.astype(np.float32), lattice.from_coarse(np.exp(np.float32(0.55) * lattice.at_coarse(seed + 12, 280_000.0))),
    )  # fmt: skip
