"""One chip's imagery of one modality as it will lie in a shard: packed chunks, presence rows, digest. No files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from terrashot.domain.modality import Absence, Channel, Imagery
from terrashot.domain.tables import PresenceRow
from terrashot.errors import InputError
from terrashot.store.layout import Layout, row_as_json
from terrashot.store.shard import pack


@dataclass(frozen=True, slots=True)
class PackedChip:
    """What the store keeps of one chip and modality."""

    chunks: Mapping[int, bytes]
    """Packed chunk, by slot."""
    rows: Sequence[Mapping[str, Any]]
    """Presence rows, as the ledger holds them."""

    @property
    def digest(self) -> str:
        """SHA-256 of the chunks with their slots: what verification and repair know a chip by."""
        found = hashlib.sha256()
        for slot in sorted(self.chunks):
            found.update(slot.to_bytes(4, "little") + len(self.chunks[slot]).to_bytes(8, "little"))
            found.update(self.chunks[slot])
        return found.hexdigest()


def pack_chip(layout: Layout, chip_id: str, found: Imagery | Absence) -> PackedChip:
    """The chip's chunks and rows; a channel without a valid pixel has a row and no chunk.

    Raises:
        InputError: size, channels or numbers do not fit the layout; names chip, modality, channel.
    """
    if isinstance(found, Absence):
        return PackedChip({}, [row_as_json(_absent_row(chip_id, layout.modality, found), None)])
    _refuse_another_size(layout, chip_id, found)
    slots = _slots(layout, found)
    chunks: dict[int, bytes] = {}
    rows = []
    for index, (channel, slot) in enumerate(zip(found.channels, slots, strict=True)):
        n_acquisitions = found.n_acquisitions[index] if found.n_acquisitions else None
        mean_count = found.mean_counts[index] if found.mean_counts else None
        valid = np.isfinite(found.values[index])
        row = _row_of(layout, chip_id, channel, slot, valid=valid)
        counted = replace(row, n_acquisitions=n_acquisitions, mean_count=mean_count)
        rows.append(row_as_json(counted, channel.unit))
        if valid.any():
            chunks[slot] = pack(_encoded(layout, chip_id, channel, found.values[index]))
    rows += [row_as_json(_absent_row(chip_id, layout.modality, absence), None) for absence in found.absences]
    return PackedChip(chunks, rows + _derived_rows(layout, chip_id, dict(zip(slots, found.values, strict=True))))


def _refuse_another_size(layout: Layout, chip_id: str, found: Imagery) -> None:
    if len(found.channels) and found.values.shape[1:] != (layout.side_px, layout.side_px):
        raise InputError(
            f"chip {chip_id}: {layout.modality} has {found.values.shape[2]} x {found.values.shape[1]} px, "
            f"the store {layout.side_px} x {layout.side_px}; all chips of a modality need one size"
        )


def _derived_rows(layout: Layout, chip_id: str, values: Mapping[int, np.ndarray]) -> list[dict[str, Any]]:
    rows = []
    for index, derived in enumerate(layout.derived):
        if derived.minuend in values and derived.subtrahend in values:
            valid = np.isfinite(values[derived.minuend]) & np.isfinite(values[derived.subtrahend])
            row = _row_of(layout, chip_id, derived.channel, layout.slots + index, valid=valid)
            rows.append(row_as_json(row, derived.channel.unit))
        else:
            absence = Absence(derived.channel, "missing", "one of its two channels is absent")
            rows.append(row_as_json(_absent_row(chip_id, layout.modality, absence), None))
    return rows


def _row_of(layout: Layout, chip_id: str, channel: Channel, slot: int, *, valid: np.ndarray) -> PresenceRow:
    n_valid = int(np.count_nonzero(valid))
    there = n_valid > 0
    return PresenceRow(
        chip_id=chip_id,
        modality=layout.modality,
        channel=channel.name,
        kind=channel.kind,
        slot=slot if there else None,
        status="ok" if there else "empty",
        reason=None if there else "no valid pixel",
        valid_fraction=n_valid / valid.size,
        n_acquisitions=None,
        first_date=channel.first_date,
        second_date=channel.second_date,
    )


def _slots(layout: Layout, found: Imagery) -> Sequence[int]:
    """Where each channel lies: by name where every chip has the same channels, else one after the other."""
    if len(found.channels) > layout.slots:
        raise InputError(f"{layout.modality}: {len(found.channels)} channels, the store has room for {layout.slots}")
    if layout.channels is None:
        return range(len(found.channels))
    unknown = [channel.name for channel in found.channels if channel.name not in layout.channels]
    if unknown:
        raise InputError(f"{layout.modality}: channel '{unknown[0]}' is none of {', '.join(layout.channels)}")
    return [layout.channels.index(channel.name) for channel in found.channels]


def _encoded(layout: Layout, chip_id: str, channel: Channel, values: np.ndarray) -> np.ndarray:
    if channel.unit == "dn" and layout.nodata is not None:
        finite = values[np.isfinite(values)]
        if finite.min() < 0 or finite.max() >= layout.nodata:
            raise InputError(
                f"chip {chip_id}: {layout.modality} '{channel.name}' holds {finite.min():g} to {finite.max():g}, "
                f"whole numbers from 0 to {layout.nodata - 1:g} fit; state scale, offset and units beside the folder"
            )
    return layout.encoding.encode(values)


def _absent_row(chip_id: str, modality: str, absence: Absence) -> PresenceRow:
    channel = absence.channel
    name, kind = (channel.name, channel.kind) if channel else (None, None)
    first, second = (channel.first_date, channel.second_date) if channel else (None, None)
    return PresenceRow(chip_id, modality, name, kind, None, absence.status, absence.reason, None, None, first, second)
