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


def weights_by_value(pixels: UInt8[np.ndarray, "h w"], shapes: Shapes) -> Float64[np.ndarray, "N 256"]:
    """Cells of each value inside each chip, in cells; those that an edge cuts count by their share.

    Args:
        shapes: column and row in `pixels`; what lies beyond them counts nothing.
    """
    return _weights_by_value(pixels, shapes.vertices, shapes.ring_starts, shapes.shape_starts)


def totals(
    pixels: Float[np.ndarray, "h w"], missing: Float[np.ndarray, " k"], shapes: Shapes
) -> Float64[np.ndarray, "N 4"]:
    """Of each chip the weight of its valid cells, in cells, the weighted sum of their numbers, the least and the greatest of these.

    Args:
        pixels: float32 or float64; a kernel is compiled for each.
        missing: numbers that say nothing, k of them, in the precision of the pixels; what is not finite says nothing either.
    """
    return _totals(pixels, missing, shapes.vertices, shapes.ring_starts, shapes.shape_starts)


@njit(cache=True, nogil=True)
@no_type_check
def _weights_by_value(
    pixels: np.ndarray, vertices: np.ndarray, ring_starts: np.ndarray, shape_starts: np.ndarray
) -> np.ndarray:
    found = np.zeros((len(shape_starts) - 1, 256))
    counts = np.zeros((TABLES, 256), np.int64)
    for shape in range(len(found)):
        rings = ring_starts[shape_starts[shape] : shape_starts[shape + 1] + 1]
        rows, starts, stops, shares = spans_inside(vertices, rings, pixels.shape[0], pixels.shape[1])
        counts[:] = 0
        for span in range(len(rows)):
            line = pixels[rows[span]]
            if shares[span] == 1.0:
                _count(line, starts[span], stops[span], counts)
            else:
                for col in range(starts[span], stops[span]):
                    found[shape, line[col]] += shares[span]
        for value in range(256):
            found[shape, value] += counts[0, value] + counts[1, value] + counts[2, value] + counts[3, value]
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _count(line: np.ndarray, start: int, stop: int, counts: np.ndarray) -> None:
    whole = start + (stop - start) // TABLES * TABLES
    for col in range(start, whole, TABLES):
        counts[0, line[col]] += 1
        counts[1, line[col + 1]] += 1
        counts[2, line[col + 2]] += 1
        counts[3, line[col + 3]] += 1
    for col in range(whole, stop):
        counts[0, line[col]] += 1


@njit(cache=True, nogil=True)
@no_type_check
def _totals(
    pixels: np.ndarray, missing: np.ndarray, vertices: np.ndarray, ring_starts: np.ndarray, shape_starts: np.ndarray
) -> np.ndarray:
    found = np.zeros((len(shape_starts) - 1, 4))
    for shape in range(len(found)):
        least, greatest = np.inf, -np.inf
        rings = ring_starts[shape_starts[shape] : shape_starts[shape + 1] + 1]
        rows, starts, stops, shares = spans_inside(vertices, rings, pixels.shape[0], pixels.shape[1])
        for span in range(len(rows)):
            line, count, total = pixels[rows[span]], 0, 0.0
            for col in range(starts[span], stops[span]):
                number = line[col]
                is_known = np.isfinite(number)
                for one in missing:
                    is_known &= number != one
                if is_known:
                    count += 1
                    total += number
                    least, greatest = min(least, number), max(greatest, number)
            found[shape, 0] += shares[span] * count
            found[shape, 1] += shares[span] * total
        found[shape, 2], found[shape, 3] = least, greatest
    return found
