"""What is fuzzed: how a mutant of each kind of file is made, digests and seals made to fit, and who reads it."""

import json
import shutil
import sqlite3
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tests.raster.test_hostile_files import good_file

from faults.forge import recard, reseal, reweigh
from faults.mutants import bent_bytes, bent_json, bent_text
from faults.studies import finished
from terrashot.durable.files import sha256_of
from terrashot.model.towers import Towers, TowersConfig, make_towers
from terrashot.model.vit import VitConfig
from terrashot.pretrain.resume import Progress, load_state, save_state
from terrashot.store.layout import LEDGER, ZARR

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Target:
    """A reader, and how its mutants are made."""

    name: str
    make: Callable[[Rng, Path], object]
    """Writes a mutant into the folder."""
    read: Callable[[Path], object]
    """Reads it as a command would, given the folder."""
    quick: int
    """Mutants in the quick table."""
    prepare: Callable[[Path], object] = lambda folder: None
    """What lies around the mutant, made once a batch."""


SQUARE = [
    [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]],
    [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.2]],
]
OUTLINE = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"name": "a"}, "geometry": {"type": "Polygon", "coordinates": SQUARE}},
        {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [SQUARE]}},
        {"type": "GeometryCollection", "geometries": [{"type": "Polygon", "coordinates": SQUARE}]},
    ],
}
STUDY = """[study]
name = "s"
seed = 3
workers = 1
[areas.north]
bbox = [10.0, 45.0, 10.5, 45.5]
[areas.south]
outline = "south.geojson"
band_angle_rad = 0.9
[grid]
chip_px = 64
pixel_m = 10.0
[source]
kind = "simulated"
months = ["2020-01", "2020-02"]
[source.absences]
cloud = 0.1
[split]
scheme = "bands"
shares = [0.6, 0.2, 0.2]
[labels]
targets = ["built", "water"]
threshold = "median"
[pretrain]
preset = "tiny"
learning_rate = 1e-3
[embed]
dtype = "float16"
[fewshot]
sizes = [5, 10, 100]
heads = ["forest", "logistic"]
[report]
plates = 2
"""
CHIPS = "id,area,split,lon,lat,group\na,x,train,9.5,45.5,g1\nb,x,val,9.6,45.6,g1\nc,y,test,,,\n"
CHANNELS = """names = ["red", "green"]
kinds = ["a", "b"]
units = "reflectance"
scale = [0.1, 2]
offset = -0.5
nodata = [0, 65535]
"""
LABELS = 'id;wet;kind;wet_valid_fraction\na;0.5;lake;1.0\nb;0.25;"a ""quoted""\nname";0.5\nc;;;\n'


def _outline(rng: Rng, folder: Path) -> None:
    text = json.dumps(bent_json(rng, OUTLINE) if rng.random() < 0.6 else OUTLINE)
    _put(rng, folder / "o.geojson", text if rng.random() < 0.6 else bent_text(rng, text))


def _text(rng: Rng, folder: Path, *, name: str, text: str) -> None:
    _put(rng, folder / name, bent_text(rng, text))


def _put(rng: Rng, path: Path, text: str) -> None:
    content = text.encode("utf-8", "replace")
    path.write_bytes(bent_bytes(rng, content) if rng.random() < 0.2 else content)


def _manifest(rng: Rng, folder: Path) -> None:
    """A line with its own seal made to fit, or the bytes of the whole."""
    lines = _content("manifest.jsonl").splitlines()
    if rng.random() < 0.2:
        (folder / "manifest.jsonl").write_bytes(bent_bytes(rng, b"\n".join(lines) + b"\n"))
        return
    place = int(rng.integers(0, len(lines)))
    fields = bent_json(rng, json.loads(lines[place]))
    if isinstance(fields, dict):
        fields.pop("digest", None)
        fields["digest"] = sha256_of(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())
    lines[place] = json.dumps(fields, sort_keys=True).encode()
    (folder / "manifest.jsonl").write_bytes(b"\n".join(lines) + b"\n")


COLUMNS: tuple[Callable[[int], Any], ...] = (
    lambda n: pa.nulls(n),
    lambda n: pa.nulls(n, pa.string()),
    lambda n: pa.array([1.5] * n),
    lambda n: pa.array([float("nan")] * n),
    lambda n: pa.array([1e300] * n),
    lambda n: pa.array(np.zeros(n, np.float16)),
    lambda n: pa.array([2**62] * n),
    lambda n: pa.array([True] * n),
    lambda n: pa.array([1] * n, pa.timestamp("us")),
    lambda n: pa.array([1] * n, pa.decimal128(5)),
    lambda n: pa.array(["x"] * n),
    lambda n: pa.array(["x"] * n).dictionary_encode(),
    lambda n: pa.array([f"i{k}" for k in range(n)]),
    lambda n: pa.array([b"\x01\x02"] * n),
    lambda n: pa.array([{"x": 1}] * n),
    lambda n: pa.array([["a"]] * n),
    lambda n: pa.array([[[1.0]]] * n),
    lambda n: pa.array([[1]] * n, pa.list_(pa.int64())),
    lambda n: pa.array([[1.0, 2.0]] * n),
    lambda n: pa.array([[1.0, 2.0]] * n, pa.list_(pa.float64(), 2)),
    lambda n: pa.array([[1.0, None]] * n, pa.list_(pa.float32(), 2)),
    lambda n: pa.array([[1.0] * k for k in range(n)], pa.list_(pa.float64())),
    lambda n: pa.array([[float("nan")]] * n),
    lambda n: pa.array([[1e300]] * n),
    lambda n: pa.array([[None, 1.0]] * n),
    lambda n: pa.array([[]] * n, pa.list_(pa.float32())),
    lambda n: pa.array([None] * n, pa.list_(pa.float32())),
)
NAMES = ("id", "area", "split", "group", "geometry", "lon", "lat", "utm_epsg", "row", "col", "clay", "clay_channels",
         "e_1", "e_2", "wet", "wet_valid_fraction", "")  # fmt: skip


def _parquet(rng: Rng, folder: Path) -> None:
    """Odd columns under names that mean something, or bent bytes of our own table; never with a digest beside it."""
    path = folder / "t.parquet"
    if rng.random() < 0.5:
        path.write_bytes(bent_bytes(rng, _content("embeddings.parquet" if rng.random() < 0.5 else "labels.parquet")))
        return
    n_rows = int(rng.integers(0, 4))
    names = ["id", *rng.choice(NAMES, int(rng.integers(1, 6)))]
    made = [pa.array([f"i{k}" for k in range(n_rows)], pa.string()) if rng.random() < 0.8 else _column(rng, n_rows)]
    made += [_column(rng, n_rows) for _ in names[1:]]
    pq.write_table(pa.Table.from_arrays(made, names=names), path)


def _column(rng: Rng, n_rows: int) -> Any:
    return COLUMNS[int(rng.integers(0, len(COLUMNS)))](n_rows)


def _npy(rng: Rng, folder: Path) -> None:
    np.save(folder / "e.npy", np.ones((3, 4), np.float32 if rng.random() < 0.8 else object))
    content = (folder / "e.npy").read_bytes()
    if rng.random() < 0.5:
        (folder / "e.npy").write_bytes(bent_bytes(rng, content))
    else:
        header = bent_text(rng, content[10:127].decode()).encode("utf-8", "replace").ljust(117)[:117] + b"\n"
        (folder / "e.npy").write_bytes(content[:10] + header + content[128:])
    _put(rng, folder / "e.ids.txt", "a\nb\nc\n" if rng.random() < 0.7 else bent_text(rng, "a\nb\nc\n"))


def _read_table(path: Path) -> None:
    """The same file as whatever a person may take it for."""
    from terrashot.errors import TerrashotError
    from terrashot.store.label_table import read_labels
    from terrashot.store.tables import read_chips
    from terrashot.store.vectors import read_embeddings

    for read in (read_embeddings, read_labels, read_chips):
        try:
            read(path)
        except TerrashotError as error:
            refusal = error
        else:
            refusal = None
    if refusal is not None:
        raise refusal


def _model(rng: Rng, folder: Path) -> None:
    """A card or a header of weights that says something else, all digests made to fit; sometimes bent bytes."""
    model = folder / "model"
    shutil.copytree(finished() / "model", model, dirs_exist_ok=True)
    weights = (model / "weights.safetensors").read_bytes()
    kind = rng.random()
    if kind < 0.15:
        path = model / str(rng.choice(["model.json", "weights.safetensors"]))
        path.write_bytes(bent_bytes(rng, path.read_bytes()))
    elif kind < 0.6:
        _bend_card(rng, model)
    elif kind < 0.8:
        reweigh(model, bent_bytes(rng, weights))
    else:
        length = struct.unpack("<Q", weights[:8])[0]
        header = json.dumps(bent_json(rng, json.loads(weights[8 : 8 + length]))).encode()
        reweigh(model, struct.pack("<Q", len(header)) + header + weights[8 + length :])


def _bend_card(rng: Rng, model: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        part = str(rng.choice(["towers", "statistics", "summary", "format"]))
        content[part] = bent_json(rng, content[part])

    recard(model, change)


def _read_model(folder: Path) -> None:
    from terrashot.model.checkpoint import load_model, read_summary

    load_model(folder / "model")
    read_summary(folder / "model")


def _ledger(rng: Rng, folder: Path) -> None:
    """One or two entries that say something else, sealed and counted as a forger would; sometimes bent bytes."""
    for path in folder.glob(f"*{LEDGER}*"):  # a reader that failed may still hold it, or its name
        path.unlink()
    shutil.copy(finished() / LEDGER, folder / LEDGER)
    if rng.random() < 0.1:
        (folder / LEDGER).write_bytes(bent_bytes(rng, (folder / LEDGER).read_bytes()))
        return
    changed, gone = {}, []
    for _ in range(int(rng.integers(1, 3))):
        kinds = ["layout", "layout", "image", "image", "shard", "chip", "metadata", "digest", "format"]
        rows = _entries(str(rng.choice(kinds)))
        kind, key, text = rows[int(rng.integers(0, len(rows)))]
        if rng.random() < 0.15:
            gone.append((kind, key))
            key = bent_text(rng, key)
        changed[kind, key] = bent_json(rng, json.loads(text))
    reseal(folder, changed, tuple(gone))


@cache
def _entries(kind: str) -> list[tuple[str, str, str]]:
    with sqlite3.connect(finished() / LEDGER) as connection:
        return sorted(connection.execute("SELECT kind, key, content FROM entry WHERE kind = ?", (kind,)))


def _store_around(folder: Path) -> None:
    shutil.copytree(finished() / ZARR, folder / ZARR)


def _read_store(folder: Path) -> None:
    """Opens it, tells what is there, reads some of it and checks all of it."""
    from terrashot.errors import TerrashotError
    from terrashot.store.chips import open_chip_store
    from terrashot.store.repair import verify_store, waits_for_repair

    refusal = None
    try:
        store = open_chip_store(folder)
        store.presence()
        for modality in store.modalities:
            ids = [*store.chip_ids[:2], *store.chip_ids[-2:]]
            picks = [(chip_id, stored.slot) for chip_id in ids for stored in store.channels(chip_id, modality)]
            store.read(modality, picks)
    except TerrashotError as error:
        refusal = error
    list(verify_store(folder))
    waits_for_repair(folder)
    if refusal is not None:
        raise refusal


SHARD = "s1grdm/c/0/0/0/0"


def _shard(rng: Rng, folder: Path) -> None:
    """A shard with bent chunks or a bent index, the checksums of both made to fit."""
    content = bytearray((finished() / ZARR / SHARD).read_bytes())
    n_chunks = 128
    index = np.frombuffer(bytes(content[-n_chunks * 16 - 4 : -4]), "<u8").reshape(-1, 2).copy()
    chunk = int(rng.integers(0, n_chunks))
    if rng.random() < 0.5 and index[chunk, 0] < 2**63:
        offset, length = (int(number) for number in index[chunk])
        bent = bent_bytes(rng, bytes(content[offset : offset + length - 4]))[: length - 4].ljust(length - 4, b"\0")
        content[offset : offset + length] = bent + _crc(bent)
    else:
        odd = [0, 1, 4, 5, 2**31, 2**40, 2**63, 2**64 - 1, len(content), int(index[chunk - 1, 0])]
        index[chunk, int(rng.integers(0, 2))] = np.uint64(odd[int(rng.integers(0, len(odd)))])
    table = index.tobytes()
    content[-n_chunks * 16 - 4 :] = table + _crc(table)
    whole = bytes(content) if rng.random() < 0.9 else bent_bytes(rng, bytes(content))
    (folder / ZARR / SHARD).write_bytes(whole)


def _crc(content: bytes) -> bytes:
    return google_crc32c.value(content).to_bytes(4, "little")


def _shard_around(folder: Path) -> None:
    _store_around(folder)
    shutil.copy(finished() / LEDGER, folder / LEDGER)


def _read_shard(folder: Path) -> None:
    from terrashot.store.chips import open_chip_store

    store = open_chip_store(folder)
    store.read("s1grdm", [(chip_id, slot) for chip_id in store.chip_ids[:64] for slot in (0, 1)])


ENDINGS = (".npy", ".tif", ".png", ".jpg", ".nc")


def _image(rng: Rng, folder: Path) -> None:
    for path in folder.glob("chip.*"):
        path.unlink()
    ending, other = rng.choice(ENDINGS, 2)
    content = good_file(str(other if rng.random() < 0.05 else ending))
    (folder / f"chip{ending}").write_bytes(bent_bytes(rng, content))


def _read_image(folder: Path) -> None:
    from terrashot.raster.read import read_form, read_picture

    path = next(folder.glob("chip.*"))
    read_form(path)
    read_picture(path)


def _channel_file(rng: Rng, folder: Path) -> None:
    _put(rng, folder / "s2rgbm.toml", bent_text(rng, CHANNELS))


def _state_around(folder: Path) -> None:
    """The state of a training of the smallest towers after one epoch."""
    towers, optimiser = _small_towers()
    for parameter in towers.parameters():
        parameter.grad = parameter.detach() * 0.1
    optimiser.step()
    progress = Progress(1, [{"epoch": 0, "val_loss": 1.0}], 0, 1.0, {"a": "b"})
    save_state(folder / "good", towers, optimiser, towers.state_dict(), progress)
    load_state(folder / "good", *_small_towers(), {"a": "b"})  # torch imports much at its first use


def _state(rng: Rng, folder: Path) -> None:
    """A state of training with bent card or bent tensors, the digest between them made to fit."""
    card = json.loads((folder / "good" / "state.json").read_bytes())
    content = (folder / "good" / card["tensors"]).read_bytes()
    if rng.random() < 0.5:
        content = bent_bytes(rng, content)
        card["sha256"] = sha256_of(content)
    else:
        card = bent_json(rng, card)
    (folder / "epoch-000001.safetensors").write_bytes(content)
    text = json.dumps(card)
    (folder / "state.json").write_text(bent_text(rng, text) if rng.random() < 0.1 else text, errors="replace")


def _small_towers() -> tuple[Towers, torch.optim.Optimizer]:
    sizes = VitConfig(width=8, depth=1, heads=2, patch_px=4, chip_px=8)
    towers = make_towers(TowersConfig(("gunw",), sizes, 6), 0)
    return towers, torch.optim.AdamW(towers.parameters())


def _read_state(folder: Path) -> None:
    load_state(folder, *_small_towers(), {"a": "b"})


@cache
def _content(name: str) -> bytes:
    return (finished() / name).read_bytes()
