"""One random present channel of each modality of each chip.

Every draw depends on the seed, the epoch and the chip's id alone, so that a resumed run sees what an uninterrupted one
does, whatever the batch or the number of processes.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from terrashot.domain.normalize import ChannelStats, fill_absent_with_mean, scale
from terrashot.pretrain.augment import N_SYMMETRIES, turned
from terrashot.store.chips import ChipStore
from terrashot.store.layout import StoredChannel


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """One batch: a channel of each modality of each chip, scaled; zeros where the modality is absent."""

    chip_ids: tuple[str, ...]
    pixels: dict[str, Float[Tensor, "B 1 H W"]]
    present: dict[str, Bool[Tensor, " B"]]


@dataclass(frozen=True, slots=True, eq=False)
class ChannelDraws:
    """Chips with at least two modalities, and their present channels."""

    store: ChipStore
    stats: ChannelStats
    modalities: tuple[str, ...]
    chip_ids: tuple[str, ...]
    channels: dict[tuple[str, str], tuple[StoredChannel, ...]]
    n_skipped: int
    """Chips left out because they have fewer than two modalities."""
    seed: int

    def order(self, epoch: int) -> list[str]:
        """The chips in the epoch's random order, whatever order they were listed in."""
        return sorted(
            self.chip_ids, key=lambda chip_id: (_number(self.seed, f"epoch {epoch}", chip_id, "order"), chip_id)
        )

    def views(self, chip_ids: Sequence[str], draw: str, *, augment: bool) -> Views:
        """The batch of these chips; `draw` names the epoch, or the one fixed draw of validation."""
        sides = [_number(self.seed, draw, chip_id, "turn") % N_SYMMETRIES if augment else 0 for chip_id in chip_ids]
        pixels, present = {}, {}
        for modality in self.modalities:
            pixels[modality], present[modality] = self._modality(modality, chip_ids, draw, sides)
        return Views(tuple(chip_ids), pixels, present)

    def _modality(
        self, modality: str, chip_ids: Sequence[str], draw: str, sides: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        picked = {
            row: found[_number(self.seed, draw, chip_id, modality) % len(found)]
            for row, chip_id in enumerate(chip_ids)
            if (found := self.channels[chip_id, modality])
        }
        batch = np.zeros((len(chip_ids), 1, self.store.chip_px, self.store.chip_px), dtype=np.float32)
        raw = self.store.read(modality, [(chip_ids[row], stored.slot) for row, stored in picked.items()])
        present = np.zeros(len(chip_ids), dtype=np.bool_)
        for image, (row, stored) in zip(raw, picked.items(), strict=True):
            batch[row, 0] = turned(scale(image, self.stats.of(modality, stored.channel.kind)), sides[row])
            # A difference of two channels may have no pixel in common.
            present[row] = not np.isnan(image).all()
        return torch.from_numpy(fill_absent_with_mean(batch)), torch.from_numpy(present)


def make_draws(store: ChipStore, stats: ChannelStats, chip_ids: Sequence[str], seed: int) -> ChannelDraws:
    """Draws over these chips; those with fewer than two modalities are left out and counted."""
    modalities = tuple(store.modalities)
    channels = {(c, m): _usable(store, stats, c, m) for c in chip_ids for m in modalities}
    kept = tuple(chip_id for chip_id in chip_ids if sum(bool(channels[chip_id, m]) for m in modalities) >= 2)
    return ChannelDraws(store, stats, modalities, kept, channels, len(chip_ids) - len(kept), seed)


def _usable(store: ChipStore, stats: ChannelStats, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
    known = stats.kinds.get(modality, {})
    return tuple(c for c in store.channels(chip_id, modality) if c.valid_fraction > 0 and c.channel.kind in known)


def _number(seed: int, *names: str) -> int:
    digest = hashlib.blake2b("/".join((str(seed), *names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def batches(chip_ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Runs of `size` chips; a last run of one chip, which has no negative, joins the run before."""
    starts = list(range(0, len(chip_ids), size))
    if len(starts) > 1 and len(chip_ids) - starts[-1] < 2:
        starts.pop()
    for start, end in zip(starts, [*starts[1:], len(chip_ids)], strict=True):
        yield chip_ids[start:end]
