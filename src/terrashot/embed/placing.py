"""New vectors in a map that is there, one by one: nobody who has a place moves."""

import numpy as np
import scipy.sparse
from jaxtyping import Float, Float32, Float64
from openTSNE.affinity import PerplexityBasedNN

PERPLEXITY = 5.0
"""Of a new row among the old ones, as openTSNE places rows. Source: Policar et al. 2021, doi 10.1007/s10994-021-06043-1."""
FIRST_NEIGHBOURS, STEPS = 10, 10
"""The start is the median place of so many neighbours; further steps change the share of neighbours kept by less than 0.005
(docs/looking.md)."""


class Placer:
    """The map of some old rows, ready to take in new ones.

    A new row lies where the attraction of t-SNE alone brings it: where the sum of p log(1 + distance^2) over its nearest old
    rows is least, p being its affinities to them. It depends on the old rows and itself: rows that come later lie where they
    would have been at once (to rounding), and memory does not grow with their number.

    Source: cost and kernel of van der Maaten and Hinton 2008, JMLR 9:2579, section 3. *Deviation:* no repulsion, which takes
        ten times as long and keeps no more neighbours (docs/looking.md).
    """

    def __init__(self, old: Float[np.ndarray, "n D"], places: Float[np.ndarray, "n 2"], *, threads: int = 1) -> None:
        """Args:
        old: at least two rows without NaN, of few numbers each, as principal components are.
        """
        self._places = places.astype(np.float64)
        self._n_neighbours = min(len(old) - 1, int(3 * PERPLEXITY))
        self._affinities = PerplexityBasedNN(
            old.astype(np.float64), perplexity=self._n_neighbours / 3, method="exact", n_jobs=threads
        )

    def place(self, new: Float[np.ndarray, "N D"]) -> Float32[np.ndarray, "N 2"]:
        """Places of new rows without NaN; the old ones keep theirs."""
        if len(new) == 0:
            return np.empty((0, 2), dtype=np.float32)
        pull, neighbours, _ = self._affinities.to_new(
            new.astype(np.float64), self._n_neighbours / 3, return_distances=True, k_neighbors=self._n_neighbours
        )
        start = np.median(self._places[neighbours[:, :FIRST_NEIGHBOURS]], axis=1)
        return _drawn(start, pull, self._places).astype(np.float32)


def _drawn(
    start: Float64[np.ndarray, "n 2"], pull: scipy.sparse.csr_matrix, places: Float64[np.ndarray, "m 2"]
) -> Float64[np.ndarray, "n 2"]:
    """Where the pull of the old rows moves new ones to, by weighted means whose weights fall with the squared distance."""
    row_of, now = np.repeat(np.arange(len(start)), np.diff(pull.indptr)), start
    for _ in range(STEPS):
        apart = ((places[pull.indices] - now[row_of]) ** 2).sum(axis=1)
        weights = scipy.sparse.csr_matrix((pull.data / (1 + apart), pull.indices, pull.indptr), shape=pull.shape)
        now = (weights @ places) / np.asarray(weights.sum(axis=1))
    return now
