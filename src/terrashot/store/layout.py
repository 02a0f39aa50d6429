"""How one modality lies in the chip store, and the ledger's form of layouts and presence rows, checked on reading."""

import re
from collections.abc import Iterable, Mapping
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
LARGEST_COUNT = 1 << 15
"""Slots are kept as 16 bit, and no channel is made from so many acquisitions."""
SHARD_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
LARGEST_SHARD_BYTES = 256 << 20
LARGEST_CHIP_VALUES = 1 << 27
"""Over all channels of a chip that has a shard of its own; no image file of more is read."""


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
    is_derived: bool = False
    """Computed on reading, from two channels that are stored."""


def layout_from_json(content: Mapping[str, Any], where: Path) -> Layout:
    """The layout that the ledger holds.

    Raises:
        IntegrityError: no layout, or one of a size that no store of ours has; checked before anything is allocated.
    """
    try:
        derived = tuple(
            Derived(_channel(**d["channel"]), _count(d["minuend"]), _count(d["subtrahend"])) for d in content["derived"]
        )
        channels = None if content["channels"] is None else tuple(content["channels"])
        layout = Layout(**{**content, "channels": channels, "derived": derived})
        _refuse_other_types(layout)
        wrong = _what_is_wrong(layout)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise IntegrityError(f"{where}: no layout of ours ({error}); make the store again") from None
    if wrong:
        raise IntegrityError(f"{where}: {layout.modality}: {wrong}; no store of ours is so; make it again")
    return layout


def layouts_from_json(entries: Iterable[tuple[str, Any]], where: Path) -> dict[str, Layout]:
    """The layout of each modality that the ledger holds.

    Raises:
        IntegrityError: as `layout_from_json`, or one stands under the name of another modality.
    """
    layouts = {name: layout_from_json(content, where) for name, content in entries}
    if any(name != layout.modality for name, layout in layouts.items()):
        raise IntegrityError(f"{where}: a layout under the name of another modality; make the store again")
    return layouts


def _what_is_wrong(layout: Layout) -> str | None:
    known = {(e.dtype, e.scale, e.offset, e.nodata if e.nodata == e.nodata else None) for e in ENCODINGS.values()}
    values = layout.slots * layout.side_px**2
    stored = range(layout.slots)
    checks = {
        f"no modality is called '{layout.modality}'": layout.modality not in MODALITIES,
        f"side {layout.side_px} px": not 1 <= layout.side_px <= LARGEST_SIDE_PX,
        f"{layout.slots} channels": not 1 <= layout.slots <= MOST_SLOTS,
        f"{layout.shard_chips} chips a shard": not 1 <= layout.shard_chips <= MOST_SHARD_CHIPS,
        f"{values} values a chip": values > LARGEST_CHIP_VALUES,
        f"shards of {values * layout.shard_chips} values": layout.shard_chips > 1
        and 4 * values * layout.shard_chips > LARGEST_SHARD_BYTES,
        "an unknown encoding": (layout.dtype, layout.scale, layout.offset, layout.nodata) not in known,
        "not as many names as channels": layout.channels is not None and len(layout.channels) > layout.slots,
        "two channels of one name": len(set(layout.channels or ())) < len(layout.channels or ()),
        "a difference of channels that are not stored": any(
            d.minuend not in stored or d.subtrahend not in stored for d in layout.derived
        ),
    }
    return next((reason for reason, is_so in checks.items() if is_so), None)


def _refuse_other_types(layout: Layout) -> None:
    for count in (layout.side_px, layout.slots, layout.shard_chips):
        _count(count)
    for text in (layout.modality, layout.dtype, *(layout.channels or ())):
        _text(text)
    _text_or_none(layout.unit)


def positions_from_json(entries: Iterable[tuple[str, Any]], where: Path) -> dict[str, int]:
    """Each chip's place along the chip axis, as the ledger holds them.

    Raises:
        IntegrityError: no place, one of two chips, or one that no store of ours has.
    """
    found = dict(entries)
    # New chips begin a new shard, so that at worst each has one to itself.
    end = MOST_SHARD_CHIPS * len(found)
    for chip_id, position in found.items():
        if type(position) is not int or not 0 <= position < end:
            raise IntegrityError(f"{where}: chip {chip_id[:40]} lies at {str(position)[:40]}; make the store again")
    if len(set(found.values())) < len(found):
        raise IntegrityError(f"{where}: two chips lie at one place; make the store again")
    return found


def shard_digests_from_json(
    entries: Iterable[tuple[str, Any]], layouts: Mapping[str, Layout], where: Path
) -> dict[str, str]:
    """SHA-256 of each shard, by `modality/number`, as the ledger holds them.

    Raises:
        IntegrityError: a shard of no modality or without a number, or no digest.
    """
    found = {}
    for key, content in entries:
        refuse_bad_shard_key(key, layouts, where)
        digest = content.get("sha256") if isinstance(content, dict) else None
        if not isinstance(digest, str):
            raise IntegrityError(f"{where}: no digest of shard {key}; make the store again")
        found[key] = digest
    return found


def refuse_bad_shard_key(key: str, layouts: Mapping[str, Layout], where: Path) -> None:
    """Nothing, for `modality/number`: a path is made of it."""
    modality, _, number = key.partition("/")
    if modality not in layouts or not SHARD_NUMBER.fullmatch(number):
        raise IntegrityError(f"{where}: no shard is called '{key[:60]}'; make the store again")


def refuse_bad_metadata_name(name: str, layouts: Mapping[str, Layout], where: Path) -> None:
    """Nothing, for the name of a metadata file of the store: what is damaged there is removed by it."""
    if name not in {"zarr.json", *(f"{modality}/zarr.json" for modality in layouts)}:
        raise IntegrityError(f"{where}: no metadata of the store is called '{name[:60]}'; make the store again")


def shard_path(folder: Path, modality: str, shard: int) -> Path:
    """Where a shard's file lies, by Zarr's default chunk key encoding."""
    return folder / ZARR / modality / "c" / str(shard) / "0" / "0" / "0"


def row_as_json(row: PresenceRow, unit: str | None) -> dict[str, Any]:
    """A presence row as the ledger holds it, with the channel's unit; without a mean count where there is none to tell."""
    fields = asdict(row) | {"unit": unit}
    return fields if row.mean_count is not None else {name: own for name, own in fields.items() if name != "mean_count"}


def rows_from_json(content: Any, where: Path) -> list[PresenceRow]:
    """The presence rows of one chip and modality, as the ledger holds them.

    Raises:
        IntegrityError: no such rows.
    """
    if not isinstance(content, list):
        raise IntegrityError(f"{where}: no presence rows of ours; make the store again")
    return [_row_from_json(row, where) for row in content]


def _row_from_json(content: Any, where: Path) -> PresenceRow:
    try:
        if any(type(content[name]) not in kinds for name, kinds in ROW_TYPES):
            raise TypeError("a field of another type")
        for count in (content["slot"], content["n_acquisitions"]):
            _count(count or 0)
        _share(content["valid_fraction"] or 0)
        if not 0 <= content.get("mean_count", 0) < LARGEST_COUNT:
            raise TypeError("a mean count that counts nothing")
        return PresenceRow(**{name: value for name, value in content.items() if name != "unit"})
    except (KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{where}: no presence row of ours ({error}); make the store again") from None


def stored_channels(rows: Any, layout: Layout, where: Path) -> tuple[StoredChannel, ...]:
    """The channels that are there, of one chip's presence rows.

    Raises:
        IntegrityError: no such rows, or a slot that the layout has not.
    """
    try:
        found = tuple(_stored(content, layout) for content in rows if content["status"] == "ok")
        outside = [s for s in found if not s.slot < layout.slots + len(layout.derived)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise IntegrityError(f"{where}: no presence rows of ours ({error!r}); make the store again") from None
    if outside:
        raise IntegrityError(f"{where}: {layout.modality} has no slot {outside[0].slot}; make the store again")
    return found


def _stored(content: Mapping[str, Any], layout: Layout) -> StoredChannel:
    channel = _channel(
        content["channel"], content["kind"], content["unit"], content["first_date"], content["second_date"]
    )
    slot = _count(content["slot"])
    return StoredChannel(slot, channel, _share(content["valid_fraction"]), slot >= layout.slots)


def _channel(name: Any, kind: Any, unit: Any = None, first_date: Any = None, second_date: Any = None) -> Channel:
    return Channel(_text(name), _text(kind), *map(_text_or_none, (unit, first_date, second_date)))


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST_COUNT:
        raise TypeError(f"{str(value)[:40]!r} where a count belongs")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} where a text belongs")
    return value


def _share(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise TypeError(f"{str(value)[:40]!r} where a share belongs")
    return float(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


NONE = type(None)
ROW_TYPES = (
    *((name, (str,)) for name in ("chip_id", "modality", "status")),
    *((name, (str, NONE)) for name in ("channel", "kind", "reason", "first_date", "second_date")),
    *((name, (int, NONE)) for name in ("slot", "n_acquisitions")),
    ("valid_fraction", (int, float, NONE)),
)
"""What a presence row's fields may be; a tuple, for there are as many rows as channels of all chips."""
