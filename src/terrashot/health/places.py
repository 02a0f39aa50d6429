"""Where chips lie, and which lie beside each other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import cKDTree

from terrashot.domain.grid import NORTHERNMOST_DEG, SOUTHERNMOST_DEG, utm_zone
from terrashot.domain.sphere import on_unit_sphere
from terrashot.domain.tables import Chips

EARTH_RADIUS_KM = 6371.0
SIDES = 4
"""Chips that one of a lattice shares a side with."""
ADJACENT = 1.5
"""Of the four nearest, those up to so many times the middle distance to the nearest chip are beside a chip: the other side of a
lattice in degrees too, which is longer, and at the edge of an area a corner."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Chips beside each other."""

    left: Int64[np.ndarray, " p"]
    right: Int64[np.ndarray, " p"]
    km: Float64[np.ndarray, " p"]

    @property
    def ends(self) -> Int64[np.ndarray, " e"]:
        """Both chips of each pair, the left ones first."""
        return np.concatenate([self.left, self.right])

    def some(self, which: Int64[np.ndarray, " q"]) -> "Pairs":
        """The pairs named."""
        return Pairs(self.left[which], self.right[which], self.km[which])


def places_km(chips: Chips) -> Float64[np.ndarray, "N 3"]:
    """Where each chip's centre lies, in kilometres from the middle of the Earth; NaN where unknown."""
    if chips.lon_deg is None or chips.lat_deg is None:
        return np.full((len(chips), 3), np.nan)
    return EARTH_RADIUS_KM * on_unit_sphere(chips.lon_deg, chips.lat_deg)


def zones(chips: Chips, rows: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """UTM zone of each of these chips, which all have a place; beyond UTM's ends, that of the end."""
    if chips.utm is not None:
        return chips.utm[rows, 0]
    assert chips.lon_deg is not None and chips.lat_deg is not None, "rows have places"
    lat_deg = np.clip(chips.lat_deg[rows], SOUTHERNMOST_DEG, NORTHERNMOST_DEG)
    return utm_zone(chips.lon_deg[rows].astype(np.float64), lat_deg.astype(np.float64))


def nearest_of_area(
    places: Float64[np.ndarray, "N 3"], area: Int64[np.ndarray, " N"], rows: Int64[np.ndarray, " n"]
) -> Pairs:
    """Each of the rows that has another one in its area, and the nearest of these."""
    own = [rows[area[rows] == name] for name in np.unique(area[rows]) if name >= 0]
    found = [_nearest(places, some) for some in own if len(some) > 1] or [Pairs(rows[:0], rows[:0], np.empty(0))]
    return Pairs(*(np.concatenate([getattr(part, name) for part in found]) for name in ("left", "right", "km")))


def _nearest(places: Float64[np.ndarray, "N 3"], rows: Int64[np.ndarray, " n"]) -> Pairs:
    km, which = cKDTree(places[rows]).query(places[rows], k=2)
    # Of two chips at one place either may come first.
    other = np.where(which[:, 1] == np.arange(len(rows)), which[:, 0], which[:, 1])
    return Pairs(rows, rows[other], km[:, 1])


def adjacent(places: Float64[np.ndarray, "N 3"], rows: Int64[np.ndarray, " n"]) -> Pairs:
    """Every two of the rows that lie beside each other, once; none where most chips lie at one place with another."""
    if len(rows) <= SIDES:
        return Pairs(rows[:0], rows[:0], np.empty(0))
    km, which = cKDTree(places[rows]).query(places[rows], k=SIDES + 1)
    limit = ADJACENT * float(np.median(km[:, 1]))
    left, right = np.repeat(np.arange(len(rows)), SIDES), which[:, 1:].reshape(-1)
    beside = (km[:, 1:].reshape(-1) <= limit) & (left != right) & (limit > 0)
    low, high = np.minimum(left, right)[beside], np.maximum(left, right)[beside]
    _, first = np.unique(low * len(rows) + high, return_index=True)
    return Pairs(rows[low[first]], rows[high[first]], km[:, 1:].reshape(-1)[beside][first])
