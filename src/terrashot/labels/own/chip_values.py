"""Rows that were joined to chips, as a value of each chip.

P: pairs of a row and a chip. N: chips. K: classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from terrashot.domain.tables import Chips
from terrashot.labels.own.bad_rows import BadRows, shown
from terrashot.labels.own.label_rows import LabelRows
from terrashot.own_label_sections import OwnLabelsSection


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Which row lies in which chip, and how much of the chip."""

    row: Int64[np.ndarray, " P"]
    chip: Int64[np.ndarray, " P"]
    weight: Float64[np.ndarray, " P"]
    """1 of a point; metres of a line, square metres of a polygon, inside the chip."""
    covered: Float64[np.ndarray, " N"]
    """Share of each chip that polygons cover, those that overlap once; NaN of points and lines."""
    of_class: Float64[np.ndarray, "N K"]
    """Sums of the weights by class, where polygons of one class overlap once; K is 1 where the rows have no class."""


def values_of(
    joined: Joined, rows: LabelRows, section: OwnLabelsSection, chips: Chips, chip_area_m2: np.ndarray, bad: BadRows
) -> np.ndarray:
    """The target: float64 with NaN, or class names with None; a chip with a tie has none, and its rows are bad."""
    known = np.isin(np.arange(len(joined.covered)), joined.chip)
    if section.how == "majority":
        return _majority(joined, rows, section.min_covered, chips.ids, bad)
    if section.how == "mean":
        return _mean(joined, rows, section.min_covered)
    looked_for = [index for index, name in enumerate(rows.of_class) if not section.of or name in section.of]
    if section.how == "fraction":
        found = np.minimum(joined.of_class[:, looked_for].sum(axis=1) / chip_area_m2, 1.0)
    else:
        counts = np.zeros(len(joined.covered))
        is_counted = (
            np.ones(len(joined.row), dtype=bool) if rows.code is None else np.isin(rows.code[joined.row], looked_for)
        )
        np.add.at(counts, joined.chip[is_counted], 1.0)
        found = counts if section.how == "count" else (counts > 0).astype(np.float64)
    return found if section.elsewhere == "none" else np.where(known, found, np.nan)


def _majority(joined: Joined, rows: LabelRows, min_covered: float, ids: Sequence[str], bad: BadRows) -> np.ndarray:
    most = joined.of_class.max(axis=1, initial=0.0)
    # Areas that are meant to be alike differ by roundings.
    leads = (joined.of_class >= most[:, None] * (1 - 1e-9)) & (most > 0)[:, None]
    torn = leads.sum(axis=1) > 1
    _refuse_ties(joined, rows, leads, torn, ids, bad)
    is_known = (most > 0) & ~torn & ~(joined.covered < min_covered)
    found = np.full(len(most), None, dtype=object)
    names = np.array(rows.names, dtype=object)
    found[is_known] = names[joined.of_class[is_known].argmax(axis=1)]
    return found


def _refuse_ties(
    joined: Joined, rows: LabelRows, leads: np.ndarray, torn: np.ndarray, ids: Sequence[str], bad: BadRows
) -> None:
    assert rows.code is not None, "a majority is one of classes"
    code = rows.code
    in_tie = np.flatnonzero(torn[joined.chip] & leads[joined.chip, code[joined.row]])

    def reason(position: int) -> str:
        pair = in_tie[position]
        own = int(code[joined.row[pair]])
        other = next(int(index) for index in np.flatnonzero(leads[joined.chip[pair]]) if index != own)
        return f"disagrees: chip {ids[joined.chip[pair]]} has as much of {shown(rows.names[own])} as of {shown(rows.names[other])}"

    bad.add(rows.number[joined.row[in_tie]], np.ones(len(in_tie), dtype=bool), reason)


def _mean(joined: Joined, rows: LabelRows, min_covered: float) -> Float64[np.ndarray, " N"]:
    assert rows.amount is not None, "a mean is one of numbers"
    sums: Callable[[np.ndarray], np.ndarray] = lambda by: np.bincount(joined.chip, by, len(joined.covered))  # noqa: E731
    weight = sums(joined.weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = sums(joined.weight * rows.amount[joined.row]) / weight
    return np.where((weight > 0) & ~(joined.covered < min_covered), found, np.nan)
