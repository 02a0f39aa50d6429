"""Vectors of single channels, and the vector of a chip that they make together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from terrashot.domain.modality import BETWEEN
from terrashot.domain.tables import Chips

PartPolicy = Literal["mean", "each", "each-date"]
"""`mean`: a modality's vector is the unit-length mean over its present channels; `each`: a part for each kind of channel, the
unit-length mean over that kind's present channels; `each-date`: a part for each channel that has a name, and for each kind of the
others."""
NUMBERS_AT_ONCE = 1 << 24
"""So many numbers are float32 beside the half-precision ones that they come from."""


@dataclass(frozen=True, slots=True, eq=False)
class ModalityChannels:
    """The channels of one modality, the same places for every chip."""

    names: tuple[str | None, ...]
    """None: the place holds another channel in each chip, as a date pair."""
    kinds: tuple[str, ...]
    months: tuple[str | None, ...]
    """`2020-01`; None where a channel has no month of its own."""
    vectors: Float[np.ndarray, "N C D"]
    """Unit length; NaN where the chip lacks the channel."""

    @property
    def present(self) -> Bool[np.ndarray, "N C"]:
        """Which chip has which channel."""
        return ~np.isnan(self.vectors[:, :, 0])

    def parts(self, policy: PartPolicy) -> tuple[Int64[np.ndarray, " c"], ...]:
        """Places of the channels that go into each part, in the order of the parts."""
        if policy == "mean":
            return (np.arange(len(self.kinds)),)
        own = zip(self.names, self.kinds, strict=True)
        names = [name if name is not None and policy == "each-date" else kind for name, kind in own]
        parts = np.array(names, dtype=object)
        return tuple(np.flatnonzero(parts == name) for name in dict.fromkeys(names))

    def fall_with(self, channel: int) -> list[int]:
        """Places of the channels that cannot be had without this one: itself, and differences taken from it."""
        name, month, kind = self.names[channel], self.months[channel], self.kinds[channel]
        made = {f"{a}-{b}" for a in self.kinds for b in self.kinds if kind in (a, b)}
        taken_from = [() if its is None else its.split(BETWEEN) for its in self.names]
        return [
            one
            for one in range(len(self.kinds))
            if one == channel or (self.kinds[one] in made and self.months[one] == month) or name in taken_from[one]
        ]


@dataclass(frozen=True, slots=True, eq=False)
class ChannelVectors:
    """Vectors of every channel of some chips."""

    chips: Chips
    modalities: Mapping[str, ModalityChannels]
    shared: int | None = None
    """How many numbers at the end of a vector lie in the space where modalities agree; None: all."""


def parts_without(
    channels: ModalityChannels,
    rows: Int64[np.ndarray, " n"],
    gone: Bool[np.ndarray, "_ C"],
    policy: PartPolicy,
) -> Float32[np.ndarray, "n K D"]:
    """Parts of the vectors of these chips as if some channels were not there; NaN where nothing of a part is left.

    Args:
        gone: by chip of the whole table, or one row for all of them.
    """
    parts, size = channels.parts(policy), channels.vectors.shape[2]
    made = np.empty((len(rows), len(parts), size), dtype=np.float32)
    at_once = max(1, NUMBERS_AT_ONCE // (len(channels.kinds) * size))
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        theirs = gone if len(gone) == 1 else gone[some]
        images = np.where(theirs[:, :, None], np.nan, channels.vectors[some]).astype(np.float32, copy=False)
        for number, places in enumerate(parts):
            made[start : start + at_once, number] = _unit_mean(images[:, places])
    return made


def side_by_side(parts: Sequence[Float32[np.ndarray, "N _ _"]]) -> Float32[np.ndarray, "N P"]:
    """The parts of several modalities as one vector a chip."""
    return np.concatenate([block.reshape(len(block), -1) for block in parts], axis=1)


def _unit_mean(images: Float32[np.ndarray, "N C D"]) -> Float32[np.ndarray, "N D"]:
    """Unit-length means over the channels that are there; NaN where none is."""
    is_there = ~np.isnan(images[:, :, 0])
    sums = np.where(is_there[:, :, None], images, 0).sum(axis=1, dtype=np.float32)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.divide(sums, lengths, out=sums, where=lengths > 0)
    means[~is_there.any(axis=1)] = np.nan
    return means
