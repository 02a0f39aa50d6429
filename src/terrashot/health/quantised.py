"""How many nearest neighbours are lost when numbers are stored more coarsely."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float32, Int64

from terrashot.domain.health import Measure
from terrashot.health.distances import squared_distances
from terrashot.health.judge import above, unmeasured
from terrashot.health.survey import Sample
from terrashot.store.write_vectors import to_int8

NEIGHBOURS = 10
MOST_ASKED = 500
LOOK, BAD = 1.0, 10.0


def neighbours_lost(reference: Float[np.ndarray, "n D"], stored: Float[np.ndarray, "n D"], seed: int) -> float | None:
    """Of 100 of the 10 nearest neighbours of each chip, how many are no longer among the 10 nearest: points.

    Up to 500 chips are asked about, among all rows given. None of 10 rows and fewer.
    """
    if len(reference) <= NEIGHBOURS:
        return None
    asked = np.sort(np.random.default_rng(seed).permutation(len(reference))[:MOST_ASKED])
    before, after = _neighbours(reference, asked), _neighbours(stored, asked)
    kept = (before[:, :, None] == after[:, None, :]).any(axis=2)
    return float(100 * (1 - kept.mean()))


def quantisation_measure(sample: Sample, measured: Mapping[str, float] | None, seed: int) -> Measure:
    """`quantisation`: of the numbers as they are stored, where that was measured; else of what int8 would lose."""
    block = sample.block
    if measured is not None and block in measured:
        points = measured[block]
        sentence = f"as stored, {points:.1f} of 100 nearest neighbours are other ones than before"
        verdict = above(points, look=LOOK, bad=BAD)
        return Measure("quantisation", block, points, verdict, sentence + ("" if verdict == "good" else _ADVICE))
    steps, size = to_int8(sample.vectors)
    lost = neighbours_lost(sample.vectors, steps.astype(np.float32) * size[:, None], seed)
    if lost is None:
        return unmeasured("quantisation", block, f"{len(sample.vectors)} vectors; more than {NEIGHBOURS} are needed")
    sentence = (
        f"what it was stored from is not told; stored as int8, {lost:.1f} of 100 nearest neighbours would be others"
    )
    verdict = above(lost, look=BAD, bad=100.0)
    return Measure("quantisation", block, lost, verdict, sentence + ("" if verdict == "good" else _CRUSHED))


_ADVICE = "; store float16 if they matter"
_CRUSHED = ": a few numbers are so large that the others are lost beside them"


def _neighbours(vectors: Float[np.ndarray, "n D"], asked: Int64[np.ndarray, " q"]) -> Int64[np.ndarray, "q k"]:
    centred: Float32[np.ndarray, "n D"] = vectors.astype(np.float32)
    centred -= centred.mean(axis=0)
    distances = squared_distances(centred[asked], centred)
    distances[np.arange(len(asked)), asked] = np.inf
    return np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
