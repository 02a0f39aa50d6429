"""How far a chip lies from the labelled ones in the space of its vector, and whether a head may be asked about it.

Source: Meyer & Pebesma 2021, doi:10.1111/2041-210X.13650, sections 2.1 to 2.3 (dissimilarity index, area of
applicability), without weights. *Deviation*: columns are standardised by a sample of all chips that are mapped, not by
the labelled ones, as a spread of ten values is no spread.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from terrashot.heads.standardise import standardiser

MOST_REFERENCES = 4096
"""Labelled chips that distances are measured to; of more, an even sample. More make a map slower, and hardly nearer."""
BLOCK_ROWS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """The labelled chips as the measure of all others. Axis letter: R reference chips."""

    mean: Float32[np.ndarray, " D"]
    weight: Float32[np.ndarray, " D"]
    """One over the spread of a column; 0 for one without."""
    references: Float32[np.ndarray, "R D"]
    """Standardised."""
    unit: float
    """Mean distance between two of them; a dissimilarity of 1."""
    threshold: float
    """The greatest dissimilarity inside the area of applicability."""

    def dissimilarity(self, vectors: Float32[np.ndarray, "N D"]) -> Float32[np.ndarray, " N"]:
        """Distance of each chip to the nearest reference chip, in units; 0 for a reference chip itself."""
        parts = [
            nearest_distances((vectors[first : first + BLOCK_ROWS] - self.mean) * self.weight, self.references)
            for first in range(0, len(vectors), BLOCK_ROWS)
        ]
        return (np.concatenate([np.empty(0), *parts]) / self.unit).astype(np.float32)


def make_support(
    background: Float32[np.ndarray, "B D"], labelled: Float32[np.ndarray, "N D"], fold: Int64[np.ndarray, " N"]
) -> Support:
    """The support that labelled chips give.

    The threshold is the upper whisker of the labelled chips' own dissimilarities, each to the nearest chip of another
    fold: the largest that is not above the third quartile by more than 1.5 interquartile ranges.

    Args:
        background: a sample of all chips, for means and spreads.
        fold: as in the out-of-fold predictions.
    """
    kept = np.linspace(0, len(labelled) - 1, min(len(labelled), MOST_REFERENCES)).round().astype(np.int64)
    scaler = standardiser(background)
    mean, weight = scaler.mean.astype(np.float32), (1 / scaler.spread).astype(np.float32)
    references, fold = (labelled[kept] - mean) * weight, fold[kept]
    # Vectors that are all alike have no distance; any unit does.
    unit = mean_distance(references) or 1.0
    own = np.empty(len(references))
    for number in np.unique(fold):
        held = fold == number
        own[held] = nearest_distances(references[held], references[~held]) / unit
    return Support(mean, weight, references, unit, upper_whisker(own))


def upper_whisker(values: Float64[np.ndarray, " N"]) -> float:
    """The largest value that is no outlier by Tukey's rule."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(values[values <= high + 1.5 * (high - low)].max())


def nearest_distances(
    vectors: Float32[np.ndarray, "N D"], references: Float32[np.ndarray, "R D"]
) -> Float64[np.ndarray, " N"]:
    """Euclidean distance of each vector to the nearest reference.

    Which one is nearest comes from one matrix product; how far, from the difference of the two, as the product alone
    would lose the digits of small distances.
    """
    lengths_R = (references.astype(np.float64) ** 2).sum(axis=1).astype(np.float32) / 2
    nearest = (lengths_R - vectors @ references.T).argmin(axis=1)
    gaps = vectors - references[nearest]
    return np.sqrt(np.einsum("nd,nd->n", gaps, gaps)).astype(np.float64)


def mean_distance(references: Float32[np.ndarray, "R D"]) -> float:
    """Mean Euclidean distance over the pairs of references."""
    lengths_R = (references.astype(np.float64) ** 2).sum(axis=1)
    total = 0.0
    for first in range(0, len(references), BLOCK_ROWS // 4):
        part = slice(first, first + BLOCK_ROWS // 4)
        product = (references[part] @ references.T).astype(np.float64)
        total += float(np.sqrt(np.maximum(lengths_R[part, None] + lengths_R - 2 * product, 0)).sum())
    return total / max(1, len(references) * (len(references) - 1))
