"""Whether two descriptions of the same chips agree on which chips are alike: two modalities, or vectors and simple features."""

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy.stats import rankdata

from terrashot.domain.health import HealthVerdict, Measure
from terrashot.health.distances import squared_distances
from terrashot.health.features import Features
from terrashot.health.judge import PERMUTATIONS, Accord, unmeasured
from terrashot.health.neighbours import shuffled
from terrashot.health.survey import Survey

MOST = 400
FEWEST = 20


def agreement_measure(survey: Survey, own: Features, other: Features, *, rows: Int64[np.ndarray, " n"]) -> Measure:
    """`agreement`: rank correlation of the distances between chips in a block with those in other features of the same chips.

    Within areas, and against features that are dealt out anew within each area. Nothing needs to be comparable between the
    two. The features of the next chip by id must not fit better than the chip's own: rows moved by one. Sensors may see
    other things: between blocks of no common model, no agreement is worth a look at most.

    Source: Mantel 1967, Cancer Research 27:209; with ranks.

    Args:
        rows: of the table, by id: those with a sound vector.
    """
    pair = f"{own.name} & {other.name}"
    rows = other.known(rows[survey.area[rows] >= 0])
    if len(rows) < FEWEST:
        return unmeasured("agreement", pair, f"{len(rows)} chips have both; {FEWEST} are needed")
    some = survey.some(np.arange(len(rows)), MOST, f"agreement {pair}")
    area = survey.area[rows[some]]
    ranks = _ranks(own.of(rows[some]), area)
    theirs, before, after = (_ranks(other.of(np.roll(rows, moved)[some]), area) for moved in (0, 1, -1))
    accord = _accord(ranks, theirs, area, survey.random(f"shuffle {pair}"))
    worst: HealthVerdict = "bad" if other.own_units or survey.table.model is not None else "look"
    return _measure(pair, accord, worst, max(float((ranks * beside).sum()) for beside in (before, after)))


def _measure(pair: str, accord: Accord, worst: HealthVerdict, next_one: float) -> Measure:
    sentence = f"which chips are alike is agreed on to {accord.words}"
    if next_one > max(accord.value, float(accord.chance.max())):
        moved = f"; the next chip by id fits better ({next_one:.2f}): rows are moved by one"
        return Measure("agreement", pair, accord.value, worst, sentence + moved)
    verdict = worst if accord.verdict == "bad" else accord.verdict
    return Measure("agreement", pair, accord.value, verdict, sentence + _ADVICE[accord.verdict])


_ADVICE = {
    "good": "",
    "look": "; too few chips to tell whether ids are mixed up",
    "bad": ": no more than of other chips; ids of one of them are mixed up, or one tells nothing of the chips",
}


def _accord(
    left: Float64[np.ndarray, "n n"],
    right: Float64[np.ndarray, "n n"],
    area: Int64[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Accord:
    chance = np.empty(PERMUTATIONS)
    for number in range(PERMUTATIONS):
        dealt = shuffled(area, rng)
        chance[number] = (left * right[np.ix_(dealt, dealt)]).sum()
    return Accord(float((left * right).sum()), chance)


def _ranks(features: Float32[np.ndarray, "n F"], area: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n n"]:
    """Ranks of the distances between chips, centred, so that the sum of a product of two such is a correlation; 0 of all alike."""
    centred = features.copy()
    for name in np.unique(area):
        centred[area == name] -= centred[area == name].mean(axis=0, dtype=np.float64).astype(np.float32)
    upper = np.triu_indices(len(centred), 1)
    ranks = rankdata(squared_distances(centred, centred)[upper])
    ranks -= ranks.mean()
    size = np.sqrt(2 * np.square(ranks).sum())
    square = np.zeros((len(centred), len(centred)))
    square[upper] = ranks / size if size > 0 else 0.0
    return square + square.T
