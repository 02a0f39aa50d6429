"""Whether every vector is a vector: finite, of ordinary length, not empty in whole or in part. One pass over all rows."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from terrashot.domain.health import Measure
from terrashot.health.judge import above, unmeasured
from terrashot.health.survey import row_blocks

RUN_SHARE, SHORTEST_RUN, DENSE = 0.25, 8, 0.05
"""A vector is empty in part where this share of its numbers, and at least so many, are 0 one beside the other. Not so where half of
all vectors have more than the third share of zeros: they are of a kind that is often 0."""
MUCH_EMPTY = 0.25
ALL_ONE = 1.01


@dataclass(frozen=True, slots=True, eq=False)
class RowFacts:
    """What one pass over a block tells of each row."""

    there: Bool[np.ndarray, " N"]
    """False where the chip has no vector: all NaN."""
    finite: Bool[np.ndarray, " N"]
    length: Float64[np.ndarray, " N"]
    """Euclidean; NaN unless finite."""
    empty_share: Float32[np.ndarray, " N"]
    """Share of the numbers that are exactly 0."""
    empty_part: Bool[np.ndarray, " N"]
    """One of the parts of the vector, or a long run of its numbers, is all zeros."""
    empty_column: Bool[np.ndarray, " D"]
    """0 in every finite vector."""

    @property
    def usable(self) -> Bool[np.ndarray, " N"]:
        """Finite and not all zeros: what the other measures are taken on."""
        usable: np.ndarray = self.finite & (self.length > 0)
        return usable


def look_at_rows(block: Float[np.ndarray, "N D"], n_parts: int) -> RowFacts:
    """The facts of all rows; memory holds some rows at a time."""
    n, width = block.shape
    facts = RowFacts(
        np.zeros(n, bool), np.zeros(n, bool), np.full(n, np.nan), np.zeros(n, np.float32), np.zeros(n, bool),
        np.ones(width, bool),
    )  # fmt: skip
    for rows in row_blocks(n, width):
        some = block[rows].astype(np.float64)
        facts.there[rows] = ~np.isnan(some).all(axis=1)
        facts.finite[rows] = np.isfinite(some).all(axis=1)
        finite = np.where(facts.finite[rows, None], some, 0)
        facts.length[rows] = np.where(facts.finite[rows], np.linalg.norm(finite, axis=1), np.nan)
        empty = finite == 0
        facts.empty_share[rows] = empty.mean(axis=1)
        facts.empty_part[rows] = _has_empty_part(empty, n_parts)
        facts.empty_column[:] &= empty.all(axis=0)
    return facts


def _has_empty_part(empty: Bool[np.ndarray, "n D"], n_parts: int) -> Bool[np.ndarray, " n"]:
    """Which vectors are zero in a whole part, or in a long run. Zeros of rectified features lie scattered; filled ones do not."""
    numbers_left = np.count_nonzero(~empty.reshape(len(empty), n_parts, -1), axis=2)
    found: np.ndarray = np.min(numbers_left, axis=1) == 0
    run = max(SHORTEST_RUN, math.ceil(RUN_SHARE * empty.shape[1]))
    maybe = np.flatnonzero(~found & (empty.sum(axis=1) >= run))
    before = np.zeros((len(maybe), empty.shape[1] + 1), dtype=np.int64)
    np.cumsum(empty[maybe], axis=1, out=before[:, 1:])
    in_window: np.ndarray = before[:, run:] - before[:, :-run]
    found[maybe] = in_window.max(axis=1, initial=0) == run
    return found


def row_measures(block: str, facts: RowFacts) -> list[Measure]:
    """`finite`, `zeros` and `norms`."""
    return [_finite(block, facts), _zeros(block, facts), _norms(block, facts)]


def _finite(block: str, facts: RowFacts) -> Measure:
    n, there = len(facts.there), int(facts.there.sum())
    broken = int((facts.there & ~facts.finite).sum())
    have = f"{there:,} of {n:,} chips have a vector" if there < n else f"all {n:,} chips have a vector"
    if there == 0:
        return Measure("finite", block, 1.0, "bad", f"none of {n:,} chips has a vector")
    if broken:
        return Measure("finite", block, broken / there, "bad", f"{have}; {broken:,} of them hold NaN or infinity")
    return Measure("finite", block, 0.0, "good", f"{have}, all finite")


def _zeros(block: str, facts: RowFacts) -> Measure:
    if not facts.finite.any():
        return unmeasured("zeros", block, "no finite vector")
    share, length = facts.empty_share[facts.finite], facts.length[facts.finite]
    empty = length == 0
    half = ~empty & facts.empty_part[facts.finite]
    if np.median(share) > DENSE:
        half[:] = False
    columns = float(facts.empty_column.mean())
    hit = float((empty | half).mean())
    sentence = (
        f"{int(empty.sum()):,} vectors are all zeros, {int(half.sum()):,} are zeros in a whole part; "
        f"{int(facts.empty_column.sum()):,} of {len(facts.empty_column):,} numbers are 0 for every chip"
    )
    verdict = "bad" if hit > 0 else above(columns, look=0.0, bad=MUCH_EMPTY)
    advice = "; absent was filled with zeros: make them null" if hit else ""
    return Measure("zeros", block, max(hit, columns), verdict, sentence + advice)


def _norms(block: str, facts: RowFacts) -> Measure:
    length = facts.length[facts.usable]
    if not len(length):
        return unmeasured("norms", block, "no vector that is finite and not all zeros")
    low, middle, high = (float(value) for value in (length.min(), np.median(length), length.max()))
    ratio = max(high / middle, middle / low)
    sentence = (
        f"lengths from {low:.3g} to {high:.3g}, half of them above {middle:.3g}"
        if ratio > ALL_ONE
        else f"lengths of {middle:.3g}"
    )
    verdict = above(ratio, look=10, bad=1000)
    return Measure("norms", block, ratio, verdict, sentence + ("" if verdict == "good" else "; few chips outweigh all"))
