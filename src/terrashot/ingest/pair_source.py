"""Coherence of pairs of dates as a source of imagery: the squares that were cut for a chip, frames of one pair put together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from terrashot.domain.grid import chip_from_id
from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.errors import InputError
from terrashot.ingest.pair_cuts import ChipCuts, Cuts, Square
from terrashot.ingest.pair_list import ChipPair, PairList
from terrashot.ingest.source import ImagerySource
from terrashot.raster.onto_chip import ROUNDING
from terrashot.raster.regrid import HALF

MODALITY, UNIT = "gunw", "coherence"
PASSES = 2
"""That went into a pair."""


@dataclass(frozen=True, slots=True)
class PairSource:
    """Reads the pairs of a chip, each a channel."""

    pairs: PairList
    cuts: Cuts
    modality: str = MODALITY
    unit: str = UNIT
    channels: tuple[Channel, ...] | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def side_px(self) -> int:
        return self.cuts.side_px

    @property
    def max_channels(self) -> int:
        return self.pairs.most_pairs

    def read(self, chip_id: str) -> Imagery:
        """Coherence by pair, 0 to 1; NaN where no frame has a cell; why a pair is absent.

        Raises:
            InputError: the id is not of our grid.
        """
        squares = self.cuts.of(chip_id)
        kept: list[tuple[Channel, Float32[np.ndarray, "side side"]]] = []
        absences: list[Absence] = []
        for found in self.pairs.over(chip_from_id(chip_id)):
            channel = found.pair.channel
            try:
                square = put_together(found, squares)
            except InputError as error:
                absences.append(Absence(channel, "failed", str(error)))
                continue
            if square is None:
                absences.append(Absence(channel, "empty", "outside the swath"))
            else:
                kept.append((channel, square))
        if not kept and not absences:
            absences.append(Absence(None, "missing", "no pair was formed"))
        values = np.array([square for _, square in kept], np.float32).reshape(-1, self.side_px, self.side_px)
        return Imagery(tuple(channel for channel, _ in kept), values, (PASSES,) * len(kept), tuple(absences))


def put_together(found: ChipPair, squares: ChipCuts) -> Float32[np.ndarray, "side side"] | None:
    """The pair on the chip's lattice; None where no frame has any of it.

    Raises:
        InputError: one of the frames could not be had: the pair fails as a whole, for what happened to arrive would be
            another picture the next day.
    """
    return mosaic([squares.square(product.name.text) for product in found.products])


def mosaic(frames: Sequence[Square | None]) -> Float32[np.ndarray, "side side"] | None:
    """Coherence of frames on one lattice, each cell from the first that has it, and what that lacks of it from the next; NaN where all
    together have under half of it; None where that is everywhere.
    """
    there = [frame for frame in frames if frame is not None]
    if not there:
        return None
    total, share = np.zeros_like(there[0])
    for own_total, own_share in there:
        taken = np.minimum(own_share, 1 - share)
        total += own_total * taken / np.where(own_share > 0, own_share, 1)
        share += taken
    is_kept = share >= HALF - ROUNDING
    whole = np.where(is_kept, total / np.where(is_kept, share, 1), np.float32(np.nan))
    return whole if is_kept.any() else None


_: type[ImagerySource] = PairSource
