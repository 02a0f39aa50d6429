"""Other numbers of the same chips, to hold vectors against: another block, or simple features of the images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64

from terrashot.domain.tables import Embeddings, shared_rows

IMAGES = "image_stats:"
CONSTANT = 1e-6
"""A column whose spread is this small a share of its mean differs by rounding only."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Numbers of chips, found by the chips' rows in the table that is measured."""

    name: str
    numbers: Float[np.ndarray, "M ..."]
    row_of: Int64[np.ndarray, " N"]
    """Row of each chip in `numbers`; -1 where it has none."""
    own_units: bool
    """Columns are of units of their own, so that each is brought to its own spread."""

    def of(self, rows: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n F"]:
        """The features of these chips, all of which have some."""
        found = self.numbers[self.row_of[rows]].astype(np.float32).reshape(len(rows), -1)
        return _standardised(found) if self.own_units else found

    def known(self, rows: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " m"]:
        """Those of the rows whose chips have features."""
        return rows[self.row_of[rows] >= 0]


def block_features(table: Embeddings, block: str) -> Features:
    """A block of the table itself."""
    return Features(block, table.blocks[block], np.arange(len(table.chips)), own_units=False)


def shared_features(table: Embeddings, block: str) -> Features:
    """What of a block of the table may be compared with other modalities."""
    return Features(block, table.shared_parts(block), np.arange(len(table.chips)), own_units=False)


def image_features(table: Embeddings, floors: Embeddings | None) -> Mapping[str, Features]:
    """By block, statistics of the images that it was made from; where no name fits, those that most chips have.

    Raises:
        MisalignedError: the two tables share no chip.
    """
    found = {name: block for name, block in (floors.blocks if floors else {}).items() if name.startswith(IMAGES)}
    if floors is None or not found:
        return {}
    ours, theirs = shared_rows(table.chips.ids, floors.chips.ids)
    row_of = np.full(len(table.chips), -1, dtype=np.int64)
    row_of[ours] = theirs
    every = {name: Features(name, block, _present(row_of, block), own_units=True) for name, block in found.items()}
    most = max(every.values(), key=lambda features: int((features.row_of >= 0).sum()))
    return {block: every.get(IMAGES + block, most) for block in table.blocks}


def _present(row_of: Int64[np.ndarray, " N"], block: Float[np.ndarray, "M F"]) -> Int64[np.ndarray, " N"]:
    whole = np.isfinite(block).all(axis=1)
    return np.where((row_of >= 0) & whole[row_of], row_of, -1)


def _standardised(features: Float32[np.ndarray, "n F"]) -> Float32[np.ndarray, "n f"]:
    """Each column about its mean in units of its spread; one without spread is left out."""
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    varies = spread > CONSTANT * np.abs(mean)
    scaled: np.ndarray = (features[:, varies] - mean[varies]) / spread[varies]
    return scaled.astype(np.float32)
