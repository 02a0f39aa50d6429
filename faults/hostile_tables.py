"""Stores, models, manifests, tables and outlines that lie, each with the command that meets it."""

import functools
from collections.abc import Iterator
from pathlib import Path

from faults import asks, hostile_stores
from faults.asks import Write
from faults.attack import Attack, attack


def lies(folder: Path) -> Iterator[Attack]:
    """Stores, models and tables that lie."""
    store = functools.partial(asks.own, name="chips.ledger.sqlite")
    for what, write in {**hostile_stores.LEDGERS, **hostile_stores.INDICES}.items():
        ask = functools.partial(store, words=("run", "--only", "embed"), before="embed")
        yield attack(f"store with {what}", "chips.", ask, write)
    for what in (
        "metadata under a path",
        "metadata under an absolute path",
        "a shard under a path",
        "damage under a path",
    ):
        ask = functools.partial(store, words=("verify", "chips.zarr"))
        yield attack(f"verify of a store with {what}", "chips.ledger", ask, hostile_stores.LEDGERS[what])
    for what in (
        "a place that is a text",
        "a negative place",
        "two chips at one place",
        "a layout under a path",
        "a slot of half",
    ):
        ask = functools.partial(store, words=("run", "--only", "ingest"), before="embed")
        yield attack(f"ingest into a store with {what}", "chips.ledger", ask, hostile_stores.LEDGERS[what])
    for what, (file, write) in hostile_stores.MODELS.items():
        ask = functools.partial(asks.own, name=f"model/{file}", words=("run", "--only", "embed"), before="embed")
        yield attack(f"model with {what}", "model", ask, write)
    manifest = functools.partial(asks.own, name="manifest.jsonl", words=("status",))
    yield attack("manifest of the future", "manifest.jsonl", manifest, hostile_stores.future_manifest)
    yield from _tables()
    outline = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]],"coordinates":[[[5,5],[6,5],[6,6],[5,5]]]}'
    yield attack(
        "outline with a key twice", "outline.geojson", asks.outline, functools.partial(Path.write_text, data=outline)
    )


def _tables() -> Iterator[Attack]:
    two = ["c000", "c001"]
    made: dict[str, tuple[str, str, Write]] = {
        "an id twice": ("--embeddings", "e.parquet", hostile_stores.parquet(id=["a", "a"], clay=[[1.0], [2.0]])),
        "a column twice": ("--labels", "l.parquet", hostile_stores.twice),
        "NaN in a vector": ("--embeddings", "e.parquet", hostile_stores.parquet(id=two, clay=[[1.0], [float("nan")]])),
        "infinity in a vector": (
            "--embeddings",
            "e.parquet",
            hostile_stores.parquet(id=two, clay=[[1.0], [float("inf")]]),
        ),
        "a vector too large for float32": (
            "--embeddings",
            "e.parquet",
            hostile_stores.parquet(id=two, clay=[[1.0], [1e300]]),
        ),
        "a format of the future": ("--embeddings", "e.parquet", hostile_stores.future_table),
        "an infinite label": (
            "--labels",
            "l.csv",
            functools.partial(Path.write_text, data="id,wet\nc000,inf\nc001,0\n"),
        ),
        "a label's id twice": (
            "--labels",
            "l.csv",
            functools.partial(Path.write_text, data="id,wet\nc000,1\nc000,0\n"),
        ),
        "a column of labels twice": (
            "--labels",
            "l.csv",
            functools.partial(Path.write_text, data="id,wet,wet\nc000,1,0\n"),
        ),
    }
    for what, (option, file, write) in made.items():
        yield attack(f"table with {what}", file, functools.partial(asks.table, name=file, option=option), write)
