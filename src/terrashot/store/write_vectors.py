"""Writing embedding tables: GeoParquet 1.1, row group by row group."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Float32, Int8

from terrashot.domain.tables import Chips, Embeddings
from terrashot.errors import InputError
from terrashot.store.geoparquet import chip_columns, geo_footer
from terrashot.store.parquet import write_row_groups

VectorType = Literal["float16", "float32", "int8"]
CHIP_COLUMNS = ("id", "area", "group", "split", "geometry", "bbox", "lon", "lat")
MODEL, VECTORS = "terrashot_model", "terrashot_vectors"
"""Entries of the footer: the model's digest; what the vectors are made of, as JSON."""
MODEL_COLUMN = "model"
LEAST_ROWS = 1024
"""Of a row group but the last, unless fewer come at once: 7 MiB of the paper's three blocks in float32, beside which Parquet's
writer holds several times as much."""
INT8_STEPS, SMALLEST = 127, 1e-30


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table of vectors is written, and what its footer tells of them."""

    dtype: VectorType
    model: str | None = None
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    """Which channels went in, what stands in for absent ones."""
    shared: Mapping[str, int] = field(default_factory=dict)
    """As `Embeddings.shared`."""

    def footer(self, chips: Chips) -> dict[str, str]:
        """Entries of the file's footer."""
        told = {"kinds": {name: list(kinds) for name, kinds in self.kinds.items()}, "dtype": self.dtype, **self.facts}
        shared = {"shared": dict(self.shared)} if self.shared else {}
        model = {} if self.model is None else {MODEL: self.model}
        return {**geo_footer(chips), VECTORS: json.dumps(told | shared, sort_keys=True), **model}


def write_embeddings(path: Path, table: Embeddings, dtype: VectorType) -> None:
    """embeddings.parquet or floors.parquet: a fixed-size list column a block, null where a chip has none."""
    write_embedding_groups(path, table.chips, [table], TableForm(dtype, table.model, table.kinds, shared=table.shared))


def write_embedding_groups(path: Path, chips: Chips, groups: Iterable[Embeddings], form: TableForm) -> None:
    """As `write_embeddings`, of tables of consecutive chips that come one after the other; memory holds a few.

    Args:
        chips: of all groups together.
        groups: at least one, all with the same blocks.

    Raises:
        InputError: a number does not fit into the type asked for.
    """
    tables = _row_groups(pa.table(_columns(group, form)) for group in groups)
    first = next(tables)
    write_row_groups(path, chain([first], tables), first.schema, footer=form.footer(chips))


def to_int8(
    vectors: Float[np.ndarray, "N D"],
) -> tuple[Int8[np.ndarray, "N D"], Float32[np.ndarray, " N"]]:
    """Whole steps from -127 to 127, and the size of a step of each row: number = step * size.

    A row that is zero, or so near that a step would vanish in float32, has size 1.
    """
    largest = np.abs(vectors).max(axis=1).astype(np.float32) if vectors.size else np.ones(len(vectors), np.float32)
    size = np.where(largest > SMALLEST, largest / np.float32(INT8_STEPS), np.float32(1)).astype(np.float32)
    return np.rint(vectors.astype(np.float32) / size[:, None]).astype(np.int8), size


def _columns(table: Embeddings, form: TableForm) -> dict[str, pa.Array]:
    columns = {name: column for name, column in chip_columns(table.chips).items() if name in CHIP_COLUMNS}
    if form.model is not None:
        # In each row too: a footer is gone once rows of two tables are put together.
        columns[MODEL_COLUMN] = pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(len(table.chips), np.int32)), pa.array([form.model])
        )
    for name, block in table.blocks.items():
        present = table.present(name)
        columns |= _of_block(name, block, present, form.dtype)
        if name in table.n_channels:
            columns[f"{name}_channels"] = pa.array(table.n_channels[name], pa.int16())
        if name in table.valid_fraction:
            columns[f"{name}_valid_fraction"] = pa.array(table.valid_fraction[name], pa.float32(), from_pandas=True)
        if name in table.absent:
            columns[f"{name}_absent"] = _names(table.kinds[name], table.absent[name], present)
    return columns


def _of_block(name: str, block: np.ndarray, present: Bool[np.ndarray, " N"], dtype: VectorType) -> dict[str, pa.Array]:
    filled = np.where(present[:, None], block, 0)
    if dtype == "int8":
        steps, size = to_int8(filled)
        return {name: _lists(steps, present), f"{name}_scale": pa.array(size, mask=~present)}
    with np.errstate(over="ignore"):  # infinite then, and refused for it
        numbers = filled.astype({"float16": np.float16, "float32": np.float32}[dtype])
    if not np.isfinite(numbers).all():
        raise InputError(f"vectors do not fit into {dtype}; ask for float32")
    return {name: _lists(numbers, present)}


def _lists(numbers: np.ndarray, present: Bool[np.ndarray, " N"]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(
        pa.array(numbers.reshape(-1)), list_size=numbers.shape[1], mask=pa.array(~present)
    )  # fmt: skip


def _names(kinds: tuple[str, ...], absent: Bool[np.ndarray, "N K"], present: Bool[np.ndarray, " N"]) -> pa.Array:
    """Names of the parts that something stands in for; null where there are none."""
    found = [
        [kind for kind, is_absent in zip(kinds, row, strict=True) if is_absent] if known and row.any() else None
        for row, known in zip(absent, present, strict=True)
    ]
    return pa.array(found, pa.list_(pa.string()))


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Consecutive tables joined until they are long enough."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= LEAST_ROWS:
            yield pa.concat_tables(held).combine_chunks()
            held = []
    if held:
        yield pa.concat_tables(held).combine_chunks()
