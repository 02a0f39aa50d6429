"""Which chips train, which choose, which test; and the strip between them that does neither.

Source of the bands: the pattern and the angle rule of the paper's authors (geetiles, `split --nbands 60 --angle 0.9`).
*Deviation*: a buffer between bands, cut from train, then val, never from test, so that the paper's test set survives.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import shapely
from jaxtyping import Float64, Int64

from terrashot.domain.tables import SPLIT_NAMES, Chips
from terrashot.errors import InputError

Scheme = Literal["bands", "groups", "random", "given"]
TRAIN, VAL, TEST, BUFFER = (SPLIT_NAMES.index(name) for name in ("train", "val", "test", "buffer"))
EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class SplitRecipe:
    """All that a split is made from; same recipe, same chips, same split."""

    scheme: Scheme
    bands: int = 60
    angle_rad: Mapping[str, float] = field(default_factory=dict)
    """By area; 0.9 where an area is not named."""
    shares: tuple[float, float, float] = (0.6, 0.2, 0.2)
    """Train, val, test."""
    buffer_chips: int = 1
    seed: int = 0


def choose_scheme(chips: Chips) -> tuple[Scheme, str]:
    """The scheme for chips whose study states none, and the sentence that says so."""
    if all(name is not None for name in chips.split):
        return "given", "split: as the table gives it"
    if any(group is not None for group in chips.group):
        return "groups", "split: none is given; whole groups, 60/20/20"
    if chips.lon_deg is not None and not np.isnan(chips.lon_deg).any():
        return "bands", "split: none is given; geographic bands, 60/20/20"
    return "random", "split: none is given, nor groups or places; random chips, 60/20/20: neighbours may straddle it"


def make_split(chips: Chips, recipe: SplitRecipe) -> tuple[str, ...]:
    """The split of each chip, in the chips' order; each area is split on its own.

    Raises:
        InputError: `given` without a split, an unknown name in it, or bands for chips without a place.
    """
    if recipe.scheme == "given":
        return _checked(chips)
    codes = np.full(len(chips), TRAIN, dtype=np.int64)
    for area in dict.fromkeys(chips.area):
        rows = np.flatnonzero(np.array([name == area for name in chips.area]))
        # By id, so that the order of the chips changes nothing.
        rows = rows[np.argsort([chips.ids[row] for row in rows], kind="stable")]
        codes[rows] = _split_area(chips.take(rows), recipe, area)
    return tuple(SPLIT_NAMES[code] for code in codes)


def _split_area(chips: Chips, recipe: SplitRecipe, area: str) -> Int64[np.ndarray, " N"]:
    if recipe.scheme == "bands":
        return _bands(chips, recipe, area)
    rng = np.random.default_rng([recipe.seed, *area.encode()])
    if recipe.scheme == "groups":
        return _groups(chips, recipe, rng)
    return _deal(np.ones(len(chips), dtype=np.int64), recipe.shares, rng)


def _checked(chips: Chips) -> tuple[str, ...]:
    for chip_id, name in zip(chips.ids, chips.split, strict=True):
        if name not in SPLIT_NAMES:
            raise InputError(f"chip '{chip_id}': split '{name}' is none of {', '.join(SPLIT_NAMES)}")
    return tuple(name for name in chips.split if name is not None)


def _bands(chips: Chips, recipe: SplitRecipe, area: str) -> Int64[np.ndarray, " N"]:
    x_m, y_m = _plane(chips)
    band = np.minimum(
        (_position(x_m, y_m, recipe.angle_rad.get(area, 0.9)) * recipe.bands).astype(np.int64), recipe.bands - 1
    )
    codes = band_pattern(recipe.shares)[band % len(band_pattern(recipe.shares))]
    return cut_buffer(codes, np.column_stack([x_m, y_m]), recipe.buffer_chips)


def band_pattern(shares: tuple[float, float, float]) -> Int64[np.ndarray, " P"]:
    """Splits of successive bands: shares over the smallest, rounded: train, train, train, test, val for 60/20/20."""
    train, val, test = (max(1, round(share / min(shares))) for share in shares)
    return np.array([TRAIN] * train + [TEST] * test + [VAL] * val, dtype=np.int64)


def _position(x_m: np.ndarray, y_m: np.ndarray, angle_rad: float) -> Float64[np.ndarray, " N"]:
    """Place across the bands, 0 to 1. Both axes are scaled to the area's extent first, as the authors do."""
    x, y = ((axis - axis.min()) / max(float(np.ptp(axis)), 1e-9) for axis in (x_m, y_m))
    steep = abs(angle_rad) >= math.pi / 4
    weight_x = 1.0 if steep else abs(angle_rad) / (math.pi / 4)
    weight_y = (math.pi / 2 - abs(angle_rad)) / (math.pi / 4) if steep else 1.0
    across: np.ndarray = weight_x * (x if angle_rad >= 0 else 1 - x) + weight_y * y
    return (across - across.min()) / max(float(np.ptp(across)), 1e-12)


def cut_buffer(
    codes: Int64[np.ndarray, " N"], points_m: Float64[np.ndarray, "N 2"], buffer_chips: int
) -> Int64[np.ndarray, " N"]:
    """The splits with a strip of `buffer_chips` chips around test (from train and val) and around val (from train)."""
    if buffer_chips == 0 or len(codes) < 2:
        return codes
    points = shapely.points(points_m)
    _, distances_m = shapely.STRtree(points).query_nearest(
        points, exclusive=True, all_matches=False, return_distance=True
    )
    # Chebyshev: a chip and its diagonal neighbour share a corner. Half a chip more, so that rounding decides nothing.
    reach_m = (buffer_chips + 0.5) * float(np.median(distances_m))
    around = shapely.box(*(points_m - reach_m).T, *(points_m + reach_m).T)
    cut = codes.copy()
    for kept, losers in ((TEST, (TRAIN, VAL)), (VAL, (TRAIN,))):
        near = np.unique(shapely.STRtree(points[codes == kept]).query(around)[0])
        cut[near[np.isin(codes[near], losers)]] = BUFFER
    return cut


def _plane(chips: Chips) -> tuple[np.ndarray, np.ndarray]:
    """East and north in metres about the area's middle; exact to 1 % over a few degrees, and a band needs no better."""
    if chips.lon_deg is None or chips.lat_deg is None or np.isnan(chips.lon_deg).any():
        raise InputError(
            "split scheme 'bands' needs the place of every chip; give lon and lat, or use groups or random"
        )
    lon, lat = np.radians(chips.lon_deg), np.radians(chips.lat_deg)
    middle = math.atan2(float(np.sin(lon).mean()), float(np.cos(lon).mean()))
    east = (lon - middle + math.pi) % (2 * math.pi) - math.pi
    return EARTH_RADIUS_M * east * math.cos(float(lat.mean())), EARTH_RADIUS_M * lat


def _groups(chips: Chips, recipe: SplitRecipe, rng: np.random.Generator) -> Int64[np.ndarray, " N"]:
    """Whole groups; a chip without a group is a group of its own."""
    names = [
        group if group is not None else f"\0{chip_id}" for group, chip_id in zip(chips.group, chips.ids, strict=True)
    ]
    unique, member = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    codes = _deal(np.bincount(member, minlength=len(unique)), recipe.shares, rng)
    return codes[member]


def _deal(
    sizes: Int64[np.ndarray, " P"], shares: tuple[float, float, float], rng: np.random.Generator
) -> Int64[np.ndarray, " P"]:
    """A split for each group: in random order, each to the split that is furthest below its share of chips."""
    wanted = np.array(shares) * sizes.sum()
    given, codes = np.zeros(3), np.zeros(len(sizes), dtype=np.int64)
    for turn, group in enumerate(rng.permutation(len(sizes))):
        # The first three fill each split once, so that none is empty where there are three groups.
        code = turn if turn < 3 else int(np.argmax((wanted - given) / wanted))
        codes[group] = (TRAIN, VAL, TEST)[code]
        given[code] += sizes[group]
    return codes
