"""The best cut of a node along one feature, from a histogram of the node's rows over the feature's bins.

Two criteria. `classes`: Gini, for any number of classes. `moments`: variance of the target, for regression; and for two
classes written 0 and 1, whose variance is half their Gini impurity: one sum then does the work of two.

A score is a fraction (numerator, denominator), compared by cross-multiplying: no division per bin. The occupied bins are
the bits of a 64-bit word, so that a node of ten rows costs ten steps and not 64.
"""

from collections.abc import Callable
from typing import Any, no_type_check

import numpy as np
from numba import njit, types
from numba.core.cgutils import true_bit
from numba.extending import intrinsic

ANY_CUT = -1
NO_CUT = -1


@intrinsic
@no_type_check
def lowest_bit(_context: Any, _word: Any) -> tuple[Any, Callable[..., Any]]:
    """Place of the lowest bit of a 64-bit word that is not 0."""

    def emit(_compiler: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], true_bit)

    return types.uint64(types.uint64), emit


@intrinsic
@no_type_check
def bits_above(_context: Any, _word: Any) -> tuple[Any, Callable[..., Any]]:
    """How many bits stand empty above the highest bit of a 64-bit word that is not 0."""

    def emit(_compiler: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], true_bit)

    return types.uint64(types.uint64), emit


@njit(cache=True, nogil=True)
@no_type_check
def fill_moments(column: np.ndarray, sample: Any, start: int, end: int, histogram: np.ndarray) -> np.uint64:
    """Occupied bins, after adding weighted targets and weights of rows `start` to `end` of the sample."""
    occupied = np.uint64(0)
    for at in range(start, end):
        value = column[sample.row[at]]
        weight = sample.weight[at]
        histogram[value, 0] += sample.target[at] * weight
        histogram[value, 1] += weight
        occupied |= np.uint64(1) << np.uint64(value)
    return occupied


@njit(cache=True, nogil=True)
@no_type_check
def fill_classes(column: np.ndarray, sample: Any, start: int, end: int, histogram: np.ndarray) -> np.uint64:
    """Occupied bins, after adding the weights of rows `start` to `end` of the sample to their classes."""
    occupied = np.uint64(0)
    for at in range(start, end):
        value = column[sample.row[at]]
        histogram[value, np.uint32(np.int32(sample.target[at]))] += sample.weight[at]
        occupied |= np.uint64(1) << np.uint64(value)
    return occupied


@njit(cache=True, nogil=True)
@no_type_check
def cut_moments(histogram: np.ndarray, occupied: np.uint64, total: np.ndarray, only: int) -> tuple[float, float, int]:
    """Numerator and denominator of the best score, and the last bin that goes left; empties the histogram.

    Score: (mean left - mean right)^2 * weight left * weight right, which is the fall of the sum of squares times the
    node's weight. `only`: the one cut to be looked at, or ANY_CUT.
    """
    best_over, best_under, cut = -1.0, 1.0, NO_CUT
    whole, weight = total[0], total[1]
    left, weight_left, previous = 0.0, 0.0, -1
    while occupied:
        place = lowest_bit(occupied)
        occupied &= occupied - np.uint64(1)
        value = int(place)
        if previous >= 0 and (only == ANY_CUT or previous <= only < value):
            apart = left * weight - whole * weight_left
            over, under = apart * apart, weight_left * (weight - weight_left)
            if over * best_under > best_over * under:
                # Halfway between the occupied bins, as a threshold on the values would lie.
                best_over, best_under, cut = over, under, (previous + value) // 2
        left += histogram[place, 0]
        weight_left += histogram[place, 1]
        histogram[place, 0] = 0
        histogram[place, 1] = 0
        previous = value
    return best_over, best_under, cut


# Sums may be reordered, into lanes: they are whole numbers, exact in any order.
@njit(cache=True, nogil=True, fastmath={"reassoc"})
@no_type_check
def cut_classes(
    histogram: np.ndarray, occupied: np.uint64, total: np.ndarray, gone: np.ndarray, only: int
) -> tuple[float, float, int]:
    """As `cut_moments`, for classes; score: squared class weights over the side's weight, summed over both sides.

    Kept up to date as rows cross over: left sum of squares, and the product of left and whole, from which the right sum
    of squares follows. `gone`: room for the class weights on the left.
    """
    best_over, best_under, cut, previous = -1.0, 1.0, NO_CUT, -1
    weight, weight_left, squares, squares_left, product = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(len(total)):
        weight += total[k]
        squares += total[k] * total[k]
        gone[k] = 0
    while occupied:
        place = lowest_bit(occupied)
        occupied &= occupied - np.uint64(1)
        value = int(place)
        if previous >= 0 and (only == ANY_CUT or previous <= only < value):
            weight_right, squares_right = weight - weight_left, squares - 2 * product + squares_left
            over, under = squares_left * weight_right + squares_right * weight_left, weight_left * weight_right
            if over * best_under > best_over * under:
                best_over, best_under, cut = over, under, (previous + value) // 2
        for k in range(len(total)):
            moved = histogram[place, k]
            weight_left += moved
            product += total[k] * moved
            squares_left += (2 * gone[k] + moved) * moved
            gone[k] += moved
            histogram[place, k] = 0
        previous = value
    return best_over, best_under, cut
