"""How much of each chip lies on which values of a raster: cells counted by the exact share of each that lies inside.

A map in degrees has cells that shrink towards the poles; inside one chip all count alike, as in exactextract.
P: vertices. N: chips. h, w: pixels of the part of the raster that was read.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Float64, UInt8
from numba import njit

from terrashot.labels.cell_spans import spans_inside
from terrashot.labels.shapes import Shapes

TABLES = 4
"""Counted into by turns: neighbours are mostly alike, and one number would wait for its own last change."""
WORD = 8
"""Bytes that are compared at once: most of land cover lies in runs of one class."""
ALIKE = np.uint64(0x0101010101010101)
"""Times a byte: a word of that byte alone."""


def weights_by_value(pixels: UInt8[np.ndarray, "h w"], shapes: Shapes) -> Float64[np.ndarray, "N 256"]:
    """Cells of each value inside each chip, in cells; those that an edge cuts count by their share.

    Args:
        shapes: column and row in `pixels`; what lies beyond them counts nothing.
    """
    return _weights_by_value(pixels, shapes.vertices, shapes.ring_starts, shapes.shape_starts)


def totals(
    pixels: Float[np.ndarray, "h w"], missing: Float[np.ndarray, " k"], shapes: Shapes, limits: tuple[float, float]
) -> Float64[np.ndarray, "N 3"]:
    """Of each chip the weight of its valid cells, in cells, the weighted sum of their numbers, and one of these beyond the limits.

    The last is NaN where all lie within them.

    Args:
        pixels: float32 or float64; a kernel is compiled for each.
        missing: numbers that say nothing, k of them, in the precision of the pixels; what is not finite says nothing either.
        limits: the least and the greatest number that may be.
    """
    return _totals(pixels, missing, *limits, shapes.vertices, shapes.ring_starts, shapes.shape_starts)


@njit(cache=True, nogil=True)
@no_type_check
def _weights_by_value(
    pixels: np.ndarray, vertices: np.ndarray, ring_starts: np.ndarray, shape_starts: np.ndarray
) -> np.ndarray:
    found = np.zeros((len(shape_starts) - 1, 256))
    counts = np.zeros((TABLES, 256), np.int64)
    words = np.empty(pixels.shape[1] // WORD + 1, np.uint64)
    for shape in range(len(found)):
        rings = ring_starts[shape_starts[shape] : shape_starts[shape + 1] + 1]
        rows, starts, stops, shares = spans_inside(vertices, rings, pixels.shape[0], pixels.shape[1])
        counts[:] = 0
        for span in range(len(rows)):
            part = pixels[rows[span]][starts[span] : stops[span]]
            if shares[span] == 1.0:
                _count(part, words, counts)
            else:
                for value in part:
                    found[shape, value] += shares[span]
        for value in range(256):
            found[shape, value] += counts[0, value] + counts[1, value] + counts[2, value] + counts[3, value]
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _count(part: np.ndarray, words: np.ndarray, counts: np.ndarray) -> None:
    """Into the tables; `words` is room for a copy, since a row of pixels begins anywhere."""
    own = words.view(np.uint8)
    for col in range(len(part)):
        own[col] = part[col]
    n_words = len(part) // WORD
    for number in range(n_words):
        value = words[number] & np.uint64(255)
        if words[number] == value * ALIKE:
            counts[0, value] += WORD
        else:
            for col in range(WORD * number, WORD * (number + 1), TABLES):
                counts[0, own[col]] += 1
                counts[1, own[col + 1]] += 1
                counts[2, own[col + 2]] += 1
                counts[3, own[col + 3]] += 1
    for col in range(WORD * n_words, len(part)):
        counts[0, own[col]] += 1


@njit(cache=True, nogil=True)
@no_type_check
def _totals(
    pixels: np.ndarray, missing: np.ndarray, low: float, high: float,
    vertices: np.ndarray, ring_starts: np.ndarray, shape_starts: np.ndarray,
) -> np.ndarray:  # fmt: skip
    found = np.zeros((len(shape_starts) - 1, 3))
    room = np.empty(pixels.shape[1], pixels.dtype)
    for shape in range(len(found)):
        found[shape, 2] = np.nan
        rings = ring_starts[shape_starts[shape] : shape_starts[shape + 1] + 1]
        rows, starts, stops, shares = spans_inside(vertices, rings, pixels.shape[0], pixels.shape[1])
        for span in range(len(rows)):
            part = pixels[rows[span]][starts[span] : stops[span]]
            known = room[: len(part)]
            found[shape, 0] += shares[span] * _keep_known(part, missing, known)
            if _beyond(known, low, high):
                found[shape, 2] = _one_beyond(known, low, high)
            found[shape, 1] += shares[span] * _sum(known)
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _keep_known(part: np.ndarray, missing: np.ndarray, known: np.ndarray) -> int:
    """How many numbers say something; `known` holds them, and NaN in place of the others."""
    for col in range(len(part)):
        known[col] = part[col] if np.abs(part[col]) < np.inf else np.nan
    for one in missing:
        for col in range(len(part)):
            known[col] = np.nan if known[col] == one else known[col]
    count = 0
    for col in range(len(part)):
        count += known[col] == known[col]
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _beyond(known: np.ndarray, low: float, high: float) -> int:
    count = 0
    for col in range(len(known)):
        count += (known[col] < low) | (known[col] > high)
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _one_beyond(known: np.ndarray, low: float, high: float) -> float:
    for number in known:
        if number < low or number > high:
            return number
    return np.nan


@njit(cache=True, nogil=True)
@no_type_check
def _sum(known: np.ndarray) -> float:
    """Of all that are numbers; those that are not become 0.

    Four sums run side by side, since one would wait for its own last change; their order is fixed, so that the bytes are the same
    on every machine.
    """
    for col in range(len(known)):
        known[col] = known[col] if known[col] == known[col] else 0
    sum_0 = sum_1 = sum_2 = sum_3 = 0.0
    fours = len(known) // 4 * 4
    for col in range(0, fours, 4):
        sum_0 += known[col]
        sum_1 += known[col + 1]
        sum_2 += known[col + 2]
        sum_3 += known[col + 3]
    for col in range(fours, len(known)):
        sum_0 += known[col]
    return (sum_0 + sum_1) + (sum_2 + sum_3)
