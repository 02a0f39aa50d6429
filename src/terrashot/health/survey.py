"""A table made ready to be measured: rows by id, so that their order in the file changes nothing, and seeded samples."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from terrashot.domain.tables import Embeddings

SAMPLE_ROWS = 20_000
SAMPLE_NUMBERS = 1 << 26
"""Of very long vectors fewer rows are taken: 256 MiB in float32."""
BLOCK_NUMBERS = 1 << 22
"""Numbers that are converted at once: 32 MiB in float64."""
FEWEST_IN_AREA = 20
"""Areas of fewer chips are too small to shuffle chips within."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Sound vectors of one block, in the order of the chips' ids."""

    block: str
    rows: Int64[np.ndarray, " n"]
    """In the table."""
    vectors: Float32[np.ndarray, "n D"]


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """A table and what all measures share."""

    table: Embeddings
    order: Int64[np.ndarray, " N"]
    """Rows in the order of the chips' ids."""
    rank: Int64[np.ndarray, " N"]
    """Place of each row in that order."""
    area: Int64[np.ndarray, " N"]
    """Number of the chip's area; -1 in one of too few chips."""
    seed: int

    def random(self, what: str) -> np.random.Generator:
        """Draws of their own for each use, so that one measure more changes no other."""
        return np.random.default_rng([self.seed, *what.encode()])

    def some(self, rows: Int64[np.ndarray, " n"], most: int, what: str) -> Int64[np.ndarray, " m"]:
        """At most so many of the rows, in the order they have."""
        if len(rows) <= most:
            return rows
        return rows[np.sort(self.random(what).permutation(len(rows))[:most])]

    def sound(self, usable: Bool[np.ndarray, " N"]) -> Int64[np.ndarray, " n"]:
        """Rows by id of those that may be used."""
        return self.order[usable[self.order]]

    def most(self, block: str) -> int:
        """Vectors of a block that a sampled measure sees at most."""
        return min(SAMPLE_ROWS, SAMPLE_NUMBERS // self.table.blocks[block].shape[1])

    def sample(self, block: str, usable: Bool[np.ndarray, " N"]) -> Sample:
        """Vectors to measure on."""
        rows = self.some(self.sound(usable), self.most(block), "sample")
        return Sample(block, rows, numbers(self.table.blocks[block], rows))


def make_survey(table: Embeddings, seed: int) -> Survey:
    """The table, ready to be measured."""
    order = np.array(sorted(range(len(table.chips)), key=table.chips.ids.__getitem__), dtype=np.int64)
    return Survey(table, order, np.argsort(order), _area_numbers(table.chips.area), seed)


def numbers(block: Float[np.ndarray, "N D"], rows: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n D"]:
    """The rows named, in float32."""
    return block[rows].astype(np.float32)


def row_blocks(n_rows: int, width: int) -> Iterator[slice]:
    """Consecutive rows, not too many numbers at once."""
    step = max(1, BLOCK_NUMBERS // max(1, width))
    return (slice(start, start + step) for start in range(0, n_rows, step))


def _area_numbers(areas: tuple[str, ...]) -> Int64[np.ndarray, " N"]:
    """Areas counted up; all chips are one where no area has enough of them."""
    _, codes, counts = np.unique(np.array(areas, dtype=str), return_inverse=True, return_counts=True)
    if not (counts >= FEWEST_IN_AREA).any():
        return np.zeros(len(areas), dtype=np.int64)
    return np.where(counts[codes] >= FEWEST_IN_AREA, codes, -1).astype(np.int64)
