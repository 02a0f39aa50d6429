"""Blocks of test chips, within which neighbours may err together."""

import hashlib

import numpy as np

from terrashot.domain.tables import Chips

BLOCK_CHIPS = 8
"""Side of a block in chips."""
RANDOM_BLOCKS = 50
"""Blocks for chips without group or place: no neighbours are known, so any parts will do."""


def block_names(chips: Chips) -> tuple[str, ...]:
    """The block of each chip: its group if it has one, else a square of 8 x 8 chips, else one of 50 parts by its id."""
    areas = np.array(chips.area, dtype=object)
    names = list(dict.fromkeys(chips.area))
    if len(names) == 1:
        return _within_area(chips)
    # Area by area: a square of one that lies far from another is no square of both.
    found = np.empty(len(chips), dtype=object)
    for name in names:
        own = np.flatnonzero(areas == name)
        found[own] = [f"{name}: {block}" for block in _within_area(chips.take(own))]
    return tuple(found)


def _within_area(chips: Chips) -> tuple[str, ...]:
    squares = _squares(chips)
    return tuple(
        group or (square if square else f"part-{_part(chip_id):02d}")
        for group, square, chip_id in zip(chips.group, squares, chips.ids, strict=True)
    )


def _squares(chips: Chips) -> list[str | None]:
    if chips.utm is not None:
        return [f"{epsg}-{row // BLOCK_CHIPS}-{col // BLOCK_CHIPS}" for epsg, row, col in chips.utm.tolist()]
    if chips.lon_deg is None or chips.lat_deg is None or np.isnan(chips.lon_deg).any() or len(chips) < 2:
        return [None] * len(chips)
    # Without a lattice: about as many squares as 8 x 8 blocks of a full one would give.
    side = max(2, round((len(chips) ** 0.5) / BLOCK_CHIPS * 1.5))
    cells = [_cells(axis, side) for axis in (chips.lon_deg, chips.lat_deg)]
    return [f"cell-{x}-{y}" for x, y in zip(*cells, strict=True)]


def _cells(axis: np.ndarray, side: int) -> list[int]:
    extent = float(np.ptp(axis)) or 1.0
    return np.minimum((axis - axis.min()) / extent * side, side - 1).astype(np.int64).tolist()


def _part(chip_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(chip_id.encode(), digest_size=4).digest(), "little") % RANDOM_BLOCKS
