"""Mean and spread of each kind of channel, over the chips of a store."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from terrashot.domain.normalize import ChannelStats, KindStats, RunningMoments
from terrashot.store.chips import ChipStore
from terrashot.store.differences import BEFORE, FIRST_SLOT, has_many_looks, with_every_difference
from terrashot.store.layout import StoredChannel

MOST_CHIPS = 2000
"""A seeded sample of so many chips fixes a mean to 1/45 of its spread over chips (one over the square root)."""
IMAGES_AT_ONCE = 256
DIFFERENCES_AT_ONCE = 64
"""Fewer, for up to two images are held beside each."""
Picks = list[tuple[str, StoredChannel]]


def measure_channels(store: ChipStore, chip_ids: Sequence[str], seed: int) -> ChannelStats:
    """Moments of all valid pixels, by modality and kind, over at most 2,000 of these chips."""
    sampled = _sample(sorted(chip_ids), seed)
    return ChannelStats({name: _moments(store, name, _picks(store, name, sampled)) for name in store.modalities})


def measure_differences(store: ChipStore, stats: ChannelStats, chip_ids: Sequence[str], seed: int) -> ChannelStats:
    """`stats`, and beside them the moments of the differences of channels scaled by them, over the same sample.

    Changes are not taken of a modality that a chip shows at many dates: where clouds left three of twelve months, they are
    no more than other pairs of months in each chip.
    """
    every, sampled = with_every_difference(store, stats), _sample(sorted(chip_ids), seed)
    kinds = {name: dict(own) for name, own in stats.kinds.items()}
    for modality in kinds.keys() & set(store.modalities):
        own = [(chip_id, stored) for chip_id, stored in _picks(every, modality, sampled) if stored.slot >= FIRST_SLOT]
        if any(has_many_looks(store.channels(chip_id, modality)) for chip_id in sampled):
            own = [(chip_id, stored) for chip_id, stored in own if not stored.channel.kind.endswith(BEFORE)]
        kinds[modality] |= _moments(every, modality, own, DIFFERENCES_AT_ONCE)
    return ChannelStats(kinds)


def _picks(store: ChipStore, modality: str, chip_ids: Sequence[str]) -> Picks:
    return [(chip_id, stored) for chip_id in chip_ids for stored in store.channels(chip_id, modality)]


def _moments(store: ChipStore, modality: str, picks: Picks, at_once: int = IMAGES_AT_ONCE) -> dict[str, KindStats]:
    moments: dict[str, RunningMoments] = defaultdict(RunningMoments)
    units: dict[str, str | None] = {}
    for start in range(0, len(picks), at_once):
        batch = picks[start : start + at_once]
        images = store.read(modality, [(chip_id, stored.slot) for chip_id, stored in batch])
        for image, (_, stored) in zip(images, batch, strict=True):
            moments[stored.channel.kind].add(image)
            units.setdefault(stored.channel.kind, stored.channel.unit)
    return {kind: moments[kind].stats(units[kind]) for kind in sorted(moments)}


def _sample(chip_ids: Sequence[str], seed: int) -> Sequence[str]:
    if len(chip_ids) <= MOST_CHIPS:
        return chip_ids
    rows = np.random.default_rng(seed).choice(len(chip_ids), MOST_CHIPS, replace=False)
    return [chip_ids[row] for row in np.sort(rows)]
