"""A chip store in memory: what a test puts in is what comes out, and every request is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from terrashot.domain.modality import Channel
from terrashot.domain.tables import Presence, make_presence
from terrashot.store.chips import ChipStore
from terrashot.store.layout import StoredChannel


@dataclass(frozen=True)
class FakeChipStore:
    """images[modality][chip id] is a list of (channel, pixels), by slot; None is an absent channel."""

    images: Mapping[str, Mapping[str, Sequence[tuple[Channel, np.ndarray] | None]]]
    requests: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def chip_ids(self) -> tuple[str, ...]:
        return tuple(sorted({chip_id for chips in self.images.values() for chip_id in chips}))

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.images)

    @property
    def chip_px(self) -> int:
        return max(
            slot[1].shape[-1] for chips in self.images.values() for slots in chips.values() for slot in slots if slot
        )

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> np.ndarray:
        self.requests.extend((modality, chip_id, slot) for chip_id, slot in picks)
        batch = np.empty((len(picks), self.chip_px, self.chip_px), dtype=np.float32)
        for row, (chip_id, slot) in enumerate(picks):
            found = self.images[modality][chip_id][slot]
            assert found is not None, f"asked for an absent channel: {modality} {chip_id} {slot}"
            batch[row] = found[1]
        return batch

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        slots = self.images[modality].get(chip_id, ())
        return tuple(
            StoredChannel(number, slot[0], float(np.mean(~np.isnan(slot[1]))))
            for number, slot in enumerate(slots)
            if slot
        )

    def presence(self) -> Presence:
        return make_presence(())


_: type[ChipStore] = FakeChipStore


def textured_store(
    chip_ids: Sequence[str], channels: Mapping[str, int], side_px: int = 8, seed: int = 0
) -> FakeChipStore:
    """Chips whose channels all show the same pattern, each slot with a gain and an offset of its own, and noise."""
    images: dict[str, dict[str, list[tuple[Channel, np.ndarray] | None]]] = {name: {} for name in channels}
    for chip_id in chip_ids:
        rng = np.random.default_rng([seed, *chip_id.encode()])
        pattern = rng.normal(size=(2, 2)).repeat(side_px // 2, 0).repeat(side_px // 2, 1)
        for modality, n_channels in channels.items():
            images[modality][chip_id] = [
                (
                    Channel(f"c{slot}", "all", "unit"),
                    (pattern / (slot + 1) + slot + 0.1 * rng.normal(size=pattern.shape)).astype(np.float32),
                )
                for slot in range(n_channels)
            ]
    return FakeChipStore(images)
