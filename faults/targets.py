"""What is fuzzed: how a mutant of each kind of file is made, digests and seals made to fit, and who reads it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from faults.images import good_cog, good_image
from faults.mutants import bent_bytes, bent_json, bent_text
from faults.studies import finished
from terrashot.durable.files import sha256_of

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


def outline_mutant(rng: Rng, folder: Path) -> None:
    text = json.dumps(bent_json(rng, OUTLINE) if rng.random() < 0.6 else OUTLINE)
    _put(rng, folder / "o.geojson", text if rng.random() < 0.6 else bent_text(rng, text))


def text_mutant(rng: Rng, folder: Path, *, name: str, text: str) -> None:
    _put(rng, folder / name, bent_text(rng, text))


def _put(rng: Rng, path: Path, text: str) -> None:
    content = text.encode("utf-8", "replace")
    path.write_bytes(bent_bytes(rng, content) if rng.random() < 0.2 else content)


def manifest_mutant(rng: Rng, folder: Path) -> None:
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


def parquet_mutant(rng: Rng, folder: Path) -> None:
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


def npy_mutant(rng: Rng, folder: Path) -> None:
    np.save(folder / "e.npy", np.ones((3, 4), np.float32 if rng.random() < 0.8 else object))
    content = (folder / "e.npy").read_bytes()
    if rng.random() < 0.5:
        (folder / "e.npy").write_bytes(bent_bytes(rng, content))
    else:
        header = bent_text(rng, content[10:127].decode()).encode("utf-8", "replace").ljust(117)[:117] + b"\n"
        (folder / "e.npy").write_bytes(content[:10] + header + content[128:])
    _put(rng, folder / "e.ids.txt", "a\nb\nc\n" if rng.random() < 0.7 else bent_text(rng, "a\nb\nc\n"))


def read_table(path: Path) -> None:
    """The same file as whatever a person may take it for."""
    from terrashot.errors import TerrashotError
    from terrashot.store.label_table import read_labels
    from terrashot.store.tables import read_chips
    from terrashot.store.vectors import read_embeddings

    refusal: TerrashotError | None = None
    for read in (read_embeddings, read_labels, read_chips):
        try:
            read(path)
        except TerrashotError as error:
            refusal = error
        else:
            refusal = None
    if refusal is not None:
        raise refusal


ENDINGS = (".npy", ".tif", ".png", ".jpg", ".nc")


def image_mutant(rng: Rng, folder: Path) -> None:
    for path in folder.glob("chip.*"):
        path.unlink()
    ending, other = rng.choice(ENDINGS, 2)
    content = good_image(str(other if rng.random() < 0.05 else ending))
    (folder / f"chip{ending}").write_bytes(bent_bytes(rng, content))


def far_tiff_mutant(rng: Rng, folder: Path) -> None:
    (folder / "far.tif").write_bytes(bent_bytes(rng, good_cog()))


@dataclass(frozen=True, slots=True)
class InMemory:
    """Ranges as they come from far away, without the way."""

    content: bytes
    name: str = "far.tif"

    @property
    def size(self) -> int:
        return len(self.content)

    def read_into(self, room: memoryview, start: int) -> int:
        found = self.content[start : start + len(room)]
        room[: len(found)] = found
        return len(found)


def read_far_tiff(folder: Path) -> None:
    """A window of it, and one of its overview if it has one."""
    from terrashot.raster.asset import open_asset
    from terrashot.remote.file import Blocks

    blocks = Blocks(InMemory((folder / "far.tif").read_bytes()), block_bytes=4096)
    with open_asset(blocks) as asset:
        for level in range(1 + len(asset.header().overviews)):
            header = asset.header(level)
            rows, cols = (slice(0, min(side, 100)) for side in (header.height_px, header.width_px))
            asset.read(rows, cols, tuple(range(1, 1 + min(header.bands, 4))), level)


def read_image(folder: Path) -> None:
    from terrashot.raster.read import read_form, read_picture

    path = next(folder.glob("chip.*"))
    read_form(path)
    read_picture(path)


def channel_file_mutant(rng: Rng, folder: Path) -> None:
    _put(rng, folder / "s2rgbm.toml", bent_text(rng, CHANNELS))


@cache
def _content(name: str) -> bytes:
    return (finished() / name).read_bytes()
