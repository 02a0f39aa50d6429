"""Which share of each cell of a raster lies inside a polygon: exact, by what its edges leave to their right.

An edge that goes down through a row of cells covers, in each cell, what lies right of it; one that goes up takes the same away. The
sum over all edges, cell by cell along the row, is the covered share. Only cells that an edge passes through are looked at: between two
of them the share stays as it is, so that a row of a chip is a few spans, most of its cells in one of share 1.

Source: the exact-area scan conversion of font rasterisers (R. Levien, font-rs, 2016), in double precision and with spans.
"""

import math
from typing import no_type_check

import numpy as np
from numba import njit

ROUNDING = 1e-9
"""A share within this of 0 or 1 is 0 or 1: sums of shares carry 1e-13 along a row."""
INSERTED = 48
"""Up to so many events of a row are sorted by insertion, which is fastest for few."""


@njit(cache=True, nogil=True)
@no_type_check
def spans_inside(vertices: np.ndarray, ring_starts: np.ndarray, height: int, width: int) -> tuple:
    """Row, first column, column after the last, and share, of each span with a share above 0, row by row.

    Args:
        vertices: (P, 2) column and row of rings in pixels, the corner of the first pixel at 0, 0; of one polygon.
        ring_starts: of each ring among them, and their number.
    """
    rows, cols, values, count = _events(vertices, ring_starts, height, width)
    top, own_cols, own_values, starts = _by_row(rows[:count], cols, values)
    found_row, found_start, found_stop = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.int32)
    found_share, found = np.empty(count), 0
    for row in range(len(starts) - 1):
        first, last = starts[row], starts[row + 1]
        _sort(own_cols, own_values, first, last)
        share, start = 0.0, 0
        for event in range(first, last + 1):
            stop = own_cols[event] if event < last else width
            if stop > start and share > ROUNDING:
                found_row[found], found_start[found], found_stop[found] = top + row, start, stop
                found_share[found] = 1.0 if share > 1 - ROUNDING else share
                found += 1
            start = stop
            share += own_values[event] if event < last else 0.0
    return found_row[:found], found_start[:found], found_stop[:found], found_share[:found]


@njit(cache=True, nogil=True)
@no_type_check
def _by_row(rows: np.ndarray, cols: np.ndarray, values: np.ndarray) -> tuple:
    """The first row with an event; columns and values of all events row by row; where those of each row begin, and their number."""
    top, bottom = (rows.min(), rows.max()) if len(rows) else (0, -1)
    starts = np.zeros(bottom - top + 3, np.int32)
    for row in rows:
        starts[row - top + 2] += 1
    for row in range(2, len(starts)):
        starts[row] += starts[row - 1]
    own_cols, own_values = np.empty(len(rows), np.int32), np.empty(len(rows))
    for event in range(len(rows)):
        at = starts[rows[event] - top + 1]
        own_cols[at], own_values[at] = cols[event], values[event]
        starts[rows[event] - top + 1] += 1
    return top, own_cols, own_values, starts[:-1]


@njit(cache=True, nogil=True)
@no_type_check
def _events(vertices: np.ndarray, ring_starts: np.ndarray, height: int, width: int) -> tuple:
    """Where along which row the covered share changes, by how much, and how many such places there are."""
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
    rows, cols, values = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most)
    count = 0
    for ring in range(len(ring_starts) - 1):
        before = ring_starts[ring + 1] - 1
        for vertex in range(ring_starts[ring], ring_starts[ring + 1]):
            count = _edge(
                vertices[before, 0], vertices[before, 1], vertices[vertex, 0], vertices[vertex, 1], way, height, width,
                rows, cols, values, count,
            )  # fmt: skip
            before = vertex
    return rows, cols, values, count


@njit(cache=True, nogil=True)
@no_type_check
def _edge(
    x_0: float, y_0: float, x_1: float, y_1: float, way: float, height: int, width: int,
    rows: np.ndarray, cols: np.ndarray, values: np.ndarray, count: int,
) -> int:  # fmt: skip
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
        count = _piece(min(x, x_next), max(x, x_next), way * (y_next - y), row, width, rows, cols, values, count)
        y, x, row = y_next, x_next, row + 1
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _piece(
    low: float, high: float, change: float, row: int, width: int,
    rows: np.ndarray, cols: np.ndarray, values: np.ndarray, count: int,
) -> int:  # fmt: skip
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
        rows[count], cols[count], values[count] = row, 0, before
        count += 1
    if change == 0:
        return count
    first, last = math.floor(low), math.ceil(high)
    carried, per_px = 0.0, change / (high - low) if high > low else 0.0
    for col in range(first, max(last, first + 1)):
        start, stop = max(low, float(col)), min(high, col + 1.0)
        own = per_px * (stop - start) if last > first + 1 else change
        right = own * (0.5 * (start + stop) - col)
        if col < width:
            rows[count], cols[count], values[count] = row, col, carried + own - right
            count += 1
        carried = right
    end = max(last, first + 1)
    if carried != 0 and end < width:
        rows[count], cols[count], values[count] = row, end, carried
        count += 1
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _sort(cols: np.ndarray, values: np.ndarray, first: int, last: int) -> None:
    """Events `first` to `last` are in the order of their columns."""
    if last - first > INSERTED:
        order = np.argsort(cols[first:last], kind="mergesort")
        cols[first:last], values[first:last] = cols[first:last][order], values[first:last][order]
        return
    for event in range(first + 1, last):
        col, value, at = cols[event], values[event], event
        while at > first and cols[at - 1] > col:
            cols[at], values[at] = cols[at - 1], values[at - 1]
            at -= 1
        cols[at], values[at] = col, value
