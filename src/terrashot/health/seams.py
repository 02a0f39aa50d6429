"""Whether vectors jump where nothing but a border of our own making lies: of an area, a group of chips, a UTM zone."""

import numpy as np
from jaxtyping import Float, Float64, Int64

from terrashot.domain.health import HealthVerdict, Measure
from terrashot.health.distances import lengths_between
from terrashot.health.judge import unmeasured
from terrashot.health.places import Pairs, adjacent, zones
from terrashot.health.survey import Survey

BORDERS = ("area", "group", "zone")
FEWEST, MOST_CROSSING = 50, 2000
RESAMPLES = 200
LEAST_DISTANCE = 0.01
"""In units of the middle distance between neighbours."""
LOOK, BAD, SURELY = 1.2, 1.3, 1.1
"""Times the distance between neighbours on one side: 0.94 to 1.17 over 180 tilings without a seam; 1.2 to 2.2, most often 1.5, where
every tile was moved by half the spread of the vectors; docs/health.md."""


def seam_measures(
    survey: Survey, block: str, rows: Int64[np.ndarray, " n"], places: Float64[np.ndarray, "N 3"]
) -> list[Measure]:
    """`seam_area`, `seam_group` and `seam_zone`: distance across each border that is there, beside that on either side."""
    placed = rows[~np.isnan(places[rows, 0])]
    pairs = adjacent(places, placed)
    jumps = {border: _jumps(survey, block, pairs, _sides(survey, placed, border)) for border in BORDERS}
    found = [_seam(survey, block, border, own) for border, own in jumps.items() if len(own) >= FEWEST]
    return found or [
        unmeasured("seams", block, f"fewer than {FEWEST} neighbours lie across a border of areas, groups or zones")
    ]


def _seam(survey: Survey, block: str, border: str, jumps: Float64[np.ndarray, " c"]) -> Measure:
    draws = survey.random(f"seam {border}").integers(len(jumps), size=(RESAMPLES, len(jumps)))
    value = float(np.exp(np.median(jumps)))
    surely = float(np.exp(np.quantile(np.median(jumps[draws], axis=1), 0.01)))
    verdict = _verdict(value, surely)
    sentence = f"across borders of {border}s neighbours are {value:.2f} times as far apart as on one side ({len(jumps):,} pairs)"
    return Measure(f"seam_{border}", block, value, verdict, sentence + ("" if verdict == "good" else _ADVICE))


_ADVICE = "; chips on its sides were not prepared or embedded alike, or the land changes there"


def _verdict(value: float, surely: float) -> HealthVerdict:
    if value > BAD and surely > SURELY:
        return "bad"
    return "look" if value > LOOK and surely > 1 else "good"


def _jumps(survey: Survey, block: str, pairs: Pairs, side: Int64[np.ndarray, " N"]) -> Float64[np.ndarray, " c"]:
    """Of pairs across a border, log distance less the mean of that of both chips to their neighbours on their own side.

    Each is held against its own surroundings, so that rough land beside a border is no seam.
    """
    known = (side[pairs.left] >= 0) & (side[pairs.right] >= 0)
    crosses = known & (side[pairs.left] != side[pairs.right])
    vectors = survey.table.blocks[block]
    crossing = survey.some(np.flatnonzero(crosses), MOST_CROSSING, "crossing")
    ends = np.unique(pairs.some(crossing).ends)
    beside = np.flatnonzero(known & ~crosses & (np.isin(pairs.left, ends) | np.isin(pairs.right, ends)))
    own = _mean_by_chip(vectors, pairs.some(beside))
    jumps = _logs(vectors, pairs.some(crossing)) - (own[pairs.left[crossing]] + own[pairs.right[crossing]]) / 2
    return jumps[~np.isnan(jumps)]


def _logs(vectors: Float[np.ndarray, "N D"], pairs: Pairs) -> Float64[np.ndarray, " p"]:
    """Logarithms of distances; two chips of one vector are not infinitely near, else they would outweigh all others."""
    lengths = lengths_between(vectors, pairs.left, pairs.right)
    least = LEAST_DISTANCE * float(np.median(lengths)) if len(lengths) else 0.0
    return np.log(lengths + least + np.finfo(np.float64).tiny)


def _mean_by_chip(vectors: Float[np.ndarray, "N D"], pairs: Pairs) -> Float64[np.ndarray, " N"]:
    """Mean log distance over the pairs that each chip is in; NaN in none."""
    n, logs = len(vectors), _logs(vectors, pairs)
    counts = np.bincount(pairs.ends, minlength=n)
    sums = np.bincount(pairs.ends, np.concatenate([logs, logs]), minlength=n)
    return np.divide(sums, counts, out=np.full(n, np.nan), where=counts > 0)


def _sides(survey: Survey, rows: Int64[np.ndarray, " n"], border: str) -> Int64[np.ndarray, " N"]:
    """Number of the side that each chip lies on; -1 where none is told."""
    chips, side = survey.table.chips, np.full(len(survey.table.chips), -1, dtype=np.int64)
    if border == "zone":
        side[rows] = zones(chips, rows) if len(rows) else 0
        return side
    names = np.array(["" if name is None else name for name in getattr(chips, border)], dtype=str)
    _, codes = np.unique(names, return_inverse=True)
    return np.where(names == "", -1, codes).astype(np.int64)
