"""The feature sets that a study compares: embeddings, their concatenation, and the floors."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from terrashot.domain.tables import Chips, Embeddings

CONCATENATED = "modsconcat"
KINDS_OF_FLOORS = ("image_stats", "random_conv", "untrained")
ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSet:
    """Vectors of chips as blocks side by side; nothing is copied until rows are asked for."""

    blocks: tuple[Float[np.ndarray, "M _"], ...]
    """A row of NaN is a chip without this block. No block at all: every chip has a vector of no number."""
    row_of: Int64[np.ndarray, " N"] | None = None
    """Row in the blocks of each chip, -1 where it has none; None: the blocks are in the chips' order."""

    @property
    def n_features(self) -> int:
        """Numbers in a vector."""
        return sum(block.shape[1] for block in self.blocks)

    def take(self, rows: Int64[np.ndarray, " n"]) -> Float[np.ndarray, "n D"]:
        """The vectors of these chips, each of which must have one; in the blocks' own number type."""
        if not self.blocks:
            return np.empty((len(rows), 0), dtype=np.float32)
        theirs = rows if self.row_of is None else self.row_of[rows]
        return np.concatenate([block[theirs] for block in self.blocks], axis=1)

    def complete(self, n_chips: int) -> Bool[np.ndarray, " N"]:
        """Which of the chips have every block."""
        theirs = np.arange(n_chips) if self.row_of is None else self.row_of
        whole = theirs >= 0
        for block in self.blocks:
            whole &= _known(block)[theirs]
        return whole


def feature_sets(embeddings: Embeddings, floors: Embeddings | None) -> dict[str, FeatureSet]:
    """Feature sets by name, in the embeddings' rows.

    Each modality; all of them concatenated (`modsconcat`); of each kind of floor the same; `coordinates` where every chip
    has a place; `majority`, which has no column at all.
    """
    sets = {name: FeatureSet((block,)) for name, block in embeddings.blocks.items()}
    if len(embeddings.blocks) > 1:
        sets[CONCATENATED] = FeatureSet(tuple(embeddings.blocks.values()))
    if floors is not None:
        sets |= _floors(floors.blocks, _rows(embeddings.chips, floors.chips))
    places = _places(embeddings.chips)
    if places is not None:
        sets["coordinates"] = FeatureSet((places,))
    sets["majority"] = FeatureSet(())
    return sets


def _floors(blocks: Mapping[str, np.ndarray], row_of: np.ndarray) -> dict[str, FeatureSet]:
    sets = {}
    for kind in KINDS_OF_FLOORS:
        own = {name: block for name, block in blocks.items() if name.startswith(f"{kind}:")}
        if own:
            sets[kind] = FeatureSet(tuple(own.values()), row_of)
        if len(own) > 1:
            sets |= {name: FeatureSet((block,), row_of) for name, block in own.items()}
    return sets


def _known(block: np.ndarray) -> np.ndarray:
    """Which rows are numbers throughout; some rows at a time, since at full size a mask of them all is gigabytes."""
    starts = range(0, len(block), ROWS_AT_ONCE)
    found = [~np.isnan(block[start : start + ROWS_AT_ONCE]).any(axis=1) for start in starts]
    return np.concatenate(found) if found else np.empty(0, dtype=bool)


def _rows(chips: Chips, other: Chips) -> np.ndarray:
    row_of = {chip_id: row for row, chip_id in enumerate(other.ids)}
    return np.array([row_of.get(chip_id, -1) for chip_id in chips.ids], dtype=np.int64)


def _places(chips: Chips) -> Float32[np.ndarray, "N 2"] | None:
    if chips.lon_deg is None or chips.lat_deg is None or np.isnan(chips.lon_deg).any():
        return None
    # About the middle first: float32 alone would round a place to a metre.
    return np.column_stack([axis - axis.mean() for axis in (chips.lon_deg, chips.lat_deg)]).astype(np.float32)
