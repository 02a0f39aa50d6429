"""What of the chip store is not as it was written, chip by chip, and what to keep of it when it is written again."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terrashot.durable.backup import digest_path, fits_digest, restore
from terrashot.durable.files import remove, set_aside, sha256_of_file
from terrashot.durable.ledger import Ledger
from terrashot.errors import InputError, IntegrityError
from terrashot.store.chips import ZarrChipStore
from terrashot.store.layout import LEDGER, ZARR, Layout, shard_path
from terrashot.store.packed_chip import PackedChip
from terrashot.store.shard import ABSENT, most_packed_bytes, open_shard, read_index, read_packed
from terrashot.store.write import open_ledger_to_write

KnownChips = Mapping[str, tuple[str, list[dict[str, Any]]]]
"""Digest and presence rows, by chip."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of the store that is not what was written."""

    file: str
    """Its path below the store's folder."""
    key: str
    """What the ledger knows it by: `modality/number` of a shard; `ledger` or `metadata` otherwise."""
    chips: tuple[str, ...]
    """Those that are lost; empty where none is."""
    reason: str


def verify_store(folder: Path) -> Iterator[Damage | None]:
    """For each file of the store in turn, its damage, or None where it is whole."""
    try:
        _check_ledger(folder / LEDGER)
        store = ZarrChipStore(folder)
        store.presence()
    except (IntegrityError, InputError) as error:
        yield Damage(LEDGER, "ledger", (), str(error))
        return
    ledger = Ledger(folder / LEDGER)
    for name, digest in ledger.all("metadata"):
        yield _check_metadata(folder, name, digest)
    for key, chips in ledger.all("damage"):
        modality, shard = key.split("/")
        path = shard_path(folder, modality, int(shard)).relative_to(folder)
        yield Damage(str(path), key, tuple(chips), "waits for repair by: terrashot run")
    for key, digest in store.digest().items():
        yield _check_shard(store, ledger, key, digest)


def mark_damage(folder: Path, damage: Damage) -> None:
    """The next harvest writes this part again: of a shard, it reads the lost chips alone from their source.

    A damaged ledger comes back from its copy; without a whole copy it is set aside, and all chips are read again.
    """
    if damage.key == "ledger":
        if not restore(folder / LEDGER) and (folder / LEDGER).exists():
            set_aside(folder / LEDGER)
    elif damage.key == "metadata":
        remove(folder / damage.file)
    else:
        _forget_shard(folder, damage)


def _forget_shard(folder: Path, damage: Damage) -> None:
    modality = damage.key.split("/")[0]
    with closing(open_ledger_to_write(folder)) as ledger:
        lost = [(kind, f"{modality}/{chip_id}") for chip_id in damage.chips for kind in ("image", "digest")]
        ledger.put([("damage", damage.key, list(damage.chips))], drop=[("shard", damage.key), *lost])


def waits_for_repair(folder: Path) -> bool:
    """Parts of the store must be written again."""
    if not (folder / LEDGER).is_file():
        return False
    with closing(Ledger(folder / LEDGER)) as ledger:
        names = [name for name, _ in ledger.all("metadata")]
        return any(True for _ in ledger.all("damage")) or not all((folder / ZARR / name).is_file() for name in names)


def known_chips(ledger: Ledger, modality: str, chip_ids: Iterable[str]) -> KnownChips:
    """Digest and presence rows of those chips that were read without failure."""
    found: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for chip_id in chip_ids:
        digest, rows = (ledger.get(kind, f"{modality}/{chip_id}") for kind in ("digest", "image"))
        if digest is not None and rows is not None and all(row["status"] != "failed" for row in rows):
            found[chip_id] = str(digest), rows
    return found


def keep_chips(
    folder: Path, layout: Layout, shard: int, places: Mapping[str, int], known: KnownChips
) -> dict[str, PackedChip]:
    """Of the known chips of a shard, those that lie there as the ledger tells: what need not be read again.

    Args:
        places: place in the shard, by chip.
    """
    if not known:
        return {}
    there = _read_chips(folder, layout, shard, {chip_id: places[chip_id] for chip_id in known})
    kept = {chip_id: PackedChip(there.get(chip_id, {}), rows) for chip_id, (_, rows) in known.items()}
    return {chip_id: packed for chip_id, packed in kept.items() if packed.digest == known[chip_id][0]}


def _read_chips(folder: Path, layout: Layout, shard: int, places: Mapping[str, int]) -> dict[str, dict[int, bytes]]:
    """The packed chunks of these chips, by chip and slot, as far as they can be read."""
    path = shard_path(folder, layout.modality, shard)
    try:
        descriptor = open_shard(path)
    except IntegrityError:
        return {}
    try:
        index = read_index(descriptor, layout.shard_chunks, path)
        return {chip_id: _chunks(descriptor, layout, index, place) for chip_id, place in places.items()}
    except IntegrityError:
        return {}
    finally:
        os.close(descriptor)


def _chunks(descriptor: int, layout: Layout, index: np.ndarray, place: int) -> dict[int, bytes]:
    most = most_packed_bytes(np.dtype(layout.dtype), layout.side_px)
    found = {
        slot: read_packed(descriptor, where, most)
        for slot, where in enumerate(index[place * layout.slots : (place + 1) * layout.slots])
        if where[0] != ABSENT
    }
    return {slot: packed for slot, packed in found.items() if packed is not None}


def _check_ledger(path: Path) -> None:
    """Nothing, if the digest beside the ledger fits; without one (a killed run leaves none) its rows speak for it."""
    if digest_path(path).exists() and not fits_digest(path):
        raise IntegrityError("its bytes are not those that were written")


def _check_metadata(folder: Path, name: str, digest: str) -> Damage | None:
    path = folder / ZARR / name
    if path.is_file() and sha256_of_file(path) == digest:
        return None
    return Damage(f"{ZARR}/{name}", "metadata", (), "missing" if not path.is_file() else "not the bytes written")


def _check_shard(store: ZarrChipStore, ledger: Ledger, key: str, digest: str) -> Damage | None:
    modality, number = key.split("/")
    path = shard_path(store.folder, modality, int(number))
    if path.is_file() and not path.is_symlink() and sha256_of_file(path) == digest:
        return None
    reason = "its bytes are not those that were written" if path.exists() else "missing"
    of_shard = {c: store.place(c, modality) for c in store.chip_ids}
    places = {c: place for c, (shard, place) in of_shard.items() if shard == int(number)}
    kept = keep_chips(store.folder, store.layout(modality), int(number), places, known_chips(ledger, modality, places))
    lost = tuple(c for c in places if c not in kept and ledger.get("image", f"{modality}/{c}") is not None)
    return Damage(str(path.relative_to(store.folder)), key, lost, reason)
