"""Mean and spread of each kind of channel, over the chips of a store."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from terrashot.domain.normalize import ChannelStats, KindStats, RunningMoments
from terrashot.store.chips import ChipStore

MOST_CHIPS = 2000
"""A seeded sample of so many chips fixes a mean to 1/45 of its spread over chips (one over the square root)."""
IMAGES_AT_ONCE = 256


def measure_channels(store: ChipStore, chip_ids: Sequence[str], seed: int) -> ChannelStats:
    """Moments of all valid pixels, by modality and kind, over at most 2,000 of these chips."""
    sampled = _sample(sorted(chip_ids), seed)
    return ChannelStats({modality: _modality(store, modality, sampled) for modality in store.modalities})


def _modality(store: ChipStore, modality: str, chip_ids: Sequence[str]) -> dict[str, KindStats]:
    moments: dict[str, RunningMoments] = defaultdict(RunningMoments)
    units: dict[str, str | None] = {}
    picks = [(chip_id, stored) for chip_id in chip_ids for stored in store.channels(chip_id, modality)]
    for start in range(0, len(picks), IMAGES_AT_ONCE):
        batch = picks[start : start + IMAGES_AT_ONCE]
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
