"""Two coordinates for every vector, to look at: principal components and t-SNE."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import openTSNE
from jaxtyping import Bool, Float, Float32, Float64
from openTSNE.affinity import PerplexityBasedNN
from threadpoolctl import threadpool_limits

PCA_DIMENSIONS = 50
"""What t-SNE sees of longer vectors. Source: van der Maaten and Hinton 2008, JMLR 9:2579, section 4.2 (30 there)."""
MAX_PERPLEXITY = 30.0
FEWEST_FOR_TSNE = 5
ALIKE = 1e-6
"""Rows whose spread is this small a share of their size differ by rounding only."""
INITIAL_SPREAD = 1e-4
"""Small against the final map, so that neighbours and not the starting place decide. Source: Kobak and Berens 2019,
doi 10.1038/s41467-019-13056-x, methods."""
NUMBERS_AT_ONCE = 1 << 23
"""So many of a table are float64 at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Directions of the largest variance of some rows."""

    mean: Float64[np.ndarray, " D"]
    loadings: Float64[np.ndarray, "D kept"]
    """Unit length. The sign is fixed: the largest number of each is positive."""
    k: int
    """Asked for; there are fewer where the rows do not have so many."""
    variance: tuple[float, ...]
    """The share of all variance along each of the `k`; 0 for those that the rows do not have."""

    def of(self, rows: Float[np.ndarray, "N D"]) -> Float64[np.ndarray, "N {self.k}"]:
        """The rows along these directions; 0 along those that there are not, NaN for a row with NaN.

        The bytes do not depend on the number of threads.
        """
        components = np.zeros((len(rows), self.k))
        # Products of matrices differ in the last bits between one thread and two.
        with threadpool_limits(1):
            for some in parts_of(rows):
                components[some, : self.loadings.shape[1]] = (rows[some] - self.mean) @ self.loadings
                components[some][~np.isfinite(rows[some]).all(axis=1)] = np.nan
        return components


def principal(rows: Float[np.ndarray, "n D"], k: int) -> Components:
    """The first `k` principal components of rows without NaN."""
    mean = rows.mean(axis=0, dtype=np.float64) if len(rows) else np.zeros(rows.shape[1])
    if len(rows) < 2:
        return Components(mean, np.zeros((rows.shape[1], 0)), k, (0.0,) * k)
    centred = rows - mean
    with threadpool_limits(1):
        loadings = _loadings(centred, k)
        spread = ((centred @ loadings) ** 2).sum(axis=0) / max(float((centred**2).sum()), np.finfo(float).tiny)
    return Components(mean, loadings, k, (*spread.tolist(), *(0.0,) * (k - len(spread))))


def pca(vectors: Float[np.ndarray, "N D"], k: int) -> Float32[np.ndarray, "N {k}"]:
    """The first `k` principal components of each row; a row with NaN stays NaN.

    The sign is fixed: the largest loading of each component is positive. Components that the data do not have (fewer
    rows or columns than `k`) are 0. The bytes do not depend on the number of threads.
    """
    return principal(vectors[complete(vectors)], k).of(vectors).astype(np.float32)


def tsne(
    vectors: Float[np.ndarray, "N D"], *, seed: int, iterations: int = 750, threads: int = 1
) -> Float32[np.ndarray, "N 2"]:
    """A t-SNE map of the rows; a row with NaN has NaN coordinates.

    At most 50 principal components go in, neighbours are exact, perplexity is 30 or a third of the other rows if that
    is less, and the start is the first two components. Fewer than 5 rows, or rows that are all alike, give their first
    two principal components instead. The bytes do not depend on the number of threads.

    Args:
        iterations: a third of them with early exaggeration; 500 make a preview.
        threads: more than one helps on idle cores alone; on busy ones they wait for each other in every iteration.

    Source: openTSNE, Policar et al. 2024, doi 10.18637/jss.v109.i03.
    """
    known = complete(vectors)
    reduced = reduction(vectors[known]).of(vectors[known])
    coordinates = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    if len(reduced) < FEWEST_FOR_TSNE or reduced[:, 0].std() <= ALIKE * np.abs(vectors[known]).max():
        coordinates[known] = reduced[:, :2]
    else:
        coordinates[known] = _lay_out(reduced, iterations=iterations, threads=threads, seed=seed)
    return coordinates


def reduction(rows: Float[np.ndarray, "n D"]) -> Components:
    """The components that t-SNE sees instead of these rows."""
    return principal(rows, min(PCA_DIMENSIONS, max(2, rows.shape[1])))


def complete(vectors: Float[np.ndarray, "N D"]) -> Bool[np.ndarray, " N"]:
    """Which rows have every number."""
    known = np.empty(len(vectors), dtype=bool)
    for some in parts_of(vectors):
        known[some] = np.isfinite(vectors[some]).all(axis=1)
    return known


def parts_of(vectors: Float[np.ndarray, "N D"]) -> Iterator[slice]:
    """Consecutive rows, as many at once as fit into memory as float64."""
    at_once = max(1, NUMBERS_AT_ONCE // max(1, vectors.shape[1]))
    yield from (slice(start, start + at_once) for start in range(0, len(vectors), at_once))


def _loadings(centred: Float64[np.ndarray, "n D"], k: int) -> Float64[np.ndarray, "D kept"]:
    """Unit-length directions of the largest variance; eigenvectors are the faster way for long tables."""
    n_rows, n_columns = centred.shape
    if n_columns <= n_rows:
        _, vectors = np.linalg.eigh(centred.T @ centred)
        loadings = vectors[:, ::-1][:, :k]
    else:
        _, _, transposed = np.linalg.svd(centred, full_matrices=False)
        loadings = transposed[:k].T
    largest = np.abs(loadings).argmax(axis=0)
    signed: np.ndarray = loadings * np.sign(loadings[largest, np.arange(loadings.shape[1])])
    return signed


def _lay_out(
    rows: Float64[np.ndarray, "n D"], *, iterations: int, threads: int, seed: int
) -> Float64[np.ndarray, "n 2"]:
    perplexity = min(MAX_PERPLEXITY, (len(rows) - 1) / 3)
    # Exact neighbours: the approximate index gives other neighbours with another number of threads.
    affinities = PerplexityBasedNN(rows, perplexity=perplexity, method="exact", n_jobs=threads, random_state=seed)
    start = rows[:, :2] / rows[:, 0].std() * INITIAL_SPREAD
    exaggerated = iterations // 3
    method = openTSNE.TSNE(
        early_exaggeration_iter=exaggerated, n_iter=iterations - exaggerated, n_jobs=threads, random_state=seed
    )
    return np.asarray(method.fit(affinities=affinities, initialization=start))
