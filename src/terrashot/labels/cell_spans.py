"""Which share of each cell of a raster lies inside a polygon: exact, by what its edges leave to their right.

An edge that goes down through a row of cells covers, in each cell, what lies right of it; one that goes up takes the same away. The
sum over all edges, cell by cell along the row, is the covered share. Only cells that an edge passes through are looked at: between two
of them the share stays as it is, so that a row of a chip is a few spans, most of its cells in one of share 1.

Source: the exact-area scan conversion of font rasterisers (R. Levien, font-rs, 2016), in double precision and with spans.
S: spans. N: chips.
"""

import math
from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Int64, Shaped
from numba import njit

from terrashot.labels.shapes import Shapes

ROUNDING = 1e-9
"""A share within this of 0 or 1 is 0 or 1: sums of shares carry 1e-13 along a row."""
INSERTED = 24
"""Up to so many events of a row are sorted by insertion, which is fastest for few."""
SPAN = np.dtype([("share", np.float64), ("row", np.int32), ("start", np.int32), ("stop", np.int32)], align=True)
EVENT = np.dtype([("value", np.float64), ("row", np.int32), ("col", np.int32)], align=True)
"""Where along which row the covered share changes, and by how much."""


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Cells of chips in runs of one share above 0, chip by chip and row by row."""

    cells: Shaped[np.ndarray, " S"]
    """Share, row, first column and column after the last."""
    starts: Int64[np.ndarray, " _"]
    """Of each chip among them, and their number: (N + 1,)."""
    boxes: Int64[np.ndarray, "N 4"]
    """Around each chip's cells: first row, row after the last, first column, column after the last; zeros where it has none."""

    def __len__(self) -> int:
        return len(self.boxes)


def spans_of(shapes: Shapes, height: int, width: int) -> Spans:
    """The cells of a raster of that size that lie inside each polygon.

    Args:
        shapes: in pixels, the corner of the first one at 0, 0.
    """
    return Spans(*_spans_of(shapes.vertices, shapes.ring_starts, shapes.shape_starts, height, width))


@njit(cache=True, nogil=True)
@no_type_check
def _spans_of(
    vertices: np.ndarray, ring_starts: np.ndarray, shape_starts: np.ndarray, height: int, width: int
) -> tuple:
    n_shapes = len(shape_starts) - 1
    found, count = np.empty(4096, SPAN), 0
    starts, boxes, line = np.zeros(n_shapes + 1, np.int64), np.zeros((n_shapes, 4), np.int64), np.zeros(width + 1)
    for shape in range(n_shapes):
        rings = ring_starts[shape_starts[shape] : shape_starts[shape + 1] + 1]
        events, row_starts = _by_row(_events(vertices, rings, height, width))
        if count + len(events) > len(found):
            wider = np.empty(2 * len(found) + len(events), SPAN)
            wider[:count] = found[:count]
            found = wider
        for row in range(len(row_starts) - 1):
            first = row_starts[row]
            last = _sort(events, first, row_starts[row + 1], line)
            count = _spans_of_row(events, first, last, width, found, count)
        starts[shape + 1] = count
        boxes[shape] = _box(found[starts[shape] : count])
    return found[:count], starts, boxes


@njit(cache=True, nogil=True)
@no_type_check
def _spans_of_row(events: np.ndarray, first: int, last: int, width: int, found: np.ndarray, count: int) -> int:
    """The number of spans, after those of one row, whose events are `first` to `last`."""
    share, start = 0.0, 0
    for event in range(first, last + 1):
        stop = events[event].col if event < last else width
        if stop > start and share > ROUNDING:
            span = found[count]
            span.share, span.row = 1.0 if share > 1 - ROUNDING else share, events[first].row
            span.start, span.stop = start, stop
            count += 1
        start = stop
        share += events[event].value if event < last else 0.0
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _box(spans: np.ndarray) -> tuple:
    if len(spans) == 0:
        return 0, 0, 0, 0
    first, end = spans[0].start, spans[0].stop
    for span in spans:
        first, end = min(first, span.start), max(end, span.stop)
    return spans[0].row, spans[-1].row + 1, first, end


@njit(cache=True, nogil=True)
@no_type_check
def _by_row(events: np.ndarray) -> tuple:
    """All events row by row; where those of each row begin, from the first that has any, and their number."""
    if len(events) == 0:
        return events, np.zeros(1, np.int64)
    top, bottom = events[0].row, events[0].row
    for event in events:
        top, bottom = min(top, event.row), max(bottom, event.row)
    starts = np.zeros(bottom - top + 3, np.int64)
    for event in events:
        starts[event.row - top + 2] += 1
    for row in range(2, len(starts)):
        starts[row] += starts[row - 1]
    found = np.empty(len(events), EVENT)
    for event in events:
        found[starts[event.row - top + 1]] = event
        starts[event.row - top + 1] += 1
    return found, starts[:-1]


@njit(cache=True, nogil=True)
@no_type_check
def _sort(events: np.ndarray, first: int, last: int, line: np.ndarray) -> int:
    """Events `first` to `last` are in the order of their columns; the new last: of many, those of one column become one.

    Args:
        line: zeros, one a column and one more; zeros again afterwards.
    """
    if last - first > INSERTED:
        return _sort_many(events, first, last, line)
    for event in range(first + 1, last):
        col, value, at = events[event].col, events[event].value, event
        while at > first and events[at - 1].col > col:
            events[at].col, events[at].value = events[at - 1].col, events[at - 1].value
            at -= 1
        events[at].col, events[at].value = col, value
    return last


@njit(cache=True, nogil=True)
@no_type_check
def _sort_many(events: np.ndarray, first: int, last: int, line: np.ndarray) -> int:
    low = high = events[first].col
    for event in range(first, last):
        col = events[event].col
        line[col] += events[event].value
        low, high = min(low, col), max(high, col)
    for col in range(low, high + 1):
        if line[col] != 0:
            events[first].col, events[first].value = col, line[col]
            line[col], first = 0.0, first + 1
    return first


@njit(cache=True, nogil=True)
@no_type_check
def _events(vertices: np.ndarray, ring_starts: np.ndarray, height: int, width: int) -> np.ndarray:
    """Of all edges of one polygon, edge by edge."""
    most, turn = 0, 0.0
    for ring in range(len(ring_starts) - 1):
        before = ring_starts[ring + 1] - 1
        x_0, y_0 = vertices[ring_starts[0], 0], vertices[ring_starts[0], 1]
        for vertex in range(ring_starts[ring], ring_starts[ring + 1]):
            wide = abs(vertices[vertex, 0] - vertices[before, 0])
            high = abs(vertices[vertex, 1] - vertices[before, 1])
            most += int(min(wide, width)) + 4 * (int(min(high, height)) + 3)
            turn += (vertices[before, 0] - x_0) * (vertices[vertex, 1] - y_0)
            turn -= (vertices[vertex, 0] - x_0) * (vertices[before, 1] - y_0)
            before = vertex
    way = -1.0 if turn > 0 else 1.0
    events, count = np.empty(most, EVENT), 0
    for ring in range(len(ring_starts) - 1):
        before = ring_starts[ring + 1] - 1
        for vertex in range(ring_starts[ring], ring_starts[ring + 1]):
            (x_0, y_0), (x_1, y_1) = vertices[before], vertices[vertex]
            count = _edge(x_0, y_0, x_1, y_1, way, height, width, events, count)
            before = vertex
    return events[:count]


@njit(cache=True, nogil=True)
@no_type_check
def _edge(
    x_0: float, y_0: float, x_1: float, y_1: float, way: float, height: int, width: int, events: np.ndarray, count: int
) -> int:
    """The number of events, after those of one edge, row by row."""
    if y_0 > y_1:
        x_0, y_0, x_1, y_1, way = x_1, y_1, x_0, y_0, -way
    top, bottom = max(y_0, 0.0), min(y_1, float(height))
    if top >= bottom:
        return count
    slope = (x_1 - x_0) / (y_1 - y_0)
    row, y, x = math.floor(top), top, x_0 + slope * (top - y_0)
    while y < bottom:
        y_next = min(row + 1.0, bottom)
        x_next = x_1 if y_next == y_1 else x_0 + slope * (y_next - y_0)
        count = _piece(min(x, x_next), max(x, x_next), way * (y_next - y), row, width, events, count)
        y, x, row = y_next, x_next, row + 1
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _piece(low: float, high: float, change: float, row: int, width: int, events: np.ndarray, count: int) -> int:
    """The number of events, after those of a piece of an edge inside one row; what lies beyond the row's ends is cut off."""
    if low >= width:
        return count
    before = 0.0
    if high <= 0:
        before, change = change, 0.0
    elif low < 0:
        before = change * (-low / (high - low))
        change, low = change - before, 0.0
    if change != 0 and high > width:
        change, high = change * ((width - low) / (high - low)), float(width)
    if before != 0:
        count = _put(events, count, row, 0, before)
    if change == 0:
        return count
    first, last = math.floor(low), math.ceil(high)
    carried, per_px = 0.0, change / (high - low) if high > low else 0.0
    for col in range(first, max(last, first + 1)):
        start, stop = max(low, float(col)), min(high, col + 1.0)
        own = per_px * (stop - start) if last > first + 1 else change
        right = own * (0.5 * (start + stop) - col)
        if col < width:
            count = _put(events, count, row, col, carried + own - right)
        carried = right
    end = max(last, first + 1)
    return _put(events, count, row, end, carried) if carried != 0 and end < width else count


@njit(cache=True, nogil=True)
@no_type_check
def _put(events: np.ndarray, count: int, row: int, col: int, value: float) -> int:
    """The number of events, after one more."""
    event = events[count]
    event.row, event.col, event.value = row, col, value
    return count + 1
