"""Reading the chip store: one channel of one chip at a time, and what is there without reading a pixel."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt64

from terrashot.domain.modality import MODALITIES
from terrashot.domain.tables import Presence, make_presence
from terrashot.durable.ledger import Ledger
from terrashot.errors import InputError, IntegrityError
from terrashot.store.layout import (
    LEDGER,
    ZARR,
    Layout,
    StoredChannel,
    layouts_from_json,
    positions_from_json,
    refuse_bad_metadata_name,
    refuse_bad_shard_key,
    rows_from_json,
    shard_digests_from_json,
    shard_path,
    stored_channels,
)
from terrashot.store.shard import ABSENT, most_packed_bytes, open_shard, read_index, read_packed, unpack
from terrashot.store.upsample import upsample

MOST_KNOWN = 10_000
"""Chips and modalities whose channels one reader remembers."""
LARGEST_OPEN = 256
"""Shard files held open by one reader."""


@runtime_checkable
class ChipStore(Protocol):
    """Pixels of chips, by chip id, modality and slot."""

    @property
    def chip_ids(self) -> tuple[str, ...]: ...

    @property
    def modalities(self) -> tuple[str, ...]: ...

    @property
    def chip_px(self) -> int:
        """Side of the images that `read` gives, the same for every modality."""
        ...

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> Float32[np.ndarray, "B H W"]:
        """One image a (chip id, slot); NaN is no data.

        Raises:
            IntegrityError: what is stored does not fit its checksum; names chip, modality, slot.
        """
        ...

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        """The channels that are there, without reading a pixel; empty where the modality is absent."""
        ...

    def presence(self) -> Presence:
        """What is there of each chip, and why the rest is not."""
        ...


class ZarrChipStore:
    """The store on disk: `chips.zarr` and the ledger beside it. Opening it again in another process is cheap."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, tuple[int, np.ndarray]] = {}
        self._ledger = Ledger(folder / LEDGER)
        path = self._ledger.path
        self._position = positions_from_json(self._ledger.all("chip"), path)
        self._layouts = layouts_from_json(self._ledger.all("layout"), path)
        self._digests = shard_digests_from_json(self._ledger.all("shard"), self._layouts, path)
        self._shards = set(self._digests)
        """Grows while a writer adds shards beside us."""
        self._damaged = {key for key, _ in self._ledger.all("damage")}
        for key in self._damaged:
            refuse_bad_shard_key(key, self._layouts, path)
        for name, _ in self._ledger.all("metadata"):
            refuse_bad_metadata_name(name, self._layouts, path)
        self._known: dict[tuple[str, str], tuple[StoredChannel, ...]] = {}

    def __reduce__(self) -> tuple[type["ZarrChipStore"], tuple[Path]]:
        return ZarrChipStore, (self.folder,)

    @property
    def chip_ids(self) -> tuple[str, ...]:
        return tuple(sorted(self._position, key=self._position.__getitem__))

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(name for name in MODALITIES if name in self._layouts)

    @property
    def chip_px(self) -> int:
        return max(layout.side_px for layout in self._layouts.values())

    def layout(self, modality: str) -> Layout:
        """How a modality lies on disk."""
        return self._layouts[modality]

    def place(self, chip_id: str, modality: str) -> tuple[int, int]:
        """Number of the chip's shard, and the chip's place in it."""
        return divmod(self._position[chip_id], self._layouts[modality].shard_chips)

    def digest(self) -> dict[str, str]:
        """SHA-256 of each shard that the ledger names, by `modality/number`."""
        return dict(self._digests)

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        if (chip_id, modality) not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[chip_id, modality] = self._channels(chip_id, modality)
        return self._known[chip_id, modality]

    def presence(self) -> Presence:
        found = dict(self._ledger.all("image"))
        keys = (f"{modality}/{chip_id}" for chip_id in self.chip_ids for modality in self.modalities)
        path = self._ledger.path
        return make_presence(row for key in keys for row in rows_from_json(found.get(key, []), path))

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> Float32[np.ndarray, "B H W"]:
        return images_of(self._layouts[modality], self.chip_px, picks, self.stored)

    def stored(self, modality: str, chip_id: str, slot: int) -> np.ndarray | None:
        """The stored numbers (side, side) of one channel, read-only; None where the store has none.

        Raises:
            IntegrityError: they do not fit their checksum.
        """
        layout = self._layouts[modality]
        shard, place = self.place(chip_id, modality)
        key = f"{modality}/{shard}"
        if key not in self._shards:
            return None
        descriptor, index = self._opened(layout, shard, key)
        where = index[place * layout.slots + slot]
        if where[0] == ABSENT:
            return None
        dtype = np.dtype(layout.dtype)
        packed = read_packed(descriptor, where, most_packed_bytes(dtype, layout.side_px))
        numbers = None if packed is None else unpack(packed, dtype, layout.side_px)
        if numbers is None:
            raise IntegrityError(
                f"{shard_path(self.folder, modality, shard)}: chip {chip_id}, {modality}, slot {slot} "
                "is damaged; run: terrashot verify --repair, then terrashot run"
            )
        return numbers

    def _channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        if chip_id not in self._position or modality not in self._layouts:
            return ()
        self._refuse_damaged(chip_id, modality)
        key = f"{modality}/{chip_id}"
        rows = self._ledger.get("image", key)
        # Both are written at once, but a writer may do so between our looking for one and for the other.
        if rows is None and self._ledger.get("digest", key) and (rows := self._ledger.get("image", key)) is None:
            raise IntegrityError(
                f"{self._ledger.path}: the entry of chip {chip_id}, {modality} is gone; run: terrashot verify --repair"
            )
        if rows is not None:
            self._shards.add(f"{modality}/{self.place(chip_id, modality)[0]}")  # by now, if not when we opened
        return stored_channels(rows or (), self._layouts[modality], self._ledger.path)

    def _refuse_damaged(self, chip_id: str, modality: str) -> None:
        """Nothing, unless the chip's shard waits to be written again: absent now is not absent for good."""
        shard, _ = self.place(chip_id, modality)
        if f"{modality}/{shard}" in self._damaged:
            path = shard_path(self.folder, modality, shard)
            raise IntegrityError(f"{path}: waits for repair, with chip {chip_id} in it; run: terrashot run")

    def _opened(self, layout: Layout, shard: int, key: str) -> tuple[int, UInt64[np.ndarray, "n 2"]]:
        if key not in self._open:
            if len(self._open) >= LARGEST_OPEN:
                os.close(self._open.pop(next(iter(self._open)))[0])
            path = shard_path(self.folder, layout.modality, shard)
            descriptor = open_shard(path)
            try:
                self._open[key] = descriptor, read_index(descriptor, layout.shard_chunks, path)
            except BaseException:
                os.close(descriptor)
                raise
        return self._open[key]

    def close(self) -> None:
        """Gives back the files that it holds open."""
        for descriptor, _ in self._open.values():
            os.close(descriptor)
        self._open.clear()
        self._ledger.close()

    def __del__(self) -> None:
        if hasattr(self, "_ledger"):
            self.close()


def images_of(
    layout: Layout, side_px: int, picks: Sequence[tuple[str, int]], stored: Callable[[str, str, int], np.ndarray | None]
) -> Float32[np.ndarray, "B H W"]:
    """One image a (chip id, slot) of one modality, from what `stored` gives for modality, chip id and slot."""
    images = np.empty((len(picks), layout.side_px, layout.side_px), dtype=np.float32)
    for image, (chip_id, slot) in zip(images, picks, strict=True):
        if slot < layout.slots:
            _decode_into(image, layout, stored(layout.modality, chip_id, slot))
        else:
            parts = layout.derived[slot - layout.slots]
            subtrahend = np.empty_like(image)
            _decode_into(image, layout, stored(layout.modality, chip_id, parts.minuend))
            _decode_into(subtrahend, layout, stored(layout.modality, chip_id, parts.subtrahend))
            image -= subtrahend
    return images if layout.side_px == side_px else upsample(images, side_px)


def _decode_into(image: Float32[np.ndarray, "H W"], layout: Layout, stored: np.ndarray | None) -> None:
    """`image` holds one stored channel; NaN all over where the store has none."""
    if stored is None:
        image[:] = np.nan
    else:
        layout.encoding.decode_into(image, stored)


def open_chip_store(folder: Path) -> ZarrChipStore:
    """The store in a study's folder.

    Raises:
        InputError: there is none.
    """
    if not (folder / ZARR).is_dir():
        raise InputError(f"{folder}: no {ZARR} in it; run the study's ingest first")
    return ZarrChipStore(folder)
