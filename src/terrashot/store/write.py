"""Writing the chip store: layouts and chip places once, then shard by shard."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec

from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.domain.tables import PresenceRow
from terrashot.durable.files import make_folder, sha256_of, write_atomically
from terrashot.durable.ledger import Ledger
from terrashot.errors import InputError
from terrashot.store.chips import LEDGER, ZARR, Derived, Layout, layout_from_json, row_as_json, shard_path
from terrashot.store.encoding import encoding_for
from terrashot.store.shard import shard_bytes

MOST_SHARD_CHIPS = 64
LARGEST_SHARD_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class ModalityForm:
    """What a source says of its modality before any chip is read."""

    modality: str
    side_px: int
    slots: int
    unit: str | None
    channels: tuple[Channel, ...] | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class WrittenShard:
    """What the ledger must learn of a shard that lies on disk."""

    key: str
    sha256: str
    images: Mapping[str, list[dict[str, Any]]]
    """By chip, the presence rows of this modality."""


def prepare_store(folder: Path, forms: Sequence[ModalityForm], chip_ids: Sequence[str]) -> dict[str, Layout]:
    """The layout of each modality, after giving a place to every chip that has none yet.

    New chips begin at a new shard, so that no finished shard is ever written again.
    """
    make_folder(folder)
    ledger = Ledger(folder / LEDGER, writable=True)
    layouts = {name: layout_from_json(content) for name, content in ledger.all("layout")}
    size = next(iter(layouts.values())).shard_chips if layouts else _shard_chips(forms)
    for form in forms:
        layouts.setdefault(form.modality, _layout(form, size))
    places = dict(ledger.all("chip"))
    first = -(-(max(places.values(), default=-1) + 1) // size) * size
    new = [chip_id for chip_id in chip_ids if chip_id not in places]
    places |= {chip_id: first + offset for offset, chip_id in enumerate(new)}
    _write_zarr_metadata(folder, layouts, {form.modality: form for form in forms}, places)
    entries: list[tuple[str, str, Any]] = [("layout", name, asdict(layout)) for name, layout in layouts.items()]
    ledger.put(entries + [("chip", chip_id, places[chip_id]) for chip_id in new])
    ledger.close()
    return layouts


def write_shard(
    folder: Path, layout: Layout, shard: int, imagery: Mapping[str, tuple[int, Imagery | Absence]]
) -> WrittenShard:
    """What the ledger must learn, after the shard's file lies there whole.

    Args:
        imagery: by chip id, its place in the shard and what the source gave.
    """
    chunks: dict[int, np.ndarray] = {}
    images: dict[str, list[dict[str, Any]]] = {}
    for chip_id, (place, found) in imagery.items():
        if isinstance(found, Absence):
            images[chip_id] = [row_as_json(_absent_row(chip_id, layout.modality, found), None)]
            continue
        stored, rows = _chip(layout, chip_id, found)
        chunks |= {place * layout.slots + slot: values for slot, values in stored.items()}
        images[chip_id] = rows
    content = shard_bytes(chunks, layout.shard_chips * layout.slots)
    path = shard_path(folder, layout.modality, shard)
    make_folder(path.parent)
    write_atomically(path, lambda temporary: _put(temporary, content))
    return WrittenShard(f"{layout.modality}/{shard}", sha256_of(content), images)


def record_shard(ledger: Ledger, written: WrittenShard, modality: str) -> None:
    """The ledger names the shard and its images from now on."""
    images = [("image", f"{modality}/{chip_id}", rows) for chip_id, rows in written.images.items()]
    ledger.put([*images, ("shard", written.key, {"sha256": written.sha256})])


def _put(temporary: Path, content: bytes) -> None:
    temporary.write_bytes(content)


def _shard_chips(forms: Sequence[ModalityForm]) -> int:
    """The largest power of two, up to 64 chips, whose shards stay below 256 MiB before compression."""
    chip_bytes = max(form.slots * form.side_px**2 * 4 for form in forms)
    size = MOST_SHARD_CHIPS
    while size > 1 and size * chip_bytes > LARGEST_SHARD_BYTES:
        size //= 2
    return size


def _layout(form: ModalityForm, size: int) -> Layout:
    encoding = encoding_for({form.unit})
    names = [channel.name for channel in form.channels or ()]
    return Layout(
        modality=form.modality,
        side_px=form.side_px,
        slots=form.slots,
        shard_chips=size,
        dtype=encoding.dtype,
        scale=encoding.scale,
        offset=encoding.offset,
        nodata=None if isnan(encoding.nodata) else encoding.nodata,
        channels=None if form.channels is None else tuple(names),
        derived=tuple(Derived(d.channel, names.index(d.minuend), names.index(d.subtrahend)) for d in form.differences),
    )


def _write_zarr_metadata(
    folder: Path, layouts: Mapping[str, Layout], forms: Mapping[str, ModalityForm], places: Mapping[str, int]
) -> None:
    """Metadata by zarr-python itself, so that any Zarr v3 reader opens the store."""
    group = zarr.open_group(folder / ZARR, mode="a", zarr_format=3)
    ids: list[str | None] = [None] * (max(places.values(), default=-1) + 1)
    for chip_id, position in places.items():
        ids[position] = chip_id
    group.update_attributes({"terrashot_format": 1, "chip_ids": ids})
    for name, layout in layouts.items():
        shards = -(-len(ids) // layout.shard_chips)
        shape = (shards * layout.shard_chips, layout.slots, layout.side_px, layout.side_px)
        if name in group:
            group[name].resize(shape)  # type: ignore[union-attr]
        elif name in forms:
            _create_array(group, layout, forms[name], shape)


def _create_array(group: zarr.Group, layout: Layout, form: ModalityForm, shape: tuple[int, ...]) -> None:
    dtype = np.dtype(layout.dtype)
    attributes: dict[str, Any] = {"unit": form.unit, "long_name": layout.modality}
    if layout.nodata is not None:
        # The CF names, so that xarray masks and scales on opening.
        attributes |= {"scale_factor": layout.scale, "add_offset": layout.offset, "_FillValue": int(layout.nodata)}
    if form.channels is not None:
        attributes["channels"] = [channel.name for channel in form.channels]
    group.create_array(
        layout.modality,
        shape=shape,
        dtype=dtype,
        chunks=(1, 1, layout.side_px, layout.side_px),
        shards=(layout.shard_chips, layout.slots, layout.side_px, layout.side_px),
        compressors=(
            BloscCodec(cname="lz4", clevel=5, shuffle=BloscShuffle.bitshuffle, typesize=dtype.itemsize),
            Crc32cCodec(),
        ),
        fill_value=float("nan") if layout.nodata is None else int(layout.nodata),
        # Each modality has channels and a lattice of its own, so that xarray opens all of them as one data set.
        dimension_names=("chip", *(f"{layout.modality}_{axis}" for axis in ("channel", "y", "x"))),
        attributes=attributes,
    )


def _chip(layout: Layout, chip_id: str, found: Imagery) -> tuple[dict[int, np.ndarray], list[dict[str, Any]]]:
    if found.values.shape[1:] != (layout.side_px, layout.side_px) and len(found.channels):
        raise InputError(
            f"chip {chip_id}: {layout.modality} has {found.values.shape[2]} x {found.values.shape[1]} px, "
            f"the store {layout.side_px} x {layout.side_px}; all chips of a modality need one size"
        )
    slots = _slots(layout, found)
    chunks: dict[int, np.ndarray] = {}
    rows = []
    for index, (channel, slot) in enumerate(zip(found.channels, slots, strict=True)):
        n_acquisitions = found.n_acquisitions[index] if found.n_acquisitions else None
        valid = np.isfinite(found.values[index])
        rows.append(_row_of(layout, chip_id, channel, slot, valid=valid, n_acquisitions=n_acquisitions))
        if valid.any():
            chunks[slot] = _encoded(layout, chip_id, channel, found.values[index])
    rows += [row_as_json(_absent_row(chip_id, layout.modality, absence), None) for absence in found.absences]
    return chunks, rows + _derived_rows(layout, chip_id, dict(zip(slots, found.values, strict=True)))


def _derived_rows(layout: Layout, chip_id: str, values: Mapping[int, np.ndarray]) -> list[dict[str, Any]]:
    rows = []
    for index, derived in enumerate(layout.derived):
        if derived.minuend in values and derived.subtrahend in values:
            valid = np.isfinite(values[derived.minuend]) & np.isfinite(values[derived.subtrahend])
            rows.append(
                _row_of(layout, chip_id, derived.channel, layout.slots + index, valid=valid, n_acquisitions=None)
            )
        else:
            absence = Absence(derived.channel, "missing", "one of its two channels is absent")
            rows.append(row_as_json(_absent_row(chip_id, layout.modality, absence), None))
    return rows


def _row_of(
    layout: Layout, chip_id: str, channel: Channel, slot: int, *, valid: np.ndarray, n_acquisitions: int | None
) -> dict[str, Any]:
    there = bool(valid.any())
    row = PresenceRow(
        chip_id=chip_id,
        modality=layout.modality,
        channel=channel.name,
        kind=channel.kind,
        slot=slot if there else None,
        status="ok" if there else "empty",
        reason=None if there else "no valid pixel",
        valid_fraction=float(valid.mean()),
        n_acquisitions=n_acquisitions,
        first_date=channel.first_date,
        second_date=channel.second_date,
    )
    return row_as_json(row, channel.unit)


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
