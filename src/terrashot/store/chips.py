"""Reading the chip store: one channel of one chip at a time, and what is there without reading a pixel."""

import os
from collections.abc import Sequence
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
    layout_from_json,
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

MOST_KNOWN = 100_000
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
        self._layouts = {name: layout_from_json(content, path) for name, content in self._ledger.all("layout")}
        if any(name != layout.modality for name, layout in self._layouts.items()):
            raise IntegrityError(f"{path}: a layout under the name of another modality; make the store again")
        self._shards = set(shard_digests_from_json(self._ledger.all("shard"), self._layouts, path))
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
        return shard_digests_from_json(self._ledger.all("shard"), self._layouts, self._ledger.path)

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
        layout = self._layouts[modality]
        images = np.empty((len(picks), layout.side_px, layout.side_px), dtype=np.float32)
        for row, (chip_id, slot) in enumerate(picks):
            if slot < layout.slots:
                self._read_into(images[row], layout, chip_id, slot)
            else:
                parts = layout.derived[slot - layout.slots]
                subtrahend = np.empty_like(images[row])
                self._read_into(images[row], layout, chip_id, parts.minuend)
                self._read_into(subtrahend, layout, chip_id, parts.subtrahend)
                images[row] -= subtrahend
        return images if layout.side_px == self.chip_px else upsample(images, self.chip_px)

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

    def _read_into(self, image: Float32[np.ndarray, "H W"], layout: Layout, chip_id: str, slot: int) -> None:
        """`image` holds one stored channel; NaN all over where the store has none."""
        shard, place = self.place(chip_id, layout.modality)
        key = f"{layout.modality}/{shard}"
        if key not in self._shards:
            image[:] = np.nan
            return
        descriptor, index = self._opened(layout, shard, key)
        where = index[place * layout.slots + slot]
        if where[0] == ABSENT:
            image[:] = np.nan
            return
        dtype = np.dtype(layout.dtype)
        packed = read_packed(descriptor, where, most_packed_bytes(dtype, layout.side_px))
        stored = None if packed is None else unpack(packed, dtype, layout.side_px)
        if stored is None:
            raise IntegrityError(
                f"{shard_path(self.folder, layout.modality, shard)}: chip {chip_id}, {layout.modality}, slot {slot} "
                "is damaged; run: terrashot verify --repair, then terrashot run"
            )
        layout.encoding.decode_into(image, stored)

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


def open_chip_store(folder: Path) -> ZarrChipStore:
    """The store in a study's folder.

    Raises:
        InputError: there is none.
    """
    if not (folder / ZARR).is_dir():
        raise InputError(f"{folder}: no {ZARR} in it; run the study's ingest first")
    return ZarrChipStore(folder)
