"""Which chips train, which choose, which test; and the strip between them that does neither.

Source of the bands: the pattern and the angle rule of the paper's authors (geetiles, `split --nbands 60 --angle 0.9`).
*Deviation*: a buffer between bands, cut from train, then val, never from test, so that the paper's test set survives.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from terrashot.domain.blocks import block_folds
from terrashot.domain.buffer import TEST, TRAIN, VAL, Buffer, cut_buffer
from terrashot.domain.tables import SPLIT_NAMES, Chips
from terrashot.errors import InputError

ONE_CHIP = Buffer(chips=1)
BUFFERED = ("bands", "blocks", "leave_area_out")
"""Schemes that part neighbours by their place, and cut a strip of a chip there where nothing else is asked for. The others have
none unless it is asked for: a random split would lose nearly all of its training chips to it."""
Scheme = Literal["bands", "blocks", "leave_area_out", "groups", "random", "given"]
DEALT = (TRAIN, VAL, TEST)
"""In the order of shares."""


@dataclass(frozen=True, slots=True)
class SplitRecipe:
    """All that a split is made from; same recipe, same chips, same split."""

    scheme: Scheme
    bands: int = 60
    angle_rad: Mapping[str, float] = field(default_factory=dict)
    """By area; 0.9 where an area is not named."""
    shares: tuple[float, ...] = (0.6, 0.2, 0.2)
    """Train, val, test; where there are two, nobody tests."""
    block_km: float = 50.0
    folds: int = 5
    fold: int = 0
    """Of `blocks`, the fold that tests; the next one validates."""
    area: str | None = None
    """Of `leave_area_out`, the one that tests."""
    buffer: Buffer | None = None
    """None: the scheme's own, a chip for those that part neighbours by place, else nothing."""
    seed: int = 0


def choose_scheme(chips: Chips) -> tuple[Scheme, str]:
    """The scheme for chips whose study states none, and the sentence that says so."""
    if all(name is not None for name in chips.split):
        return "given", "split: as the table gives it"
    if any(group is not None for group in chips.group):
        return "groups", "split: none is given; whole groups, 60/20/20"
    if chips.has_places:
        return "bands", "split: none is given; geographic bands, 60/20/20"
    return "random", "split: none is given, nor groups or places; random chips, 60/20/20: neighbours may straddle it"


def make_split(chips: Chips, recipe: SplitRecipe) -> tuple[str, ...]:
    """The split of each chip, in the chips' order.

    Raises:
        InputError: `given` without a split or an unknown name in it, an area to leave out that is not there, or bands,
            blocks or a buffer for chips without a place.
    """
    # The buffer is cut over all areas at once: areas may touch, and a neighbour is a neighbour.
    codes = cut_buffer(chips, _uncut(chips, recipe), buffer_of(chips, recipe))
    return tuple(np.array(SPLIT_NAMES, dtype=object)[codes].tolist())


def buffer_of(chips: Chips, recipe: SplitRecipe) -> Buffer:
    """The buffer that these chips' split is cut with: the recipe's, else the scheme's own.

    Raises:
        InputError: the recipe asks for one, and a chip has no place.
    """
    if recipe.buffer is None:
        return ONE_CHIP if recipe.scheme in BUFFERED and chips.has_places else Buffer()
    if recipe.buffer.is_wanted and not chips.has_places:
        raise InputError(
            f"split scheme '{recipe.scheme}': a buffer needs the place of every chip; give lon and lat, or leave out "
            "[split] buffer_chips and buffer_m"
        )
    return recipe.buffer


def _uncut(chips: Chips, recipe: SplitRecipe) -> Int64[np.ndarray, " N"]:
    match recipe.scheme:
        case "given":
            return _given(chips)
        case "blocks":
            return _blocks(chips, recipe)
        case "leave_area_out":
            return _left_out(chips, recipe)
        case _:
            return _by_area(chips, recipe)


def _by_area(chips: Chips, recipe: SplitRecipe) -> Int64[np.ndarray, " N"]:
    codes = np.full(len(chips), TRAIN, dtype=np.int64)
    for area in dict.fromkeys(chips.area):
        rows = np.flatnonzero(np.array([name == area for name in chips.area]))
        # By id, so that the order of the chips changes nothing.
        rows = rows[np.argsort([chips.ids[row] for row in rows], kind="stable")]
        codes[rows] = _split_area(chips.take(rows), recipe, area)
    return codes


def _split_area(chips: Chips, recipe: SplitRecipe, area: str) -> Int64[np.ndarray, " N"]:
    if recipe.scheme == "bands":
        return _bands(chips, recipe, area)
    rng = np.random.default_rng([recipe.seed, *area.encode()])
    if recipe.scheme == "groups":
        return _groups(chips, recipe, rng)
    return _random(len(chips), recipe.shares, rng)


def _given(chips: Chips) -> Int64[np.ndarray, " N"]:
    for chip_id, name in zip(chips.ids, chips.split, strict=True):
        if name not in SPLIT_NAMES:
            raise InputError(f"chip '{chip_id}': split '{name}' is none of {', '.join(SPLIT_NAMES)}")
    return np.array([SPLIT_NAMES.index(name) for name in chips.split if name is not None], dtype=np.int64)


def _left_out(chips: Chips, recipe: SplitRecipe) -> Int64[np.ndarray, " N"]:
    """One area tests whole; in the others whole groups train and validate where there are any, else bands."""
    tests = np.array([area == recipe.area for area in chips.area], dtype=bool)
    if not tests.any() or tests.all():
        known = ", ".join(dict.fromkeys(chips.area))
        raise InputError(
            f"split scheme 'leave_area_out': [split] area = '{recipe.area}' must be one of two areas or more; "
            f"the chips are of {known}"
        )
    codes = np.full(len(chips), TEST, dtype=np.int64)
    others = chips.take(np.flatnonzero(~tests))
    train, val = recipe.shares[:2]
    shares = (train / (train + val), val / (train + val))
    codes[~tests] = _by_area(others, replace(recipe, scheme=rest_scheme(others), shares=shares))
    return codes


def rest_scheme(others: Chips) -> Scheme:
    """How areas that do not test part training from validation: a chip without group or place is a group of its own."""
    has_groups = any(group is not None for group in others.group)
    return "bands" if others.has_places and not has_groups else "groups"


def _bands(chips: Chips, recipe: SplitRecipe, area: str) -> Int64[np.ndarray, " N"]:
    position = _position(*_unrolled_deg(chips), recipe.angle_rad.get(area, 0.9))
    band = np.minimum((position * recipe.bands).astype(np.int64), recipe.bands - 1)
    pattern = band_pattern(recipe.shares)
    return pattern[band % len(pattern)]


def _blocks(chips: Chips, recipe: SplitRecipe) -> Int64[np.ndarray, " N"]:
    """One fold of a checkerboard tests and the next validates; over all areas at once, for blocks belong to the ground."""
    lon_deg, lat_deg = _places_deg(chips, "blocks")
    fold = (block_folds(lon_deg, lat_deg, recipe.block_km, recipe.folds) - recipe.fold) % recipe.folds
    return np.select([fold == 0, fold == 1], [TEST, VAL], TRAIN)


def band_pattern(shares: tuple[float, ...]) -> Int64[np.ndarray, " P"]:
    """Splits of successive bands: shares over the smallest, rounded: train, train, train, test, val for 60/20/20."""
    times = {code: max(1, round(share / min(shares))) for code, share in zip(DEALT, shares, strict=False)}
    return np.array([code for code in (TRAIN, TEST, VAL) for _ in range(times.get(code, 0))], dtype=np.int64)


def _position(x: np.ndarray, y: np.ndarray, angle_rad: float) -> Float64[np.ndarray, " N"]:
    """Place across the bands, 0 to 1. Both axes are scaled to the area's extent first, as the authors do."""
    x, y = ((axis - axis.min()) / max(float(np.ptp(axis)), 1e-9) for axis in (x, y))
    steep = abs(angle_rad) >= math.pi / 4
    weight_x = 1.0 if steep else abs(angle_rad) / (math.pi / 4)
    weight_y = (math.pi / 2 - abs(angle_rad)) / (math.pi / 4) if steep else 1.0
    across: np.ndarray = weight_x * (x if angle_rad >= 0 else 1 - x) + weight_y * y
    return (across - across.min()) / max(float(np.ptp(across)), 1e-12)


def _unrolled_deg(chips: Chips) -> tuple[np.ndarray, np.ndarray]:
    """Longitude without a jump at the antimeridian, and latitude; scale is the bands' affair."""
    lon_deg, lat_deg = _places_deg(chips, "bands")
    lon = np.radians(lon_deg)
    middle_deg = math.degrees(math.atan2(float(np.sin(lon).mean()), float(np.cos(lon).mean())))
    return (lon_deg - middle_deg + 180) % 360 - 180, lat_deg


def _places_deg(chips: Chips, scheme: str) -> tuple[np.ndarray, np.ndarray]:
    if chips.lon_deg is None or chips.lat_deg is None or not chips.has_places:
        raise InputError(
            f"split scheme '{scheme}' needs the place of every chip; give lon and lat, or use groups or random"
        )
    return chips.lon_deg, chips.lat_deg


def _groups(chips: Chips, recipe: SplitRecipe, rng: np.random.Generator) -> Int64[np.ndarray, " N"]:
    """Whole groups; a chip without a group is a group of its own."""
    names = [
        group if group is not None else f"\0{chip_id}" for group, chip_id in zip(chips.group, chips.ids, strict=True)
    ]
    unique, member = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    codes = _deal(np.bincount(member, minlength=len(unique)), recipe.shares, rng)
    return codes[member]


def _deal(
    sizes: Int64[np.ndarray, " P"], shares: tuple[float, ...], rng: np.random.Generator
) -> Int64[np.ndarray, " P"]:
    """A split for each group: the best of several random deals, by how near they come to the shares of chips."""
    wanted = np.array(shares) * sizes.sum()
    deals = [
        _deal_once(sizes, wanted, rng.permutation(len(sizes))) for _ in range(max(1, min(50, 20_000 // len(sizes))))
    ]

    def miss(codes: np.ndarray) -> float:
        given = np.array([sizes[codes == code].sum() for code in DEALT[: len(shares)]])
        return float(np.abs(given - wanted).sum())

    return min(deals, key=miss)


def _deal_once(sizes: np.ndarray, wanted: np.ndarray, order: np.ndarray) -> Int64[np.ndarray, " P"]:
    """Groups in that order, each to the split that is furthest below its share of chips."""
    lacking, codes = wanted.tolist(), np.zeros(len(sizes), dtype=np.int64)
    for turn, group in enumerate(order.tolist()):
        # The first fill each split once, so that none is empty where there are as many groups.
        to = turn if turn < len(wanted) else max(range(len(wanted)), key=lambda split: lacking[split] / wanted[split])
        codes[group] = DEALT[to]
        lacking[to] -= int(sizes[group])
    return codes


def _random(n_chips: int, shares: tuple[float, ...], rng: np.random.Generator) -> Int64[np.ndarray, " N"]:
    """Chips one by one; the shares are met to the chip."""
    n_train = round(shares[0] * n_chips)
    codes = np.full(n_chips, TEST, dtype=np.int64)
    order = rng.permutation(n_chips)
    codes[order[:n_train]] = TRAIN
    codes[order[n_train : n_train + round(shares[1] * n_chips)]] = VAL
    return codes
