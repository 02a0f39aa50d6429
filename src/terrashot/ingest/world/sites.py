"""Places strewn over the globe, and to which of them each pixel belongs: towns, ponds, districts of fields.

P pixels. One place lies in each cell of a lattice of rows along the parallels; each row holds a whole number of cells,
so that it closes on itself.
"""

from dataclasses import dataclass
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numba import njit

from terrashot.ingest.world.lattice import EARTH_RADIUS_M
from terrashot.ingest.world.noise import mixed, uniform

JITTER: Final = 0.7
"""How far places stray in their cells, as a share of the cell."""
NOWHERE: Final = -1e9


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large places are: a power law (Pareto, truncated) between two radii, of which a share exists."""

    smallest_m: float = 0.0
    largest_m: float = 0.0
    """At most the lattice's cell: a place reaches no farther than the neighbouring cells."""
    steepness: float = 1.0
    share: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """The place that each pixel belongs to: the one with the largest `depth_m`."""

    key: Int64[np.ndarray, " P"]
    """Names the place; 0 where none is near."""
    second: Int64[np.ndarray, " P"]
    """Names the next in rank."""
    depth_m: Float32[np.ndarray, " P"]
    """Radius less distance: above 0 inside; far below 0 where no place is near."""
    border_m: Float32[np.ndarray, " P"]
    """How much deeper than in the next place; about twice the distance to the border between them."""
    east_m: Float32[np.ndarray, " P"]
    """From the place's middle."""
    north_m: Float32[np.ndarray, " P"]
    radius_m: Float32[np.ndarray, " P"]


def sites(
    lon_deg: Float64[np.ndarray, " P"],
    lat_deg: Float64[np.ndarray, " P"],
    *,
    cell_m: float,
    seed: int,
    sizes: Sizes = Sizes(),
) -> Sites:
    """The place each pixel belongs to."""
    law = (sizes.smallest_m, sizes.largest_m, sizes.steepness, sizes.share)
    keys, numbers = _strongest(np.radians(lon_deg), np.radians(lat_deg), cell_m, seed, law)
    return Sites(keys[0], keys[1], *numbers)


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _strongest(
    lon: np.ndarray, lat: np.ndarray, cell_m: float, seed: int, law: tuple[float, float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    keys, numbers = np.empty((2, len(lon)), np.int64), np.empty((5, len(lon)), np.float32)
    near, names = np.empty((3, 3, 4)), np.empty((3, 3), np.int64)
    there, there_names, n_there = np.empty((9, 4)), np.empty(9, np.int64), 0
    counts, cells_a_rad = np.zeros(3, np.int64), np.zeros(3)
    cols, last_row = np.zeros(3, np.int64), 1 << 62
    for p in range(len(lon)):
        row, is_new = int(np.floor(lat[p] * EARTH_RADIUS_M / cell_m)), False
        for k in range(3):
            # Pixels in a row mostly share their cells: places are made once a cell.
            if row != last_row:
                counts[k] = _cells_in_row(row + k - 1, cell_m)
                cells_a_rad[k] = counts[k] / (2 * np.pi)
            col = int(np.floor(lon[p] * cells_a_rad[k]))
            if row != last_row or cols[k] != col:
                cols[k], is_new = col, True
                _fill(near[k], names[k], (row + k - 1, col, counts[k]), cell_m, seed, law)
        if is_new:
            n_there = _gather(near, names, there, there_names)
        last_row = row
        _rank((there, there_names, n_there), lon[p], lat[p], p, (keys, numbers))
    return keys, numbers


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _cells_in_row(row: int, cell_m: float) -> int:
    around_m = 2 * np.pi * EARTH_RADIUS_M * np.cos((row + 0.5) * cell_m / EARTH_RADIUS_M)
    return max(1, int(np.round(around_m / cell_m)))


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _fill(
    near: np.ndarray, names: np.ndarray, place: tuple[int, int, int], cell_m: float, seed: int, law: tuple[float, ...]
) -> None:
    """Longitude, latitude, metres a radian of longitude, radius of the places in three cells of one row."""
    row, col, count = place
    for j in range(3):
        bits = mixed(row, (col + j - 1) % count, 0, seed)
        names[j] = np.int64(bits >> np.uint64(1))
        lat = (row + 0.5 + JITTER * (uniform(mixed(bits, 1, 0, 0)) - 0.5)) * cell_m / EARTH_RADIUS_M
        near[j, 0] = (col + j - 1 + 0.5 + JITTER * (uniform(mixed(bits, 2, 0, 0)) - 0.5)) / count * 2 * np.pi
        near[j, 1] = lat
        near[j, 2] = EARTH_RADIUS_M * np.cos(lat)
        cut = 1 - (law[0] / law[1]) ** law[2] if law[1] > 0 else 1.0
        near[j, 3] = law[0] * (1 - cut * uniform(mixed(bits, 3, 0, 0))) ** (-1 / law[2])
        if uniform(mixed(bits, 4, 0, 0)) >= law[3]:
            near[j, 3] = NOWHERE


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _gather(near: np.ndarray, names: np.ndarray, there: np.ndarray, there_names: np.ndarray) -> int:
    """How many of the nine places exist; those are copied. Where none does, the first is nowhere."""
    count, there_names[0] = 0, 0
    there[0] = 0
    for k in range(3):
        for j in range(3):
            if near[k, j, 3] > NOWHERE:
                there[count], there_names[count] = near[k, j], names[k, j]
                count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
@no_type_check
def _rank(
    places: tuple[np.ndarray, np.ndarray, int], lon: float, lat: float, p: int, found: tuple[np.ndarray, np.ndarray]
) -> None:
    # Inlined, and no clever early ends: called as a function or with them it takes twice the time.
    there, names, count = places
    keys, numbers = found
    best, second, first, next_one = 3 * NOWHERE, 3 * NOWHERE, 0, 0
    for i in range(count):
        east = (lon - there[i, 0]) * there[i, 2]
        north = (lat - there[i, 1]) * EARTH_RADIUS_M
        depth = there[i, 3] - np.sqrt(east * east + north * north)
        if depth > best:
            second, next_one, best, first = best, first, depth, i
        elif depth > second:
            second, next_one = depth, i
    keys[0, p], keys[1, p] = names[first], names[next_one]
    numbers[0, p], numbers[1, p] = best, best - second
    numbers[2, p] = (lon - there[first, 0]) * there[first, 2]
    numbers[3, p] = (lat - there[first, 1]) * EARTH_RADIUS_M
    numbers[4, p] = there[first, 3]
