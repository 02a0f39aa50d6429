"""Whether chips beside each other have vectors like each other's. Where not, vectors and places are not of the same chips."""

import numpy as np
from jaxtyping import Float32, Float64, Int64

from terrashot.domain.health import HealthVerdict, Measure
from terrashot.health.features import Features, block_features
from terrashot.health.judge import LEAST_ACCORD, PERMUTATIONS, Accord, unmeasured
from terrashot.health.places import Pairs, nearest_of_area
from terrashot.health.survey import Survey

MOST_PAIRS = 1500
FEWEST = 20
FARTHEST_KM = 10.0
"""Land this far apart need have nothing in common, so that unlike neighbours prove nothing."""
OF_IMAGES = 0.4
"""Vectors of sound tables are alike beside each other to 0.6 and more of what the statistics of their images are, also of untrained
towers; with half of the ids mixed up to 0.2 to 0.4; docs/health.md."""


def neighbour_measure(
    survey: Survey,
    block: str,
    rows: Int64[np.ndarray, " n"],
    places: Float64[np.ndarray, "N 3"],
    images: Features | None,
) -> Measure:
    """`neighbours`: mean cosine, about the mean of their area, between a chip's vector and its nearest chip's.

    0 where vectors were dealt out at random within each area, 1 where neighbours are the same. Held against vectors that are
    shuffled within their areas, and against the same of the images' statistics. Related to Moran's I: Moran 1950,
    doi:10.1093/biomet/37.1-2.17.

    Args:
        rows: of the table, by id: those with a sound vector.
    """
    found = nearest_of_area(places, survey.area, rows[~np.isnan(places[rows, 0])])
    pairs = found.some(survey.some(np.arange(len(found.left)), MOST_PAIRS, "neighbours"))
    if len(pairs.left) < FEWEST:
        return unmeasured(
            "neighbours", block, f"{len(pairs.left)} chips have a place and a neighbour; {FEWEST} are needed"
        )
    accord = _accord(survey, block_features(survey.table, block), pairs)
    theirs, km = _of_images(survey, images, pairs), float(np.median(pairs.km))
    verdict, advice = _verdict(accord, theirs, km)
    beside = "" if theirs is None else f", and their images to {theirs:.2f}"
    return Measure(
        "neighbours", block, accord.value, verdict,
        f"neighbours ({km:.2g} km apart) are alike to {accord.words}{beside}{advice}",
    )  # fmt: skip


def _verdict(accord: Accord, images: float | None, km: float) -> tuple[HealthVerdict, str]:
    """Verdict, and what to think of it."""
    verdict = accord.verdict
    if verdict == "bad" and km <= FARTHEST_KM:
        return "bad", ": no more than any two chips of an area; ids, rows or places are mixed up"
    if verdict != "good":
        return "look", "; too few, or too far apart, to tell whether ids and places are mixed up"
    if images is not None and accord.value < OF_IMAGES * images:
        return "look", "; far less than their images: some of the ids may be mixed up"
    if images is None and accord.value < LEAST_ACCORD and km <= FARTHEST_KM:
        return "look", "; hardly more than chance: some of the ids may be mixed up"
    return "good", ""


def _of_images(survey: Survey, images: Features | None, pairs: Pairs) -> float | None:
    """The same of the images of these chips; None where too few are known."""
    if images is None:
        return None
    known = images.known(np.unique(pairs.ends))
    seen = pairs.some(np.flatnonzero(np.isin(pairs.left, known) & np.isin(pairs.right, known)))
    return _accord(survey, images, seen).value if len(seen.left) >= FEWEST else None


def _accord(survey: Survey, features: Features, pairs: Pairs) -> Accord:
    # By id: rows of the file may come in any order.
    rank, member = np.unique(survey.rank[pairs.ends], return_inverse=True)
    chips = survey.order[rank]
    area, rng = survey.area[chips], survey.random("shuffle neighbours")
    directions = about_area(features.of(chips), area)
    cosines, (left, right) = directions @ directions.T, member.reshape(2, -1)
    dealt = [np.arange(len(chips)), *(shuffled(area, rng) for _ in range(PERMUTATIONS))]
    means = np.array([cosines[own[left], own[right]].mean(dtype=np.float64) for own in dealt])
    return Accord(float(means[0]), means[1:])


def about_area(vectors: Float32[np.ndarray, "n D"], area: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n D"]:
    """Unit vectors from the mean of each chip's area; zeros at the mean itself."""
    centred = vectors.copy()
    for name in np.unique(area):
        centred[area == name] -= vectors[area == name].mean(axis=0, dtype=np.float64).astype(np.float32)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)


def shuffled(area: Int64[np.ndarray, " n"], rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """Numbers of chips, dealt anew within each area."""
    dealt = np.arange(len(area))
    for name in np.unique(area):
        own = np.flatnonzero(area == name)
        dealt[own] = rng.permutation(own)
    return dealt
