"""How one modality lies in the chip store, and the ledger's form of layouts and presence rows, checked on reading."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from terrashot.domain.modality import MODALITIES, Channel
from terrashot.domain.tables import PresenceRow
from terrashot.errors import IntegrityError
from terrashot.store.encoding import ENCODINGS, Encoding

ZARR, LEDGER = "chips.zarr", "chips.ledger.sqlite"
LARGEST_SIDE_PX = 8192
MOST_SLOTS = 4096
MOST_SHARD_CHIPS = 64
LARGEST_SHARD_BYTES = 256 << 20


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
    unit: str | None = None

    @property
    def encoding(self) -> Encoding:
        return Encoding(self.dtype, self.scale, self.offset, float("nan") if self.nodata is None else self.nodata)

    @property
    def shard_chunks(self) -> int:
        return self.shard_chips * self.slots


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """A channel of a chip that is there: where it lies, and what it is."""

    slot: int
    """Position along the channel axis; derived channels follow the stored ones."""
    channel: Channel
    valid_fraction: float


def layout_from_json(content: Mapping[str, Any], where: Path) -> Layout:
    """The layout that the ledger holds.

    Raises:
        IntegrityError: no layout, or one of a size that no store of ours has; checked before anything is allocated.
    """
    try:
        derived = tuple(Derived(Channel(**d["channel"]), d["minuend"], d["subtrahend"]) for d in content["derived"])
        channels = None if content["channels"] is None else tuple(content["channels"])
        layout = Layout(**{**content, "channels": channels, "derived": derived})
        wrong = _what_is_wrong(layout)
    except (KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{where}: no layout of ours ({error}); make the store again") from None
    if wrong:
        raise IntegrityError(f"{where}: {layout.modality}: {wrong}; no store of ours is so; make it again")
    return layout


def _what_is_wrong(layout: Layout) -> str | None:
    known = {(e.dtype, e.scale, e.offset) for e in ENCODINGS.values()}
    stored = range(layout.slots)
    checks = {
        f"no modality is called '{layout.modality}'": layout.modality not in MODALITIES,
        f"side {layout.side_px} px": not 1 <= layout.side_px <= LARGEST_SIDE_PX,
        f"{layout.slots} channels": not 1 <= layout.slots <= MOST_SLOTS,
        f"{layout.shard_chips} chips a shard": not 1 <= layout.shard_chips <= MOST_SHARD_CHIPS,
        "an unknown encoding": (layout.dtype, layout.scale, layout.offset) not in known,
        "a difference of channels that are not stored": any(
            d.minuend not in stored or d.subtrahend not in stored for d in layout.derived
        ),
    }
    return next((reason for reason, is_so in checks.items() if is_so), None)


def shard_path(folder: Path, modality: str, shard: int) -> Path:
    """Where a shard's file lies, by Zarr's default chunk key encoding."""
    return folder / ZARR / modality / "c" / str(shard) / "0" / "0" / "0"


def row_as_json(row: PresenceRow, unit: str | None) -> dict[str, Any]:
    """A presence row as the ledger holds it, with the channel's unit."""
    return asdict(row) | {"unit": unit}


def row_from_json(content: Mapping[str, Any], where: Path) -> PresenceRow:
    """The presence row that the ledger holds."""
    try:
        return PresenceRow(**{name: value for name, value in content.items() if name != "unit"})
    except (TypeError, AttributeError) as error:
        raise IntegrityError(f"{where}: no presence row of ours ({error}); make the store again") from None


def stored_channels(rows: Any, layout: Layout, where: Path) -> tuple[StoredChannel, ...]:
    """The channels that are there, of one chip's presence rows.

    Raises:
        IntegrityError: no such rows, or a slot that the layout has not.
    """
    try:
        found = tuple(_stored(content) for content in rows if content["status"] == "ok")
        outside = [s for s in found if not 0 <= s.slot < layout.slots + len(layout.derived)]
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"{where}: no presence rows of ours ({error!r}); make the store again") from None
    if outside:
        raise IntegrityError(f"{where}: {layout.modality} has no slot {outside[0].slot}; make the store again")
    return found


def _stored(content: Mapping[str, Any]) -> StoredChannel:
    dates = content["first_date"], content["second_date"]
    channel = Channel(content["channel"], content["kind"], content["unit"], *dates)
    return StoredChannel(content["slot"], channel, content["valid_fraction"])
