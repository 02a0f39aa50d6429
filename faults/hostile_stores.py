"""Stores, models and tables that lie: whatever digest, checksum or seal there is fits, as a forger would make it."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.torch import load, save

from faults.asks import Write
from faults.forge import Json, ledger_entry, recard, reseal, reweigh, with_digest
from terrashot.durable.files import sha256_of
from terrashot.store.layout import ZARR

SHARD, KEY = "s1grdm/c/0/0/0/0", "s1grdm/0"
SLOTS, CHIPS = 2, 64

Change = Callable[[Any], object]


def entry(kind: str, key: str, change: Change) -> Write:
    """One entry of the ledger, changed and sealed again; `change` returns what it becomes, or changes it in place."""

    def write(ledger: Path) -> None:
        content = ledger_entry(ledger.parent, kind, key)
        changed = change(content)
        reseal(ledger.parent, {(kind, key): content if changed is None else changed})

    return write


def rekeyed(kind: str, key: str, other: str) -> Write:
    """One entry of the ledger under another key, sealed and counted."""

    def write(ledger: Path) -> None:
        content = ledger_entry(ledger.parent, kind, key)
        reseal(ledger.parent, {(kind, other): content}, ((kind, key),))

    return write


def added(kind: str, key: str, content: Any) -> Write:
    """An entry more."""
    return lambda ledger: reseal(ledger.parent, {(kind, key): content})


def indexed(change: Callable[[np.ndarray, int], object]) -> Write:
    """A shard whose index was changed; its CRC, and the shard's digest in the ledger, fit.

    Args:
        change: given the index and the number of bytes before it.
    """

    def write(ledger: Path) -> None:
        path = ledger.parent / ZARR / SHARD
        content = path.read_bytes()
        size = SLOTS * CHIPS * 16 + 4
        index = np.frombuffer(content[-size:-4], "<u8").reshape(-1, 2).copy()
        change(index, len(content) - size)
        table = index.tobytes()
        forged = content[:-size] + table + google_crc32c.value(table).to_bytes(4, "little")
        path.write_bytes(forged)
        reseal(ledger.parent, {("shard", KEY): {"sha256": sha256_of(forged)}})

    return write


def _same_bytes(index: np.ndarray, n_bytes: int) -> None:
    index[2] = index[0]


def _half_shared(index: np.ndarray, n_bytes: int) -> None:
    index[2, 0] = index[0, 0] + np.uint64(7)


def _negative(index: np.ndarray, n_bytes: int) -> None:
    index[2] = np.uint64(2**64 - 64), np.uint64(64)


def _beyond(index: np.ndarray, n_bytes: int) -> None:
    index[2, 0] = np.uint64(n_bytes - 8)


def _far_beyond(index: np.ndarray, n_bytes: int) -> None:
    index[2, 1] = np.uint64(2**63)


def _into_the_index(index: np.ndarray, n_bytes: int) -> None:
    index[2] = np.uint64(n_bytes), np.uint64(64)


INDICES: dict[str, Write] = {
    "two chips on the same bytes": indexed(_same_bytes),
    "chunks that overlap": indexed(_half_shared),
    "a negative offset": indexed(_negative),
    "an offset near the end": indexed(_beyond),
    "a length of 2^63": indexed(_far_beyond),
    "a chunk that is the index": indexed(_into_the_index),
}


def _first_row(**changes: Any) -> Write:
    return entry("image", "s1grdm/c000", lambda rows: rows[0].update(changes))


def _layout(**changes: Any) -> Write:
    return entry("layout", "s1grdm", lambda layout: layout.update(changes))


CHANNEL = {"name": "d", "kind": "d", "unit": None, "first_date": None, "second_date": None}
LEDGERS: dict[str, Write] = {
    "a slot out of range": _first_row(slot=2),
    "a negative slot": _first_row(slot=-1),
    "a slot of half": _first_row(slot=0.5),
    "a slot that is a text": _first_row(slot="0"),
    "a kind that is a list": _first_row(kind=["c1"]),
    "a share that is NaN": _first_row(valid_fraction=float("nan")),
    "rows that are a number": entry("image", "s1grdm/c000", lambda rows: 5),
    "rows that are texts": entry("image", "s1grdm/c000", lambda rows: ["ok"]),
    "a place that is a text": entry("chip", "c000", lambda place: "0"),
    "a negative place": entry("chip", "c000", lambda place: -5),
    "two chips at one place": entry("chip", "c000", lambda place: 7),
    "a layout of negative size": _layout(side_px=-8),
    "a layout of half a channel": _layout(slots=1.5),
    "a layout of objects": _layout(dtype="|O"),
    "a layout of another modality": _layout(modality="s2rgbm"),
    "a layout whose modality is a path": _layout(modality="../../outside"),
    "a difference of channels that are not there": _layout(derived=[{"channel": CHANNEL, "minuend": 9, "subtrahend": 0}]),
    "a difference of half channels": _layout(derived=[{"channel": CHANNEL, "minuend": 0.5, "subtrahend": 0}]),
    "a layout under a path": rekeyed("layout", "s1grdm", "../../outside"),
    "a shard under a path": rekeyed("shard", KEY, "../../x/0"),
    "a shard under an absolute path": rekeyed("shard", KEY, "/tmp/x/0"),
    "a shard without a number": rekeyed("shard", KEY, "s1grdm"),
    "damage under a path": added("damage", "../../x/0", ["c000"]),
    "a digest that is a number": entry("shard", KEY, lambda digest: 7),
    "metadata under a path": added("metadata", "../../victim", "0" * 64),
    "metadata under an absolute path": added("metadata", "/victim", "0" * 64),
    "a format of the future": added("format", "version", 2),
    "a format that is a text": added("format", "version", "1"),
    "a key that stands twice": added("chip", "c000", b'{"x":1,"x":2}'),
}  # fmt: skip


def _weights(change: Callable[[dict[str, Any]], object]) -> Write:
    def write(path: Path) -> None:
        tensors = load(path.read_bytes())
        change(tensors)
        reweigh(path.parent, save(tensors))

    return write


def _header(change: Callable[[Json], object]) -> Write:
    """Weights whose header says something else; sizes and digests fit."""

    def write(path: Path) -> None:
        content = path.read_bytes()
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + length])
        change(header)
        text = json.dumps(header).encode()
        reweigh(path.parent, struct.pack("<Q", len(text)) + text + content[8 + length :])

    return write


def _first(header: Json) -> Json:
    return header[min(name for name in header if name != "__metadata__")]


def _not_finite(tensors: dict[str, Any]) -> None:
    tensors[max(tensors)][0] = float("nan")


def _card(change: Callable[[Json], object]) -> Write:
    return lambda path: recard(path.parent, lambda content: (change(content), None)[1])


def _moments(content: Json, **changes: float) -> None:
    next(iter(content["statistics"]["s1grdm"].values())).update(changes)


MODELS: dict[str, tuple[str, Write]] = {
    "a weight that is NaN": ("weights.safetensors", _weights(_not_finite)),
    "a tensor too many": ("weights.safetensors", _weights(lambda t: t.update(x=t[max(t)].clone()))),
    "offsets that overlap": ("weights.safetensors", _header(lambda h: _first(h).update(data_offsets=[4, 8]))),
    "negative offsets": ("weights.safetensors", _header(lambda h: _first(h).update(data_offsets=[-4, 0]))),
    "offsets beyond the end": ("weights.safetensors", _header(lambda h: _first(h).update(data_offsets=[0, 1 << 40]))),
    "a mean that is NaN": ("model.json", _card(lambda c: _moments(c, mean=float("nan")))),
    "a spread that is 0": ("model.json", _card(lambda c: _moments(c, std=0.0))),
    "a spread too small for any number": ("model.json", _card(lambda c: _moments(c, std=1e-320))),
    "a mean too large for any number": ("model.json", _card(lambda c: _moments(c, mean=1e300))),
    "a tower under a path": ("model.json", _card(lambda c: c["towers"]["modalities"].append("../x"))),
    "a model of the future": ("model.json", _card(lambda c: c.update(format=2))),
    "a card with a key twice": (
        "model.json",
        lambda p: p.write_text(p.read_text().replace("{", '{\n "format": 1,', 1)),
    ),
}


def future_manifest(path: Path) -> None:
    """A manifest whose last line is of the next format, its seal made to fit."""
    lines = path.read_bytes().splitlines()
    fields = json.loads(lines[-1]) | {"format": 2}
    fields.pop("digest")
    fields["digest"] = sha256_of(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())
    path.write_bytes(b"\n".join([*lines[:-1], json.dumps(fields, sort_keys=True).encode()]) + b"\n")
    with_digest(path)


def parquet(**columns: Any) -> Write:
    """A table of these columns."""
    return lambda path: pq.write_table(pa.table(columns), path)


def twice(path: Path) -> None:
    """A table with two columns of one name."""
    columns = [pa.array(["c000", "c001"]), pa.array([1.0, 2.0]), pa.array([2.0, 1.0])]
    pq.write_table(pa.Table.from_arrays(columns, names=["id", "wet", "wet"]), path)


def future_table(path: Path) -> None:
    """An embedding table of the next format."""
    table = pa.table({"id": ["c000", "c001"], "clay": [[1.0], [2.0]]})
    pq.write_table(table.replace_schema_metadata({"terrashot_format": "2"}), path)


def pickled_type(content: bytes) -> Write:
    """A table one of whose columns is of a type that older readers unpickled."""

    def write(path: Path) -> None:
        about = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": content}
        fields = [pa.field("id", pa.string()), pa.field("clay", pa.float32(), metadata=about)]
        pq.write_table(pa.table([["c000"], [1.0]], schema=pa.schema(fields)), path)

    return write
