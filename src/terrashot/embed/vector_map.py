"""The map of one block of vectors: a sample laid out, the rest placed into it; or an old map with new chips in it."""

import numpy as np
from jaxtyping import Float, Float32, Int64

from terrashot.domain.projection import VectorMap
from terrashot.embed.placing import Placer
from terrashot.embed.projection import FEWEST_FOR_TSNE, Components, complete, parts_of, reduction, tsne

SAME = 0.1
"""Components that changed by less, as a share of their size (root mean square), are of the same vectors. Rounding to eight bits
changes them by a hundredth, and a mean that stands in for absent channels moves when training chips come; another model or other
channels change them altogether."""


def map_vectors(
    vectors: Float[np.ndarray, "N D"], laid_out: Int64[np.ndarray, " n"], *, seed: int, iterations: int
) -> VectorMap:
    """A map in which the rows named, all without NaN, are laid out by t-SNE, and each other one is placed on its own.

    A row with NaN has no place.
    """
    rows = np.sort(laid_out)
    basis = reduction(vectors[rows])
    places = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    places[rows] = tsne(basis.of(vectors[rows]), seed=seed, iterations=iterations)
    return _completed(vectors, places, rows, basis)


def extend_map(vectors: Float[np.ndarray, "N D"], old: VectorMap) -> VectorMap | None:
    """The old map with every further row placed in it; None where it was made from other vectors.

    Args:
        old: in the rows of the vectors; NaN where a row is new.
    """
    rows = np.flatnonzero(old.is_laid_out)
    if len(rows) < FEWEST_FOR_TSNE or not complete(vectors[rows]).all():
        return None
    basis = reduction(vectors[rows])
    now, before = basis.of(vectors[rows])[:, :2], old.components[rows]
    if not np.linalg.norm(now - before) <= SAME * np.linalg.norm(now):
        return None
    return _completed(vectors, old.places, rows, basis)


def _completed(
    vectors: Float[np.ndarray, "N D"],
    places: Float32[np.ndarray, "N 2"],
    laid_out: Int64[np.ndarray, " n"],
    basis: Components,
) -> VectorMap:
    """The map in which each row with a vector has a place."""
    is_laid_out, whole = np.zeros(len(vectors), dtype=bool), places.copy()
    is_laid_out[laid_out] = True
    components = np.empty((len(vectors), 2), dtype=np.float32)
    placer = None
    for some in parts_of(vectors):
        reduced = basis.of(vectors[some])
        components[some] = reduced[:, :2]
        waiting = np.flatnonzero(np.isfinite(reduced[:, 0]) & np.isnan(places[some][:, 0]))
        if len(waiting):
            placer = placer or Placer(basis.of(vectors[laid_out]), places[laid_out])
            whole[some.start + waiting] = placer.place(reduced[waiting])
    return VectorMap(whole, is_laid_out, components, (basis.variance[0], basis.variance[1]))
