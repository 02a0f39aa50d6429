"""Files that claim far more than they hold: refused in two seconds and 200 MB, before anything is allocated."""

import functools
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from faults import asks
from faults.asks import Arguments, Write
from faults.child import Surroundings, command_line, run_child
from faults.forge import limit_memory, reseal, sparse
from faults.images import huge_jpeg, npy_header, png, sparse_netcdf, sparse_tif
from faults.outcome import Case, Row, Verdict, crashed, refused, silent
from faults.rows.fuzz import BOMB_TARGETS, batches

SECONDS, EXTRA_BYTES = 2.0, 200_000_000
HUGE = 240 << 30
MUTANTS = 1000


@dataclass(frozen=True, slots=True)
class Bomb:
    """A file, and the command that meets it."""

    name: str
    named: str
    """The end of the file's path, which the message must hold."""
    write: Write
    ask: Callable[[Path, Write], Arguments]
    """Given a folder: makes all around the file, and the file; the command's arguments."""


def _big_layout(path: Path) -> None:
    """A store of one chip of 4 TB, as ledger and zarr.json tell it."""
    reseal(path.parent, {("layout", "s1grdm"): _layout(8192, 4096), ("layout", "s2rgbm"): _layout(8192, 4096)})


def _layout(side_px: int, slots: int) -> dict[str, object]:
    return {
        "modality": "s1grdm", "side_px": side_px, "slots": slots, "shard_chips": 64, "dtype": "<u2", "scale": 1.0,
        "offset": 0.0, "nodata": 65535.0, "channels": None, "derived": [], "unit": "dn",
    }  # fmt: skip


def _far_chip(path: Path) -> None:
    """A chip that lies a quarter of a million million places along the chip axis."""
    reseal(path.parent, {("chip", "c000"): 1 << 38})


def _varint(number: int) -> bytes:
    """As Thrift's compact protocol writes an i64."""
    left, found = number << 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])


def _parquet_of_many_rows(path: Path) -> None:
    """One million rows, and a footer that tells of ten thousand million."""
    claimed, n_rows = 10**10, 1_000_003
    pq.write_table(pa.table({"id": pa.nulls(n_rows, pa.string()), "wet": pa.nulls(n_rows, pa.float32())}), path)
    content = path.read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - length : -8].replace(_varint(n_rows), _varint(claimed))
    path.write_bytes(content[: -8 - length] + footer + struct.pack("<I", len(footer)) + b"PAR1")


def _parquet_of_one_text(path: Path) -> None:
    """One text of a megabyte, a hundred thousand times: 100 GB in some kilobytes."""
    ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["x" * (1 << 20)]))
    pq.write_table(pa.table({"id": ids, "wet": np.zeros(100_000)}), path, compression="zstd")


def _parquet_of_zeros(path: Path) -> None:
    """The same row a hundred and fifty million times."""
    part = pa.table({"id": pa.nulls(10_000_000, pa.string()), "wet": pa.nulls(10_000_000, pa.float64())})
    with pq.ParquetWriter(path, part.schema, compression="zstd") as file:
        for _ in range(15):
            file.write_table(part, row_group_size=10_000_000)


def _parquet_of_absent_vectors(path: Path) -> None:
    """A list of a million numbers in one row, and null in a hundred thousand."""
    vectors = pa.array([np.zeros(1_000_000, np.float32), *[None] * 100_000], pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": [f"c{number}" for number in range(100_001)], "clay": vectors}), path)


def _deep(opening: str) -> Write:
    return lambda path: path.write_text(opening * 200_000)


def _polygon(n_vertices: int) -> Write:
    ring = ",".join(f"[{i % 100},{i % 50}]" for i in range(5000))
    text = '{"type": "Polygon", "coordinates": [[' + ",".join([ring] * (n_vertices // 5000)) + "]]}"
    return lambda path: path.write_text(text)


def _brackets(path: Path) -> None:
    """A card of thirty million empty lists: sixty megabytes that become two gigabytes."""
    path.write_text('{"format": 1, "x": [' + ",".join(["[]"] * 20_000_000) + "]}")


def _weights(path: Path) -> None:
    """A header that tells of 2^62 bytes of header."""
    path.write_bytes(struct.pack("<Q", 1 << 62) + path.read_bytes()[8:])


def _state(path: Path) -> None:
    progress = {"run": {}, "epochs_done": 0, "steps_done": 0, "losses": [], "metrics": []}
    files = {"last": {"name": "last-000000-00000000.safetensors", "sha256": "0" * 64}}
    card = {"format": 2, "files": files, "progress": progress}
    path.write_text(json.dumps(card))
    sparse(HUGE)(path.with_name("last-000000-00000000.safetensors"))


def _numbered(write: Write, name: str) -> Write:
    """The table, and beside it a digest that it has to fit."""

    def both(path: Path) -> None:
        write(path)
        path.with_name(f"{path.name}.sha256").write_text(f"{'0' * 64}  {name}\n")

    return both


def _huge_npy(path: Path) -> None:
    path.write_bytes(npy_header((10**6, 10**6)))
    path.with_suffix(".ids.txt").write_text("a")


def _huge_digest(path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), path)
    sparse(HUGE)(path.with_name(f"{path.name}.sha256"))


def _ids_beside(path: Path) -> None:
    np.save(path, np.zeros((4, 4), np.float32))
    sparse(HUGE)(path.with_suffix(".ids.txt"))


def _bombs() -> Iterator[Bomb]:
    def image(name: str, named: str, write: Write) -> Bomb:
        return Bomb(name, named, write, functools.partial(asks.image, name=named))

    def table(name: str, write: Write, *, file: str, option: str = "--embeddings", named: str = "") -> Bomb:
        return Bomb(name, named or file, write, functools.partial(asks.table, name=file, option=option))

    def own(name: str, file: str, write: Write, *words: str, before: str = "", named: str = "") -> Bomb:
        return Bomb(name, named or file, write, functools.partial(asks.own, name=file, words=words, before=before))

    yield image("GeoTIFF of 240 GB", "s2rgbm/c0.tif", lambda p: sparse_tif(p, width=490_000, height=490_000))
    yield image("GeoTIFF of 60,000 bands", "s2rgbm/c0.tif", lambda p: sparse_tif(p, width=32, height=32, count=60_000))
    yield image("GeoTIFF with a block of half a gigapixel", "s2rgbm/c0.tif",
                lambda p: sparse_tif(p, width=64, height=64, tiled=True, blockxsize=32_768, blockysize=16_384))  # fmt: skip
    yield image("NetCDF of 640 GB", "gunw/c0.nc", lambda path: sparse_netcdf(path, 400_000))
    yield image("PNG of 10^10 pixels", "s2rgbm/c0.png", lambda p: p.write_bytes(png(100_000, 100_000, 2)))
    yield image("PNG of 10^8 pixels that are there, packed", "s2rgbm/c0.png",
                lambda p: p.write_bytes(png(10_000, 10_000, 0, rows=b"\0" * 100_010_000)))  # fmt: skip
    yield image("JPEG of 65,000 x 65,000 px", "s2rgbm/c0.jpg", huge_jpeg)
    yield image(".npy of 4 TB", "s2rgbm/c0.npy", lambda p: p.write_bytes(npy_header((1, 10**6, 10**6)) + b"\0" * 64))
    yield image("sparse image of 240 GB", "s2rgbm/c0.tif", sparse(HUGE, b"II*\0\x08\0\0\0"))
    yield own("chip store of 4 TB a chip", "chips.ledger.sqlite", _big_layout, "verify", "chips.zarr")
    yield own(
        "chip store with a chip at place 2^38",
        "chips.ledger.sqlite",
        _far_chip,
        "run",
        "--only",
        "embed",
        before="embed",
    )
    yield own("the same, written to", "chips.ledger.sqlite", _far_chip, "run", "--only", "ingest", before="embed")
    yield table("table: .npy of 4 TB", _huge_npy, file="e.npy")
    yield table("table: ids of 240 GB beside a .npy", _ids_beside, file="e.npy", named="e.ids.txt")
    yield table("Parquet that claims 10^10 rows", _parquet_of_many_rows, file="labels.parquet", option="--labels")
    yield table("Parquet of 100 GB in one text", _parquet_of_one_text, file="labels.parquet", option="--labels")
    yield table("Parquet of 150 million equal rows", _parquet_of_zeros, file="labels.parquet", option="--labels")
    yield table("Parquet of 400 GB of absent vectors", _parquet_of_absent_vectors, file="e.parquet")
    yield table(
        "sparse Parquet of 240 GB with a digest", _numbered(sparse(HUGE, b"PAR1"), "e.parquet"), file="e.parquet"
    )
    yield table("sparse digest of 240 GB", _huge_digest, file="e.parquet")
    yield own("model.json of 200,000 brackets", "model/model.json", _deep("["), "verify", "model")
    yield own("model.json of 20 million lists", "model/model.json", _brackets, "verify", "model")
    yield own("safetensors header of 2^62 bytes", "model/weights.safetensors", _weights, "verify", "model")
    yield own("sparse weights of 240 GB", "model/weights.safetensors", sparse(HUGE), "verify", "model")
    yield own("sparse training state of 240 GB", "model.state/state.json", _state, "run", "--only", "pretrain",
              before="pretrain", named="model.state")  # fmt: skip
    yield own("manifest of 200,000 brackets", "manifest.jsonl", _deep("["), "status")
    yield own("sparse manifest of 240 GB", "manifest.jsonl", sparse(HUGE), "status")
    yield own("study.toml nested 200,000 deep", "study.toml", lambda p: p.write_text("x = " + "[" * 200_000), "status")
    yield own("sparse study.toml of 240 GB", "study.toml", sparse(HUGE), "status")
    yield Bomb(
        "GeoJSON nested 200,000 deep",
        "outline.geojson",
        _deep('{"type":"GeometryCollection","geometries":['),
        asks.outline,
    )
    yield Bomb("polygon of 10 million vertices", "outline.geojson", _polygon(10_000_000), asks.outline)
    yield Bomb("polygon of 6 million vertices", "outline.geojson", _polygon(6_000_000), asks.outline)
    for file, step in (("chips.csv", "chips"), ("labels.csv", "labels")):
        ask = functools.partial(asks.in_chips, name=file, step=step)
        if step == "chips":
            yield Bomb(
                "CSV of one line of 190 MB", file, lambda p: p.write_bytes(b"id,area\n" + b"x" * 190_000_000), ask
            )
            yield Bomb("sparse CSV of 240 GB", file, sparse(HUGE, b"id\n"), ask)
    yield table(
        "label CSV of one line of 190 MB",
        lambda p: p.write_bytes(b"id," + b"x," * 95_000_000),
        file="labels.csv",
        option="--labels",
    )


def _scene_bombs() -> Iterator[Bomb]:
    """Where whole scenes are read."""

    def found(name: str, write: Write, file: str = "items.json", *, is_read: bool = False) -> Bomb:
        return Bomb(name, file, write, functools.partial(asks.scenes, name=file, is_read=is_read))

    def own(name: str, file: str, write: Write) -> Bomb:
        return Bomb(f"own scenes: {name}", file, write, functools.partial(asks.own_scenes, name=file))

    yield found("items, sparse, of 240 GB", sparse(HUGE, b'{"features": ['))
    yield found("items, sparse, of 240 GB, in the place of others", sparse(HUGE, b'{"features": ['), is_read=True)
    yield found("items nested 200,000 deep", _deep('{"features":['))
    yield found("items of 10 million lists", lambda p: p.write_text(f'{{"features": [{"[]," * 10_000_000}[]]}}'))
    yield found("list of scenes, sparse, of 240 GB", sparse(HUGE, b"{"), "scenes/s2rgbm.json")
    yield found("scene of 240 GB", _wide_scene, "damaged-red.tif")
    yield found("scene with a block of half a gigapixel", _scene_of_one_block, "damaged-red.tif")
    yield own("sparse scenes.toml of 240 GB", "scenes.toml", sparse(HUGE, b"bands = ["))
    yield own("sparse scenes.csv of 240 GB", "scenes.csv", sparse(HUGE, b"file,time\n"))
    yield own("scene of 240 GB", "2020-02-05.tif", _wide_scene)


def _wide_scene(path: Path) -> None:
    sparse_tif(path, width=490_000, height=490_000)


def _scene_of_one_block(path: Path) -> None:
    sparse_tif(path, width=64, height=64, tiled=True, blockxsize=32_768, blockysize=16_384)


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for bomb in (*_bombs(), *_scene_bombs()):
        yield Case(bomb.name, functools.partial(_ignite, bomb=bomb))
    if soak:
        yield from batches(BOMB_TARGETS, MUTANTS // len(BOMB_TARGETS), seed, more_bytes=EXTRA_BYTES)


def _ignite(folder: Path, bomb: Bomb) -> Verdict:
    arguments = bomb.ask(folder, bomb.write)
    ended = run_child(command_line(*arguments), folder / "notes", Surroundings(before=limit_memory))
    if ended.code == 0 or ended.forbidden:
        return silent(f"taken as it is; {ended.forbidden[:1]}")
    if not ended.is_clean_refusal or bomb.named not in ended.last_line:
        return crashed(f"ended with {ended.code}: {ended.last_line or ended.error[-300:]}")
    if ended.seconds > SECONDS or ended.extra_bytes > EXTRA_BYTES:
        return crashed(f"refused after {ended.seconds:.1f} s and {ended.extra_bytes / 1e6:.0f} MB")
    return refused()


ROW = Row("bombs", "file that claims far more than it holds", cases)
