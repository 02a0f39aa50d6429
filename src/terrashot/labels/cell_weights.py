"""How much of each chip lies on which values of a raster: cells counted by the exact share of each that lies inside, block by block.

A map in degrees has cells that shrink towards the poles; inside one chip all count alike, as in exactextract.
N: chips. h, w: pixels of a block.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Float64, UInt8
from numba import njit

from terrashot.labels.cell_spans import Spans

TABLES = 4
"""Counted into by turns: neighbours are mostly alike, and one number would wait for its own last change."""
WORD = 8
"""Bytes that are compared at once: most of land cover lies in runs of one class."""
ALIKE = np.uint64(0x0101010101010101)
"""Times a byte: a word of that byte alone."""


def add_weights(
    weights: Float64[np.ndarray, "N 256"], spans: Spans, row: int, col: int, pixels: UInt8[np.ndarray, "h w"]
) -> None:
    """Nothing; each chip's cells of each value in this block are added, in cells; those that an edge cuts count by their share.

    Args:
        row: of the block's first pixel among those that the spans count from; `col` as well, either of them below 0 or not.
    """
    beyond = -pixels.shape[1] % WORD
    whole = np.ascontiguousarray(np.pad(pixels, ((0, 0), (0, beyond))) if beyond else pixels)
    _add_weights(weights, spans.cells, spans.starts, spans.boxes, row, col, whole, whole.view(np.uint64))


def add_totals(
    totals: Float64[np.ndarray, "N 3"], spans: Spans, row: int, col: int, pixels: Float[np.ndarray, "h w"],
    missing: float, limits: tuple[float, float],
) -> None:  # fmt: skip
    """Nothing; the weight of each chip's valid cells, in cells, and the weighted sum of their numbers are added, within the limits.

    Args:
        totals: the two, and a number of the chip beyond the limits, which is left as it is where all lie within them.
        row, col: as `add_weights`.
        pixels: float32 or float64; a kernel is compiled for each.
        missing: a number that says nothing, in the precision of the pixels; what is not finite says nothing either.
        limits: the least and the greatest number that may be.
    """
    most = np.finfo(pixels.dtype).max
    numbers = map(pixels.dtype.type, (missing, *np.clip(limits, -most, most)))
    _add_totals(totals, spans.cells, spans.starts, spans.boxes, row, col, pixels, *numbers)


@njit(cache=True, nogil=True)
@no_type_check
def _meets(box: np.ndarray, row: int, col: int, height: int, width: int) -> bool:
    return box[0] < row + height and box[1] > row and box[2] < col + width and box[3] > col


@njit(cache=True, nogil=True)
@no_type_check
def _first_from(cells: np.ndarray, first: int, last: int, row: int) -> int:
    """Of the spans `first` to `last`, the first in that row or below it."""
    while first < last:
        middle = (first + last) // 2
        if cells[middle].row < row:
            first = middle + 1
        else:
            last = middle
    return first


@njit(cache=True, nogil=True)
@no_type_check
def _add_weights(
    weights: np.ndarray, cells: np.ndarray, starts: np.ndarray, boxes: np.ndarray,
    row: int, col: int, pixels: np.ndarray, words: np.ndarray,
) -> None:  # fmt: skip
    height, width = pixels.shape
    counts = np.zeros((TABLES, 256), np.int64)
    for chip in range(len(boxes)):
        if not _meets(boxes[chip], row, col, height, width):
            continue
        counts[:] = 0
        for number in range(_first_from(cells, starts[chip], starts[chip + 1], row), starts[chip + 1]):
            span = cells[number]
            if span.row >= row + height:
                break
            start, stop = max(span.start - col, 0), min(span.stop - col, width)
            if span.share < 1.0:
                for at in range(start, stop):
                    weights[chip, pixels[span.row - row, at]] += span.share
            elif start < stop:
                _count(pixels, words, span.row - row, start, stop, counts)
        for value in range(256):
            weights[chip, value] += counts[0, value] + counts[1, value] + counts[2, value] + counts[3, value]


@njit(cache=True, nogil=True)
@no_type_check
def _count(pixels: np.ndarray, words: np.ndarray, row: int, start: int, stop: int, counts: np.ndarray) -> None:
    """Into the tables, pixels `start` to `stop` of a row."""
    first, last = -(-start // WORD), stop // WORD
    for col in range(start, min(WORD * first, stop)):
        counts[0, pixels[row, col]] += 1
    for col in range(max(WORD * last, WORD * first), stop):
        counts[0, pixels[row, col]] += 1
    for number in range(first, last):
        value = words[row, number] & np.uint64(255)
        if words[row, number] == value * ALIKE:
            counts[0, value] += WORD
        else:
            for col in range(WORD * number, WORD * (number + 1), TABLES):
                counts[0, pixels[row, col]] += 1
                counts[1, pixels[row, col + 1]] += 1
                counts[2, pixels[row, col + 2]] += 1
                counts[3, pixels[row, col + 3]] += 1


@njit(cache=True, nogil=True)
@no_type_check
def _add_totals(
    totals: np.ndarray, cells: np.ndarray, starts: np.ndarray, boxes: np.ndarray, row: int, col: int, pixels: np.ndarray,
    missing: float, low: float, high: float,
) -> None:  # fmt: skip
    height, width = pixels.shape
    sums = np.empty(width)
    for chip in range(len(boxes)):
        if not _meets(boxes[chip], row, col, height, width):
            continue
        sums[:] = 0
        weight = total = 0.0
        for number in range(_first_from(cells, starts[chip], starts[chip + 1], row), starts[chip + 1]):
            span = cells[number]
            if span.row >= row + height:
                break
            start, stop = max(span.start - col, 0), min(span.stop - col, width)
            if start >= stop:
                continue
            if span.share < 1.0:
                known, own = _cut(pixels, span.row - row, start, stop, missing, low, high)
                total += span.share * own
            else:
                known = _add_whole(pixels[span.row - row][start:stop], missing, low, high, sums[start:stop])
            weight += span.share * known
            if known < stop - start:
                totals[chip, 2] = _one_beyond(pixels[span.row - row][start:stop], missing, low, high, totals[chip, 2])
        totals[chip, 0] += weight
        for at in range(width):
            total += sums[at]
        totals[chip, 1] += total


@njit(cache=True, nogil=True)
@no_type_check
def _add_whole(part: np.ndarray, missing: float, low: float, high: float, sums: np.ndarray) -> int:
    """How many numbers say something and lie within the limits.

    Each column has a sum of its own: one for all would wait for its own last change, or be added up in another order on another
    machine.
    """
    count = np.int32(0)
    for at in range(len(part)):
        number = part[at]
        is_known = (number >= low) & (number <= high) & (number != missing)
        sums[at] += number if is_known else 0.0
        count = np.int32(count + is_known)  # as wide as a pixel, so that as many are looked at together
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _cut(pixels: np.ndarray, row: int, start: int, stop: int, missing: float, low: float, high: float) -> tuple:
    """The same of cells that an edge cuts, which are few, and the sum of their numbers."""
    count, total = 0, 0.0
    for col in range(start, stop):
        number = pixels[row, col]
        if number >= low and number <= high and number != missing:
            count, total = count + 1, total + number
    return count, total


@njit(cache=True, nogil=True)
@no_type_check
def _one_beyond(part: np.ndarray, missing: float, low: float, high: float, other: float) -> float:
    """A number that says something and lies beyond the limits; `other` where there is none."""
    count = 0
    for at in range(len(part)):
        number = part[at]
        count += (np.abs(number) < np.inf) & (number != missing) & ((number < low) | (number > high))
    if not count:
        return other
    for number in part:
        if np.abs(number) < np.inf and number != missing and (number < low or number > high):
            return number
    return other
