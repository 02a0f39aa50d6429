"""The chip store: one channel of one chip is the unit of reading, a shard of chips the unit of writing."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from terrashot.domain.modality import MODALITIES, Channel
from terrashot.domain.tables import Presence, PresenceRow, make_presence
from terrashot.durable.files import sha256_of_file
from terrashot.durable.ledger import Ledger
from terrashot.errors import InputError, IntegrityError
from terrashot.store.encoding import Encoding
from terrashot.store.shard import ABSENT, read_chunk, read_index
from terrashot.store.upsample import upsample

ZARR, LEDGER = "chips.zarr", "chips.ledger.sqlite"
MOST_KNOWN = 100_000
"""Chips and modalities whose channels one reader remembers."""
LARGEST_OPEN = 256
"""Shard files held open by one reader."""


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """A channel of a chip that is there: where it lies, and what it is."""

    slot: int
    """Position along the channel axis; derived channels follow the stored ones."""
    channel: Channel
    valid_fraction: float


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


@dataclass(frozen=True, slots=True)
class Derived:
    """A channel computed on reading: one stored slot minus another."""

    channel: Channel
    minuend: int
    subtrahend: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How one modality lies on disk."""

    modality: str
    side_px: int
    slots: int
    """Length of the channel axis."""
    shard_chips: int
    dtype: str
    scale: float
    offset: float
    nodata: float | None
    """None: NaN."""
    channels: tuple[str, ...] | None
    """Names of the slots; None where each chip has its own."""
    derived: tuple[Derived, ...] = ()
    """They follow the stored slots, in this order."""

    @property
    def encoding(self) -> Encoding:
        return Encoding(self.dtype, self.scale, self.offset, float("nan") if self.nodata is None else self.nodata)


def layout_from_json(content: Mapping[str, Any]) -> Layout:
    """The layout that the ledger holds."""
    derived = tuple(Derived(Channel(**d["channel"]), d["minuend"], d["subtrahend"]) for d in content["derived"])
    channels = None if content["channels"] is None else tuple(content["channels"])
    return Layout(**{**content, "channels": channels, "derived": derived})


class ZarrChipStore:
    """The store on disk: `chips.zarr` and the ledger beside it. Opening it again in another process is cheap."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ledger = Ledger(folder / LEDGER)
        self._position = dict(self._ledger.all("chip"))
        self._layouts = {name: layout_from_json(content) for name, content in self._ledger.all("layout")}
        self._shards = {key for key, _ in self._ledger.all("shard")}
        self._open: dict[str, tuple[int, np.ndarray]] = {}
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

    def digest(self) -> dict[str, str]:
        """SHA-256 of each shard that the ledger names, by `modality/number`."""
        return {key: str(content["sha256"]) for key, content in self._ledger.all("shard")}

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        if (chip_id, modality) not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            found = self._ledger.get("image", f"{modality}/{chip_id}") or ()
            self._known[chip_id, modality] = tuple(_stored(content) for content in found if content["status"] == "ok")
        return self._known[chip_id, modality]

    def presence(self) -> Presence:
        found = dict(self._ledger.all("image"))
        keys = (f"{modality}/{chip_id}" for chip_id in self.chip_ids for modality in self.modalities)
        return make_presence(_row(row) for key in keys for row in found.get(key, ()))

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> Float32[np.ndarray, "B H W"]:
        layout = self._layouts[modality]
        images = np.empty((len(picks), layout.side_px, layout.side_px), dtype=np.float32)
        for row, (chip_id, slot) in enumerate(picks):
            if slot < layout.slots:
                images[row] = self._stored(layout, chip_id, slot)
            else:
                parts = layout.derived[slot - layout.slots]
                images[row] = self._stored(layout, chip_id, parts.minuend)
                images[row] -= self._stored(layout, chip_id, parts.subtrahend)
        return images if layout.side_px == self.chip_px else upsample(images, self.chip_px)

    def _stored(self, layout: Layout, chip_id: str, slot: int) -> Float32[np.ndarray, "H W"]:
        shard, place = divmod(self._position[chip_id], layout.shard_chips)
        key = f"{layout.modality}/{shard}"
        if key not in self._shards:
            return np.full((layout.side_px, layout.side_px), np.nan, dtype=np.float32)
        descriptor, index = self._opened(layout, shard, key)
        where = index[place * layout.slots + slot]
        if where[0] == ABSENT:
            return np.full((layout.side_px, layout.side_px), np.nan, dtype=np.float32)
        stored = read_chunk(descriptor, where, np.dtype(layout.dtype), layout.side_px)
        if stored is None:
            raise IntegrityError(
                f"{shard_path(self.folder, layout.modality, shard)}: chip {chip_id}, {layout.modality}, slot {slot} "
                "is damaged; run: terrashot verify"
            )
        return layout.encoding.decode(stored)

    def _opened(self, layout: Layout, shard: int, key: str) -> tuple[int, np.ndarray]:
        if key not in self._open:
            if len(self._open) >= LARGEST_OPEN:
                os.close(self._open.pop(next(iter(self._open)))[0])
            path = shard_path(self.folder, layout.modality, shard)
            if not path.is_file():
                raise IntegrityError(
                    f"{path}: the ledger names this shard and it is gone; run: terrashot run --redo ingest"
                )
            index = read_index(path, layout.shard_chips * layout.slots)
            self._open[key] = os.open(path, os.O_RDONLY), index
        return self._open[key]

    def __del__(self) -> None:
        for descriptor, _ in getattr(self, "_open", {}).values():
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of the store that is not what was written."""

    file: str
    chips: tuple[str, ...]
    reason: str


def open_chip_store(folder: Path) -> ZarrChipStore:
    """The store in a study's folder.

    Raises:
        InputError: there is none.
    """
    if not (folder / ZARR).is_dir():
        raise InputError(f"{folder}: no {ZARR} in it; run the study's ingest first")
    return ZarrChipStore(folder)


def shard_path(folder: Path, modality: str, shard: int) -> Path:
    """Where a shard's file lies, by Zarr's default chunk key encoding."""
    return folder / ZARR / modality / "c" / str(shard) / "0" / "0" / "0"


def verify_store(folder: Path) -> tuple[Damage, ...]:
    """Every shard whose bytes are not those that the ledger records, with its chips; a damaged ledger is one too."""
    try:
        store = ZarrChipStore(folder)
        store.presence()
    except (IntegrityError, InputError) as error:
        return (Damage(LEDGER, (), str(error)),)
    return tuple(damage for key, digest in store.digest().items() if (damage := _check_shard(store, key, digest)))


def _check_shard(store: ZarrChipStore, key: str, digest: str) -> Damage | None:
    modality, number = key.split("/")
    path = shard_path(store.folder, modality, int(number))
    reason = "missing" if not path.is_file() else "its bytes are not those that were written"
    if path.is_file() and sha256_of_file(path) == digest:
        return None
    size = store.layout(modality).shard_chips
    chips = tuple(c for c in store.chip_ids if store._position[c] // size == int(number))
    return Damage(str(path.relative_to(store.folder)), chips, reason)


def row_as_json(row: PresenceRow, unit: str | None) -> dict[str, Any]:
    """A presence row as the ledger holds it, with the channel's unit."""
    return asdict(row) | {"unit": unit}


def _row(content: Mapping[str, Any]) -> PresenceRow:
    return PresenceRow(**{name: value for name, value in content.items() if name != "unit"})


def _stored(content: Mapping[str, Any]) -> StoredChannel:
    dates = content["first_date"], content["second_date"]
    channel = Channel(content["channel"], content["kind"], content["unit"], *dates)
    return StoredChannel(content["slot"], channel, content["valid_fraction"])
