"""Whether like chips are found in other areas too. Where not: other land, or another model, scale or unit."""

import numpy as np
from jaxtyping import Float32, Float64, Int64

from terrashot.domain.health import HealthVerdict, Measure
from terrashot.health.distances import squared_distances
from terrashot.health.features import Features
from terrashot.health.judge import below
from terrashot.health.survey import Survey, numbers

LOOK, NONE = 0.1, 0.01
"""Mixing of 0.29 and more in sound tables; 0 to 0.09 where one area was moved by a quarter of the spread of its vectors, 0 where
another model embedded it; docs/health.md."""
OF_HALVES = 0.25
"""Areas that mix more than this share of what their own halves do are as mixed as dense chips on a smooth land can be."""
OF_IMAGES = 10
"""Times that the images of the areas must mix more than their vectors, for the vectors to be to blame."""
ENOUGH = 20
"""Chips of two areas without regard to area of which half have like ones in the other: fewer may all be there by chance."""


def mixing_measure(
    survey: Survey,
    block: str,
    rows: Int64[np.ndarray, " n"],
    places: Float64[np.ndarray, "N 3"],
    images: Features | None,
) -> Measure:
    """`mixing`, as the function, beside that of halves of each area and of the images' statistics.

    Args:
        rows: of the table, by id: those with a sound vector, of two areas at least.
        images: simple features of the same chips, where there are some.
    """
    vectors, area = numbers(survey.table.blocks[block], rows), survey.area[rows]
    value, halves = mixing(vectors, area), _of_halves(vectors, area, places[rows])
    sentence = f"the likest chip lies in another area {100 * value:.0f} % as often as if areas did not matter"
    verdict: HealthVerdict = "good" if value > OF_HALVES * halves else below(value, look=LOOK, bad=0.0)
    seen = images.known(rows) if images else rows[:0]
    if images and len(np.unique(survey.area[seen])) > 1:
        theirs = mixing(images.of(seen), survey.area[seen])
        sentence += f"; {100 * theirs:.0f} % by the statistics of the images"
        is_told = value < NONE and theirs * len(seen) >= ENOUGH and OF_IMAGES * value < theirs
        verdict = "bad" if is_told else verdict
    return Measure("mixing", block, value, verdict, sentence + ("" if verdict == "good" else _ADVICE))


_ADVICE = "; either their land has nothing in common, or one was embedded by another model or from other units"


def mixing(vectors: Float32[np.ndarray, "n D"], area: Int64[np.ndarray, " n"]) -> float:
    """Share of the chips whose nearest other chip lies in another area, over that of chips without regard to area.

    1 where areas do not matter, 0 where they have nothing in common. Source: Schilling 1986, doi:10.1080/01621459.1986.10478337.
    """
    centred = vectors - vectors.mean(axis=0)
    distances = squared_distances(centred, centred)
    np.fill_diagonal(distances, np.inf)
    elsewhere = float((area[distances.argmin(axis=1)] != area).mean())
    _, counts = np.unique(area, return_counts=True)
    by_chance = 1 - float((counts * (counts - 1)).sum()) / (len(area) * (len(area) - 1))
    return elsewhere / by_chance


def _of_halves(
    vectors: Float32[np.ndarray, "n D"], area: Int64[np.ndarray, " n"], places: Float64[np.ndarray, "n 3"]
) -> float:
    """Mean mixing of two halves of each area, cut across its longest side; infinite where places are not known."""
    if np.isnan(places).any():
        return np.inf
    found = []
    for name in np.unique(area):
        own = np.flatnonzero(area == name)
        along = places[own][:, np.argmax(np.ptp(places[own], axis=0))]
        side = (along > np.median(along)).astype(np.int64)
        if len(np.unique(side)) == 2:
            found.append(mixing(vectors[own], side))
    return float(np.mean(found)) if found else np.inf
