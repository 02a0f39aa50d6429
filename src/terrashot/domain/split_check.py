"""What a split keeps apart, measured on the chips themselves, whatever made it.

Legend: a test chips, b training chips, P pairs of one of each.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import shapely
from jaxtyping import Bool, Float64, Int64
from scipy.spatial import cKDTree

from terrashot.domain.buffer import EARTH_RADIUS_M, Buffer, beside_zone, near, spacing_m
from terrashot.domain.grid import chip_from_id
from terrashot.domain.sphere import on_unit_sphere
from terrashot.domain.tables import Chips

REACHES = (1, 2, 5, 10)
"""Chips."""
FURTHEST_CHIPS = 50
"""Wider gaps are not measured."""
MOST_PAIRS = 200_000
"""Of chips across zones, or off our grid, whose footprints are laid beside each other; those with the nearest centres."""
ROUNDING_M2 = 1.0
"""Corners that touch share no more."""


@dataclass(frozen=True, slots=True)
class SplitCheck:
    """How near training chips lie to test chips."""

    smallest_gap_m: float
    """Between the footprints of a test chip and a training chip; 0 where they touch, infinite beyond 50 chips of our grid.
    Where outlines are not known, between squares around the centres, as wide as chips lie apart."""
    share_within: dict[int, float]
    """Of the test chips, by number of chips: those with a training chip no further away, counted as a king moves."""
    n_sharing: int | None
    """Test chips that share ground, and so pixels, with a training chip; None where outlines are not known."""

    def sentence(self) -> str:
        """All of it in one line."""
        within = ", ".join(f"{share:.1%} within {reach}" for reach, share in self.share_within.items())
        shared = f"{self.n_sharing or 'no'} test chips share pixels with training chips"
        if self.n_sharing is None:
            shared = "whether pixels are shared is not known, for chips have no outline"
        gap = (
            f"{self.smallest_gap_m / 1000:.2f} km apart at least" if math.isfinite(self.smallest_gap_m) else "far apart"
        )
        return f"test chips beside training chips: {gap}; {within} chips; {shared}"


def check_split(chips: Chips, split: tuple[str, ...]) -> SplitCheck | None:
    """The check; None where chips have no place, or where none trains or none tests."""
    train, test = (np.array([name == wanted for name in split]) for wanted in ("train", "test"))
    if not chips.has_places or not (train.any() and test.any()):
        return None
    side_m = spacing_m(chips)
    within = {reach: float(near(chips, train, reach, side_m=side_m)[test].mean()) for reach in REACHES}
    if chips.footprint is None and chips.utm is None:
        return SplitCheck(_gap_of_centres_m(chips, test, train), within, None)
    gaps, sharing = [], np.zeros(len(chips), dtype=bool)
    if chips.utm is not None:
        gaps += [_gap_on_lattice_m(chips, test & own, train & own) for own in _zones(chips)]
    for pairs in _pairs_by_place(chips, test, train):
        distance, shared = _laid_beside(chips, pairs)
        gaps.append(float(distance.min()))
        sharing[pairs[shared > ROUNDING_M2, 0]] = True
    return SplitCheck(min(gaps, default=math.inf), within, int(sharing.sum()))


def broken_promise(chips: Chips, check: SplitCheck, buffer: Buffer) -> str | None:
    """What a split with this buffer says of itself and does not hold; None where it holds.

    Chips off our grid, or of two zones, do not stand in one lattice: up to three quarters of a chip are left to that.
    """
    reach = buffer.reach_chips(chips)
    if reach == 0 or check.smallest_gap_m >= (reach - 0.75) * spacing_m(chips):
        return None
    return f"a buffer of {reach} chips was cut, and a training chip lies {check.smallest_gap_m / 1000:.2f} km from a test chip"


def _zones(chips: Chips) -> Iterator[Bool[np.ndarray, " N"]]:
    assert chips.utm is not None, "asked for chips of our grid alone"
    for zone in np.unique(chips.utm[:, 0]):
        yield chips.utm[:, 0] == zone


def _gap_of_centres_m(chips: Chips, test: Bool[np.ndarray, " N"], train: Bool[np.ndarray, " N"]) -> float:
    places = _on_the_sphere(chips)
    distance, _ = cKDTree(places[train]).query(places[test])
    return max(0.0, float(distance.min()) - spacing_m(chips))


def _gap_on_lattice_m(chips: Chips, test: Bool[np.ndarray, " N"], train: Bool[np.ndarray, " N"]) -> float:
    """Of one zone: offsets in the order of their gaps, until a test chip has a training chip there."""
    assert chips.utm is not None, "asked for chips of our grid alone"
    if not (test.any() and train.any()):
        return math.inf
    places = chips.utm[:, 1:] - chips.utm[test | train, 1:].min(axis=0)
    table = np.zeros(places[test | train].max(axis=0) + 1 + 2 * FURTHEST_CHIPS, dtype=bool)
    table[tuple((places[train] + FURTHEST_CHIPS).T)] = True
    rows, cols = (places[test] + FURTHEST_CHIPS).T
    for gap_chips, offsets in _offsets_by_gap():
        if any(table[rows + down, cols + right].any() for down, right in offsets):
            return gap_chips * _size_m(chips)
    return math.inf


@lru_cache(maxsize=1)
def _offsets_by_gap() -> list[tuple[float, list[tuple[int, int]]]]:
    found: dict[float, list[tuple[int, int]]] = {}
    for down, right in product(range(-FURTHEST_CHIPS, FURTHEST_CHIPS + 1), repeat=2):
        gap = math.hypot(max(0, abs(down) - 1), max(0, abs(right) - 1))
        found.setdefault(gap, []).append((down, right))
    return sorted(found.items())


def _size_m(chips: Chips) -> float:
    """Side of the chips, as their ids carry it."""
    return chip_from_id(chips.ids[0]).size_m


def _pairs_by_place(
    chips: Chips, test: Bool[np.ndarray, " N"], train: Bool[np.ndarray, " N"]
) -> Iterator[Int64[np.ndarray, "P 2"]]:
    """Rows of a test and a training chip whose centres are nearest: of different zones, or all where there is no grid."""
    if chips.footprint is None:
        return
    places, radius_m = _on_the_sphere(chips), _radius_m(chips)
    for own, others in _sides(chips):
        asked, found = np.flatnonzero(test & own), np.flatnonzero(train & others)
        if len(asked) and len(found):
            yield _nearest_pairs(places, asked, found, radius_m)


def _sides(chips: Chips) -> Iterator[tuple[Bool[np.ndarray, " N"], Bool[np.ndarray, " N"]]]:
    """Chips of each zone, and those of others beside it; all and all where there is no grid."""
    if chips.utm is None:
        everywhere = np.ones(len(chips), dtype=bool)
        yield everywhere, everywhere
        return
    reach_m = FURTHEST_CHIPS * _size_m(chips)
    for own in _zones(chips):
        yield own, beside_zone(chips, int(chips.utm[own, 0][0]), reach_m)


def _nearest_pairs(
    places: Float64[np.ndarray, "N 3"], test: Int64[np.ndarray, " a"], train: Int64[np.ndarray, " b"], radius_m: float
) -> Int64[np.ndarray, "P 2"]:
    """Each test chip with the nine training chips nearest to it, as many as overlap one in a lattice that is turned.

    Without those that neither share ground nor lie nearer to each other than the pair with the nearest centres does.
    """
    distance, found = cKDTree(places[train]).query(places[test], k=min(9, len(train)))
    distance, found = (own.reshape(len(test), -1) for own in (distance, found))
    matters = distance <= distance.min() + 2 * radius_m
    pairs = np.column_stack([test[np.nonzero(matters)[0]], train[found[matters]]])
    return pairs[np.argsort(distance[matters], kind="stable")[:MOST_PAIRS]]


def _radius_m(chips: Chips) -> float:
    """No corner of a chip lies further from its centre; a tenth more, for planes and spheres differ a little."""
    if chips.utm is not None:
        return 1.1 * _size_m(chips) * math.sqrt(0.5)
    assert chips.lon_deg is not None and chips.lat_deg is not None, "asked before"
    west, south, east, north = shapely.bounds(chips.footprint).T
    wide = np.maximum(east - chips.lon_deg, chips.lon_deg - west) * np.cos(np.radians(chips.lat_deg))
    high = np.maximum(north - chips.lat_deg, chips.lat_deg - south)
    return float(1.1 * np.radians(np.hypot(wide, high)).max() * EARTH_RADIUS_M)


def _on_the_sphere(chips: Chips) -> Float64[np.ndarray, "N 3"]:
    """Centres in metres from the middle of the Earth."""
    assert chips.lon_deg is not None and chips.lat_deg is not None, "asked before"
    return EARTH_RADIUS_M * on_unit_sphere(chips.lon_deg, chips.lat_deg)


def _laid_beside(
    chips: Chips, pairs: Int64[np.ndarray, "P 2"]
) -> tuple[Float64[np.ndarray, " P"], Float64[np.ndarray, " P"]]:
    """Metres between the footprints of each pair, and the square metres that they share, in a plane around the first."""
    assert chips.footprint is not None and chips.lon_deg is not None and chips.lat_deg is not None, "asked before"
    middle = np.column_stack([chips.lon_deg, chips.lat_deg])[pairs[:, 0]]
    left, right = (_around(chips.footprint[rows], middle) for rows in pairs.T)
    return shapely.distance(left, right), shapely.area(shapely.intersection(left, right))


def _around(shapes: np.ndarray, middle_deg: Float64[np.ndarray, "P 2"]) -> np.ndarray:
    """The shapes in metres east and north of these places; parts on both sides of the antimeridian come together."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    lon, lat = middle_deg[owner].T
    east = ((points[:, 0] - lon + 180) % 360 - 180) * np.cos(np.radians(lat))
    metres = np.radians(np.column_stack([east, points[:, 1] - lat])) * EARTH_RADIUS_M
    laid: np.ndarray = shapely.set_coordinates(shapes.copy(), metres)
    cut = shapely.get_type_id(laid) == shapely.GeometryType.MULTIPOLYGON
    laid[cut] = shapely.buffer(laid[cut], 0)
    return laid
