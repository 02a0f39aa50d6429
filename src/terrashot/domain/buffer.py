"""The strip between splits: which chips lie so near to a kept set that they must leave their own."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from jaxtyping import Bool, Float64, Int64
from scipy.spatial import cKDTree

from terrashot.domain.cells import unrolled
from terrashot.domain.tables import SPLIT_NAMES, Chips

TRAIN, VAL, TEST, BUFFER = (SPLIT_NAMES.index(name) for name in ("train", "val", "test", "buffer"))
EARTH_RADIUS_M: Final = 6_371_008.8
SPACING_SAMPLE: Final = 5000
ONE_PLACE_M: Final = 1.0
"""Stands for a distance between chips that all lie at one place, so that they are neighbours."""
MORE_THAN_BINS: Final = 1 << 32
"""Along a parallel."""
ROUNDING_CHIPS: Final = 0.02
"""Chips are not of one size on the ground: the scale of a projection differs by so much across a zone."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """Width of the strip between splits: chips, or metres of ground where those are given."""

    chips: int = 0
    metres: float | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether there is a strip at all."""
        return self.chips > 0 or self.metres is not None

    def reach_chips(self, chips: Chips) -> int:
        """How many chips wide it is at least."""
        if self.metres is None or len(chips) < 2:
            return self.chips
        # A hair less, so that a buffer of whole chips is not rounded up.
        return max(1, math.ceil(self.metres / spacing_m(chips) - ROUNDING_CHIPS))


def cut_buffer(chips: Chips, codes: Int64[np.ndarray, " N"], buffer: Buffer) -> Int64[np.ndarray, " N"]:
    """The splits with a strip of that width around test, cut from train and val, then around val, from train.

    Test is never cut. Chips are counted as a king moves; between UTM zones, and for chips off our grid, by distance.
    """
    cut, reach = codes.copy(), buffer.reach_chips(chips)
    if reach == 0 or len(chips) < 2:
        return cut
    side_m = spacing_m(chips)
    for kept, losers in ((TEST, (TRAIN, VAL)), (VAL, (TRAIN,))):
        cut[np.isin(cut, losers) & near(chips, cut == kept, reach, side_m=side_m)] = BUFFER
    return cut


def near(
    chips: Chips, kept: Bool[np.ndarray, " N"], reach_chips: int, *, side_m: float | None = None
) -> Bool[np.ndarray, " N"]:
    """Which chips lie within `reach_chips` chips of one of the kept.

    Args:
        side_m: `spacing_m` of the chips, for those who know it already.
    """
    if not kept.any() or len(chips) < 2:
        return kept.copy()
    lon, lat = _places_deg(chips)
    side_m = spacing_m(chips) if side_m is None else side_m
    if chips.utm is None:
        # Half a chip more, so that rounding decides nothing.
        return _near_by_place(lon, lat, kept, (reach_chips + 0.5) * side_m)
    found = kept.copy()
    for zone in np.unique(chips.utm[:, 0]):
        here = chips.utm[:, 0] == zone
        found[here] |= _near_on_lattice(chips.utm[here, 1:], kept[here], reach_chips)
        # The next zone's lattice is turned and shifted: half a chip more again leaves the strip no narrower at a seam.
        reach_m = (reach_chips + 1) * side_m
        beyond = kept & beside_zone(chips, int(zone), reach_m)
        both = (here & ~found) | beyond
        found[both] |= _near_by_place(lon[both], lat[both], beyond[both], reach_m)
    return found


def beside_zone(chips: Chips, zone: int, reach_m: float) -> Bool[np.ndarray, " N"]:
    """Chips of other zones that lie within reach of the box around this zone's: few, however many chips there are."""
    assert chips.utm is not None, "asked for chips of our grid alone"
    lon, lat = _places_deg(chips)
    here, middle_deg = chips.utm[:, 0] == zone, zone % 100 * 6 - 183
    high = np.degrees(reach_m / EARTH_RADIUS_M)
    wide = min(high / math.cos(math.radians(min(float(np.abs(lat[here]).max()) + high, 89.0))), 180.0)
    level = np.flatnonzero(~here & (lat >= lat[here].min() - high) & (lat <= lat[here].max() + high))
    own, x = ((lon[rows] - middle_deg + 180) % 360 - 180 for rows in (here, level))
    found = np.zeros(len(chips), dtype=bool)
    found[level] = (x >= own.min() - wide) & (x <= own.max() + wide)
    return found


def _near_on_lattice(
    places: Int64[np.ndarray, "N 2"], kept: Bool[np.ndarray, " N"], reach: int
) -> Bool[np.ndarray, " N"]:
    """By whole rows and columns: sums of kept chips over squares, from a summed-area table."""
    places = places - places.min(axis=0)
    counts = np.zeros(places.max(axis=0) + 2 * reach + 2, dtype=np.int32)
    np.add.at(counts, tuple((places + reach + 1).T), kept)
    sums = counts.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    row, col = places.T
    far_row, far_col = row + 2 * reach + 1, col + 2 * reach + 1
    inside: np.ndarray = sums[far_row, far_col] - sums[row, far_col] - sums[far_row, col] + sums[row, col]
    return inside > 0


def _near_by_place(
    lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"], kept: Bool[np.ndarray, " N"], reach_m: float
) -> Bool[np.ndarray, " N"]:
    """By a square of half-side `reach_m` along the parallels and meridians around each chip's centre."""
    found = np.zeros(len(kept), dtype=bool)
    if not kept.any():
        return found
    high = np.degrees(reach_m / EARTH_RADIUS_M)
    # As wide as the parallel of its poleward side, the shortest one, asks for.
    wide = np.minimum(high / np.cos(np.radians(np.minimum(np.abs(lat_deg) + high, 89.0))), 179.0)
    places = np.column_stack([lon_deg, lat_deg])
    tree = shapely.STRtree(shapely.points(places[kept]))
    for turn in (-360.0, 0.0, 360.0):
        rows = np.flatnonzero(np.abs(lon_deg + turn) - wide <= 180)
        # A box costs a hundred times what it takes to see that nothing is in its surroundings.
        rows = rows[_is_beside(places[rows] + (turn, 0.0), places[kept], (float(wide.max()), high))]
        (x, y), w = (places[rows] + (turn, 0.0)).T, wide[rows]
        found[rows[tree.query(shapely.box(x - w, y - high, x + w, y + high))[0]]] = True
    return found


def _is_beside(
    places: Float64[np.ndarray, "N 2"], kept: Float64[np.ndarray, "k 2"], reach: tuple[float, float]
) -> Bool[np.ndarray, " N"]:
    """Which places lie in a bin of that width and height that holds a kept place, or in one of the eight around it."""

    def bins(places: np.ndarray) -> np.ndarray:
        # A hair larger than the reach, so that rounding leaves none out.
        x, y = np.floor(places / np.array(reach) / 1.001).astype(np.int64).T
        return y * MORE_THAN_BINS + x

    around = np.add.outer(np.arange(-1, 2) * MORE_THAN_BINS, np.arange(-1, 2))
    found: np.ndarray = np.isin(bins(places), np.add.outer(np.unique(bins(kept)), around))
    return found


def spacing_m(chips: Chips) -> float:
    """How wide a chip counts: the median ground distance to the nearest neighbour, over some thousand chips of the table.

    Chips that are not of our grid may overlap: there not less than the widest outline, so that a strip is as wide as they are.
    """
    lon_deg, lat_deg = _places_deg(chips)
    apart_m = _median_to_nearest_m(lon_deg, lat_deg)
    if chips.utm is not None or chips.footprint is None:
        return apart_m
    return max(apart_m, _widest_m(chips.footprint))


def _widest_m(footprint: np.ndarray) -> float:
    """The longest side, along the parallels and the meridians, of the boxes around these shapes in degrees."""
    west, south, east, north = shapely.bounds(unrolled(footprint)).T
    wide = (east - west) * np.cos(np.radians(np.minimum(np.abs(south), np.abs(north))))
    return float(np.radians(np.maximum(wide, north - south).max())) * EARTH_RADIUS_M


def _median_to_nearest_m(lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"]) -> float:
    # Sorted, so that the order of the chips decides neither the sample, nor a sum, nor which of two neighbours is nearer.
    order = np.lexsort((lon_deg, lat_deg))
    lon_deg, lat_deg = lon_deg[order], lat_deg[order]
    one = np.arange(0, len(order), max(1, len(order) // SPACING_SAMPLE))
    places = np.column_stack([lon_deg * np.cos(np.radians(lat_deg.mean())), lat_deg])
    # Two chips at one place are no neighbours.
    distinct = np.flatnonzero(np.append(True, (np.diff(places, axis=0) != 0).any(axis=1)))
    if len(distinct) == 1:
        return ONE_PLACE_M
    other = distinct[cKDTree(places[distinct]).query(places[one], k=2)[1][:, 1]]
    # The plane only finds the neighbour; its distance is taken where it lies.
    north = np.radians(lat_deg[other] - lat_deg[one])
    middle = np.radians((lat_deg[one] + lat_deg[other]) / 2)
    east = np.radians((lon_deg[other] - lon_deg[one] + 180) % 360 - 180) * np.cos(middle)
    return float(np.median(np.hypot(north, east))) * EARTH_RADIUS_M


def _places_deg(chips: Chips) -> tuple[Float64[np.ndarray, " N"], Float64[np.ndarray, " N"]]:
    assert chips.lon_deg is not None, "only chips with a place are cut"
    assert chips.lat_deg is not None, "only chips with a place are cut"
    return chips.lon_deg, chips.lat_deg
