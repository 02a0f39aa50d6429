"""Writing the chip store: layouts and chip places once, then shard by shard. Who holds the ledger is the one writer."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import Any

from terrashot.domain.modality import Channel, Difference
from terrashot.durable.files import NewFile, make_folder, remove, sha256_of, write_bytes
from terrashot.durable.ledger import Ledger
from terrashot.store.encoding import encoding_for
from terrashot.store.layout import (
    LARGEST_SHARD_BYTES,
    LEDGER,
    MOST_SHARD_CHIPS,
    ZARR,
    Derived,
    Layout,
    layouts_from_json,
    positions_from_json,
    shard_path,
)
from terrashot.store.packed_chip import PackedChip
from terrashot.store.shard import ShardForm
from terrashot.store.zarr_metadata import metadata_files


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

    modality: str
    shard: int
    sha256: str
    chips: Mapping[str, tuple[str, Sequence[Mapping[str, Any]]]]
    """By chip, the digest and the presence rows of this modality."""


def open_ledger_to_write(folder: Path) -> Ledger:
    """The ledger of the store in `folder`; while it is open, no other process writes to this store.

    Raises:
        LockedError: another process does.
    """
    return Ledger(make_folder(folder) / LEDGER, writable=True)


def forget_other_pixels(folder: Path, made_from: str) -> bool:
    """Whether a store was there that was made from something else, and is removed now; the next one is marked as ours.

    Args:
        made_from: digest of all that decides what a chip shows.
    """
    with closing(open_ledger_to_write(folder)) as ledger:
        before = ledger.get("format", "made_from")
        if before is None:
            ledger.put([("format", "made_from", made_from)])
    if before in (None, made_from):
        return False
    # The ledger first: what it does not name does not exist, however far the rest gets.
    for name in (LEDGER, ZARR):
        if (folder / name).exists():
            remove(folder / name)
    forget_other_pixels(folder, made_from)
    return True


def prepare_store(
    folder: Path, ledger: Ledger, forms: Sequence[ModalityForm], chip_ids: Sequence[str]
) -> dict[str, Layout]:
    """The layout of each modality, after giving a place to every chip that has none yet.

    New chips begin at a new shard, so that no finished shard is ever written again.
    """
    layouts = layouts_from_json(ledger.all("layout"), ledger.path)
    size = next(iter(layouts.values())).shard_chips if layouts else _shard_chips(forms)
    for form in forms:
        layouts.setdefault(form.modality, _layout(form, size))
    places = positions_from_json(ledger.all("chip"), ledger.path)
    first = -(-(max(places.values(), default=-1) + 1) // size) * size
    new = [chip_id for chip_id in chip_ids if chip_id not in places]
    places |= {chip_id: first + offset for offset, chip_id in enumerate(new)}
    digests = _write_metadata(folder, layouts, places)
    entries: list[tuple[str, str, Any]] = [("layout", name, asdict(layout)) for name, layout in layouts.items()]
    entries += [("metadata", name, digest) for name, digest in digests.items()]
    ledger.put(entries + [("chip", chip_id, places[chip_id]) for chip_id in new])
    return layouts


class NewShard:
    """A shard's file, written chip by chip; whole, or absent. To be used in a `with`, as a `NewFile`."""

    def __init__(self, folder: Path, layout: Layout, shard: int) -> None:
        self._layout, self._shard = layout, shard
        path = shard_path(folder, layout.modality, shard)
        make_folder(path.parent)
        self._form, self._sum = ShardForm(layout.shard_chunks), hashlib.sha256()
        self._chips: dict[str, tuple[str, Sequence[Mapping[str, Any]]]] = {}
        self._file = NewFile(path)

    def __enter__(self) -> "NewShard":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.__exit__()

    def add(self, chip_id: str, place: int, packed: PackedChip) -> None:
        """Nothing; the chip lies in the file. Chips come in the order of their places in the shard."""
        first = place * self._layout.slots
        self._append(self._form.chunks({first + slot: content for slot, content in packed.chunks.items()}))
        self._chips[chip_id] = packed.digest, packed.rows

    def finish(self) -> WrittenShard:
        """What the ledger must learn, after the shard's file lies there whole."""
        self._append(self._form.index())
        self._file.finish()
        return WrittenShard(self._layout.modality, self._shard, self._sum.hexdigest(), self._chips)

    def _append(self, content: bytes) -> None:
        self._sum.update(content)
        self._file.append(lambda file: file.write(content))


def record_shard(ledger: Ledger, written: WrittenShard) -> None:
    """The ledger names the shard and its chips from now on."""
    key = f"{written.modality}/{written.shard}"
    entries: list[tuple[str, str, Any]] = [("shard", key, {"sha256": written.sha256})]
    for chip_id, (digest, rows) in written.chips.items():
        entries.append(("image", f"{written.modality}/{chip_id}", rows))
        entries.append(("digest", f"{written.modality}/{chip_id}", digest))
    ledger.put(entries, drop=[("damage", key)])


def _write_metadata(folder: Path, layouts: Mapping[str, Layout], places: Mapping[str, int]) -> dict[str, str]:
    """Digest of each metadata file, after writing those that are not there as they should be."""
    ids: list[str | None] = [None] * (max(places.values(), default=-1) + 1)
    for chip_id, position in places.items():
        ids[position] = chip_id
    files = metadata_files(layouts, ids)
    for name, content in files.items():
        path = folder / ZARR / name
        if not path.is_file() or path.read_bytes() != content:
            make_folder(path.parent)
            write_bytes(path, content)
    return {name: sha256_of(content) for name, content in files.items()}


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
        unit=form.unit,
    )
