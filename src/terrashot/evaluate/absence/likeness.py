"""How like altered vectors are to whole ones: their cosine, and whether a chip's other modality is still found."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from terrashot.domain.retrieval import one_vector, recall_at

KS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Of the chips that have a vector; None where none has, and recall where there is one modality."""

    cosine: float | None
    cosine_low5: float | None
    """5th percentile."""
    recall: Mapping[int, float | None]
    """By k, mean over the ordered pairs of modalities; a chip without a vector is not found."""


UNKNOWN = Likeness(None, None, dict.fromkeys(KS))


class Partners:
    """The whole vectors of some chips by modality, among which partners are sought."""

    def __init__(
        self, whole: Float32[np.ndarray, "n P"], n_parts: Mapping[str, int], *, shared: int | None = None
    ) -> None:
        """The partners are ready to be sought.

        Args:
            n_parts: by modality, in the order in which their parts stand side by side.
            shared: as `ChannelVectors.shared`: by these numbers of a part are vectors alike.
        """
        self.n_parts, self.shared = n_parts, shared
        self.whole = self._shared(whole)
        self.sought = self._by_modality(whole)
        self.found = {(a, b): recall_at(self.sought[a], self.sought[b], KS) for a, b in self._pairs()}

    def likeness(self, vectors: Float32[np.ndarray, "n P"]) -> Likeness:
        """Of altered vectors of the same chips; a modality that is as it was is not sought again."""
        has = ~np.isnan(vectors).any(axis=1)
        if not has.any():
            return UNKNOWN
        cosines = cosines_of(*(found[has].reshape(int(has.sum()), -1) for found in (self._shared(vectors), self.whole)))
        asking = self._by_modality(np.nan_to_num(vectors))
        same = {name for name, own in asking.items() if np.array_equal(own, self.sought[name])}
        recalls = [
            self.found[pair] if pair[0] in same else recall_at(asking[pair[0]], self.sought[pair[1]], KS)
            for pair in self._pairs()
        ]
        recall = {k: float(np.mean([own[k] for own in recalls])) if recalls else None for k in KS}
        return Likeness(float(cosines.mean()), float(np.percentile(cosines, 5)), recall)

    def _by_modality(self, vectors: Float32[np.ndarray, "n P"]) -> dict[str, Float32[np.ndarray, "n D"]]:
        ends = np.cumsum(list(self.n_parts.values()))
        split = np.split(self._shared(vectors), ends[:-1], axis=1)
        return {name: one_vector(own) for name, own in zip(self.n_parts, split, strict=True)}

    def _shared(self, vectors: Float32[np.ndarray, "n P"]) -> Float32[np.ndarray, "n K D"]:
        parts = vectors.reshape(len(vectors), sum(self.n_parts.values()), -1)
        return parts[:, :, parts.shape[2] - (self.shared or parts.shape[2]) :]

    def _pairs(self) -> list[tuple[str, str]]:
        return [(a, b) for a in self.n_parts for b in self.n_parts if a != b]


def cosines_of(left: Float32[np.ndarray, "n P"], right: Float32[np.ndarray, "n P"]) -> Float64[np.ndarray, " n"]:
    """Cosine of each row with the row of the same number."""
    inner = np.einsum("np,np->n", left, right, dtype=np.float64)
    lengths = np.linalg.norm(left.astype(np.float64), axis=1) * np.linalg.norm(right.astype(np.float64), axis=1)
    return np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0)
