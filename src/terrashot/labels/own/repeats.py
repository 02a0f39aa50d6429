"""Rows that stand twice, or say two things of one place."""

import numpy as np
import shapely
from jaxtyping import Int64

from terrashot.labels.own.bad_rows import BadRows, shown
from terrashot.labels.own.label_rows import LabelRows


def refuse_repeats(rows: LabelRows, bad: BadRows, *, classes_agree: bool) -> LabelRows:
    """The rows without those that repeat an earlier one; where classes contradict each other, without any of the place.

    Several numbers at one place are several measurements, and stay.

    Args:
        classes_agree: a place has one class; else it may have several, as a place with two species does.
    """
    place = _places(rows)
    said = _said(rows)
    first = _first_of(place * (int(said.max(initial=0)) + 1) + said)
    is_repeat = first != np.arange(len(rows))
    bad.add(rows.number, is_repeat, lambda row: f"repeats row {rows.number[first[row]]}: same place, same value")
    if classes_agree and rows.code is not None:
        _refuse_contradictions(rows, place, is_repeat, bad)
    return rows.take(~bad.is_bad(rows.number))


def _refuse_contradictions(rows: LabelRows, place: np.ndarray, is_repeat: np.ndarray, bad: BadRows) -> None:
    assert rows.code is not None, "classes were asked for"
    code, kept = rows.code, np.flatnonzero(~is_repeat)
    counts = np.bincount(place[kept], minlength=int(place.max(initial=0)) + 1)
    torn = kept[counts[place[kept]] > 1]
    order = torn[np.argsort(place[torn], kind="stable")]
    if not len(order):
        return
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    group = np.repeat(starts, np.diff(np.append(starts, len(order))))
    # Of each row the first of its place that says something else: the first of all, or, of that one, the next.
    other = order[np.where(np.arange(len(order)) == group, group + 1, group)]
    reason = {
        int(row): f"disagrees with row {rows.number[with_]} of the same place: "
        f"{shown(rows.names[code[row]])}, not {shown(rows.names[code[with_]])}"
        for row, with_ in zip(order.tolist(), other.tolist(), strict=True)
    }
    is_torn = np.zeros(len(rows), dtype=bool)
    is_torn[order] = True
    bad.add(rows.number, is_torn, reason.__getitem__)


def _places(rows: LabelRows) -> Int64[np.ndarray, " R"]:
    """A number a place: the coordinates themselves, to the last digit."""
    if rows.shapes is not None:
        # By a digest a shape, for bytes of many shapes would be sorted for long.
        coded = shapely.to_wkb(rows.shapes)
        return np.unique(np.array([hash(each) for each in coded.tolist()], dtype=np.int64), return_inverse=True)[1]
    order = np.lexsort((rows.lat_deg, rows.lon_deg))
    lon, lat = rows.lon_deg[order], rows.lat_deg[order]
    is_new = np.ones(len(rows), dtype=bool)
    is_new[1:] = (np.diff(lon) != 0) | (np.diff(lat) != 0)
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.cumsum(is_new) - 1
    return place


def _said(rows: LabelRows) -> Int64[np.ndarray, " R"]:
    if rows.code is not None:
        return rows.code
    if rows.amount is not None:
        return np.unique(rows.amount, return_inverse=True)[1].ravel()
    return np.zeros(len(rows), dtype=np.int64)


def _first_of(group: Int64[np.ndarray, " R"]) -> Int64[np.ndarray, " R"]:
    """Of each row the first of its group."""
    _, first, member = np.unique(group, return_index=True, return_inverse=True)
    return first[member.ravel()]
