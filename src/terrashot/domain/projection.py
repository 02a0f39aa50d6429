"""Where the vectors of chips lie in two dimensions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64


@dataclass(frozen=True, slots=True, eq=False)
class VectorMap:
    """The map of one block of vectors."""

    places: Float32[np.ndarray, "N 2"]
    """By t-SNE; NaN where a chip has no vector."""
    is_laid_out: Bool[np.ndarray, " N"]
    """The chips whose vectors made the map; each other one was placed into it on its own and moved none of them."""
    components: Float32[np.ndarray, "N 2"]
    """Each chip along the first two principal components of the laid-out ones; NaN where it has no vector."""
    variance: tuple[float, float]
    """The share of the laid-out chips' variance along each component."""

    def take(self, rows: Int64[np.ndarray, " n"]) -> "VectorMap":
        """The map of these rows alone."""
        return VectorMap(self.places[rows], self.is_laid_out[rows], self.components[rows], self.variance)

    def spread(self, rows: Int64[np.ndarray, " N"], n_rows: int) -> "VectorMap":
        """The same chips as these rows of a longer table, whose others have no place."""
        places, components = np.full((2, n_rows, 2), np.nan, dtype=np.float32)
        is_laid_out = np.zeros(n_rows, dtype=bool)
        places[rows], components[rows], is_laid_out[rows] = self.places, self.components, self.is_laid_out
        return VectorMap(places, is_laid_out, components, self.variance)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The maps of a study's chips, and what they were made from."""

    chip_ids: tuple[str, ...]
    maps: Mapping[str, VectorMap]
    """By block."""
    model: str | None
    """Digest of the model that made the vectors."""
    seed: int
    most_laid_out: int
    """Chips that are laid out at most; of more, a random sample."""

    def is_like(self, other: "Projection") -> bool:
        """Whether both were made in the same way, of the vectors of one model."""
        ours, theirs = ((made.model, made.seed, made.most_laid_out) for made in (self, other))
        return ours == theirs
