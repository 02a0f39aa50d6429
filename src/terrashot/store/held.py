"""A chip store whose channels stay in memory once they have been read."""

from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate

import numpy as np
from jaxtyping import Float32

from terrashot.domain.tables import Presence
from terrashot.store.chips import ChipStore, ZarrChipStore, images_of
from terrashot.store.layout import StoredChannel

BYTES_BESIDE = 500
"""What one held channel takes beyond its numbers: up to 470 measured with CPython 3.11 and NumPy 2.4."""


class HeldChipStore:
    """Reads each stored channel of some chips from disk once, and decodes it on every read, so that bytes are the same."""

    def __init__(self, store: ZarrChipStore, chip_ids: Iterable[str]) -> None:
        self._store = store
        self._held_ids = frozenset(chip_ids)
        self._held: dict[tuple[str, str, int], np.ndarray | None] = {}

    @property
    def chip_ids(self) -> tuple[str, ...]:
        return self._store.chip_ids

    @property
    def modalities(self) -> tuple[str, ...]:
        return self._store.modalities

    @property
    def chip_px(self) -> int:
        return self._store.chip_px

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> Float32[np.ndarray, "B H W"]:
        return images_of(self._store.layout(modality), self.chip_px, picks, self._stored)

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        return self._store.channels(chip_id, modality)

    def presence(self) -> Presence:
        return self._store.presence()

    def _stored(self, modality: str, chip_id: str, slot: int) -> np.ndarray | None:
        if chip_id not in self._held_ids:
            return self._store.stored(modality, chip_id, slot)
        key = modality, chip_id, slot
        if key not in self._held:
            self._held[key] = self._store.stored(*key)
        return self._held[key]


_: type[ChipStore] = HeldChipStore


def hold(store: ZarrChipStore, chip_ids: Collection[str], most_bytes: int) -> ChipStore:
    """A store that keeps these chips in memory; the store itself where they would take more than `most_bytes`."""
    sizes = accumulate(held_bytes(store, chip_id) for chip_id in chip_ids)
    # Stops at the first chip that is too many: looking up all of a large store takes minutes.
    return store if any(size > most_bytes for size in sizes) else HeldChipStore(store, chip_ids)


def held_bytes(store: ZarrChipStore, chip_id: str) -> int:
    """Memory that all channels of a chip take when they are held: their stored numbers, not compressed."""
    total = 0
    for modality in store.modalities:
        layout = store.layout(modality)
        n_stored = sum(found.slot < layout.slots for found in store.channels(chip_id, modality))
        total += n_stored * (layout.side_px**2 * np.dtype(layout.dtype).itemsize + BYTES_BESIDE)
    return total
