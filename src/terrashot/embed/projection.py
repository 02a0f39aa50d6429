"""Two coordinates for every vector, to look at: principal components and t-SNE."""

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


def pca(vectors: Float[np.ndarray, "N D"], k: int) -> Float32[np.ndarray, "N {k}"]:
    """The first `k` principal components of each row; a row with NaN stays NaN.

    The sign is fixed: the largest loading of each component is positive. Components that the data do not have (fewer
    rows or columns than `k`) are 0. The bytes do not depend on the number of threads.
    """
    known = _complete(vectors)
    components = np.full((len(vectors), k), np.nan, dtype=np.float32)
    components[known] = _components(vectors[known], k)
    return components


def tsne(
    vectors: Float[np.ndarray, "N D"], *, seed: int, n_sample: int = 20_000, iterations: int = 750, threads: int = 1
) -> Float32[np.ndarray, "N 2"]:
    """A t-SNE map of the rows; a row with NaN has NaN coordinates.

    At most 50 principal components go in, neighbours are exact, perplexity is 30 or a third of the other rows if that
    is less, and the start is the first two components. Of more than `n_sample` rows, a seeded sample is laid out and
    every other row is placed into that map on its own. Fewer than 5 rows, or rows that are all alike, give their first
    two principal components instead. The bytes do not depend on the number of threads.

    Args:
        iterations: a third of them with early exaggeration, and a third as many to place a row; 500 make a preview.
        threads: more than one helps on idle cores alone; on busy ones they wait for each other in every iteration.

    Source: openTSNE, Policar et al. 2024, doi 10.18637/jss.v109.i03; placing rows: Policar et al. 2021,
        doi 10.1007/s10994-021-06043-1.
    """
    known = _complete(vectors)
    reduced = _components(vectors[known], min(PCA_DIMENSIONS, max(2, vectors.shape[1])))
    coordinates = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    if len(reduced) < FEWEST_FOR_TSNE or reduced[:, 0].std() <= ALIKE * np.abs(vectors[known]).max():
        coordinates[known] = reduced[:, :2]
        return coordinates
    is_sampled = _sample(len(reduced), n_sample, seed)
    layout = _lay_out(reduced[is_sampled], iterations=iterations, threads=threads, seed=seed)
    placed = np.empty((len(reduced), 2), dtype=np.float64)
    if not is_sampled.all():
        placed[~is_sampled] = layout.transform(reduced[~is_sampled], n_iter=iterations // 3)
    # After `transform`, which centres the map in place: both parts must share one origin.
    placed[is_sampled] = layout
    coordinates[known] = placed
    return coordinates


def _complete(vectors: Float[np.ndarray, "N D"]) -> Bool[np.ndarray, " N"]:
    known: np.ndarray = np.isfinite(vectors).all(axis=1)
    return known


def _components(rows: Float[np.ndarray, "n D"], k: int) -> Float64[np.ndarray, "n {k}"]:
    components = np.zeros((len(rows), k))
    if len(rows) < 2:
        return components
    centred = rows.astype(np.float64)
    centred -= centred.mean(axis=0)
    # Products of matrices and their eigenvectors differ in the last bits between one thread and two.
    with threadpool_limits(1):
        loadings = _loadings(centred, k)
        components[:, : loadings.shape[1]] = centred @ loadings
    return components


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


def _sample(n_rows: int, n_sample: int, seed: int) -> Bool[np.ndarray, " n"]:
    is_sampled = np.zeros(n_rows, dtype=bool)
    is_sampled[np.random.default_rng(seed).permutation(n_rows)[:n_sample]] = True
    return is_sampled


def _lay_out(rows: Float64[np.ndarray, "n D"], *, iterations: int, threads: int, seed: int) -> openTSNE.TSNEEmbedding:
    perplexity = min(MAX_PERPLEXITY, (len(rows) - 1) / 3)
    # Exact neighbours: the approximate index gives other neighbours with another number of threads.
    affinities = PerplexityBasedNN(rows, perplexity=perplexity, method="exact", n_jobs=threads, random_state=seed)
    start = rows[:, :2] / rows[:, 0].std() * INITIAL_SPREAD
    exaggerated = iterations // 3
    method = openTSNE.TSNE(
        early_exaggeration_iter=exaggerated, n_iter=iterations - exaggerated, n_jobs=threads, random_state=seed
    )
    return method.fit(affinities=affinities, initialization=start)
