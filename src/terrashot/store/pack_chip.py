"""One chip's imagery of one modality as it will lie in a shard: packed chunks, presence rows, digest. No files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float32

from terrashot.domain.modality import Absence, Channel, Imagery
from terrashot.domain.tables import PresenceRow
from terrashot.errors import InputError
from terrashot.store.encode import count_of_both, encode
from terrashot.store.layout import Layout, row_as_json
from terrashot.store.packed_chip import PackedChip
from terrashot.store.shard import pack


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
        stored, n_valid = encode(layout.encoding, found.values[index])
        row = _row_of(layout, chip_id, channel, slot, n_valid=n_valid)
        counted = replace(row, n_acquisitions=n_acquisitions, mean_count=mean_count)
        rows.append(row_as_json(counted, channel.unit))
        if n_valid:
            _refuse_other_numbers(layout, chip_id, channel, found.values[index])
            chunks[slot] = pack(stored)
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
            n_valid = count_of_both(values[derived.minuend], values[derived.subtrahend])
            row = _row_of(layout, chip_id, derived.channel, layout.slots + index, n_valid=n_valid)
            rows.append(row_as_json(row, derived.channel.unit))
        else:
            absence = Absence(derived.channel, "missing", "one of its two channels is absent")
            rows.append(row_as_json(_absent_row(chip_id, layout.modality, absence), None))
    return rows


def _row_of(layout: Layout, chip_id: str, channel: Channel, slot: int, *, n_valid: int) -> PresenceRow:
    there = n_valid > 0
    return PresenceRow(
        chip_id=chip_id,
        modality=layout.modality,
        channel=channel.name,
        kind=channel.kind,
        slot=slot if there else None,
        status="ok" if there else "empty",
        reason=None if there else "no valid pixel",
        valid_fraction=n_valid / layout.side_px**2,
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


def _refuse_other_numbers(layout: Layout, chip_id: str, channel: Channel, values: Float32[np.ndarray, "H W"]) -> None:
    if channel.unit == "dn" and layout.nodata is not None:
        finite = values[np.isfinite(values)]
        if finite.min() < 0 or finite.max() >= layout.nodata:
            raise InputError(
                f"chip {chip_id}: {layout.modality} '{channel.name}' holds {finite.min():g} to {finite.max():g}, "
                f"whole numbers from 0 to {layout.nodata - 1:g} fit; state scale, offset and units beside the folder"
            )


def _absent_row(chip_id: str, modality: str, absence: Absence) -> PresenceRow:
    channel = absence.channel
    name, kind = (channel.name, channel.kind) if channel else (None, None)
    first, second = (channel.first_date, channel.second_date) if channel else (None, None)
    return PresenceRow(chip_id, modality, name, kind, None, absence.status, absence.reason, None, None, first, second)
