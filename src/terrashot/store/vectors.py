"""Reading embedding tables: our own form, and what comes from elsewhere."""

import json
import re
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from terrashot.domain.tables import Chips, Embeddings
from terrashot.errors import InputError, IntegrityError, one_line
from terrashot.store.geoparquet import chips_of_table
from terrashot.store.parquet import open_table
from terrashot.store.write_vectors import MODEL, MODEL_COLUMN, VECTORS

MAX_NPY_BYTES = 64 << 30
NPY_DAMAGE = (
    ValueError, TypeError, LookupError, OSError, EOFError, ArithmeticError, SyntaxError, MemoryError, tokenize.TokenError,
)  # fmt: skip
"""What NumPy raises on damaged headers; found by bending bytes of good ones."""
ROWS_AT_ONCE = 65_536
MAX_IDS_BYTES = 200 << 20
MAX_HEADER_CHARS = 1000
"""A real .npy header has about 120; the parser takes all memory over some thousand brackets."""
ABSENT_BYTES, ABSENT_SHARE = 1 << 30, 1000
"""Rows without a vector may take so much memory, or so many times what the others take."""


def read_embeddings(path: Path) -> Embeddings:
    """Any embedding table that docs/files.md describes: Parquet, or .npy with its ids beside it.

    Raises:
        InputError: no vectors, unequal lengths, or non-finite numbers; names the column.
    """
    if path.suffix == ".npy":
        return _read_npy(path)
    with open_table(path) as file:
        # A block at a time: all of them as Arrow beside all of them as arrays would be twice the memory.
        return _embeddings(path, file.schema_arrow, lambda names: file.read(columns=names))


def read_some_embeddings(path: Path, rows: Sequence[int] | np.ndarray) -> Embeddings:
    """These rows of a table of ours, growing, as `read_embeddings` gives all; memory holds one row group beside them."""
    with open_table(path) as file:
        ends = np.cumsum([0, *(file.metadata.row_group(n).num_rows for n in range(file.num_row_groups))])
        cuts = np.split(np.asarray(rows, dtype=np.int64), np.searchsorted(rows, ends[1:-1]))
        taken = [file.read_row_group(n).take(some - ends[n]) for n, some in enumerate(cuts) if len(some)]
        table = pa.concat_tables(taken) if taken else file.schema_arrow.empty_table()
        return _embeddings(path, file.schema_arrow, table.select)


def _embeddings(path: Path, schema: pa.Schema, read: Callable[[list[str]], pa.Table]) -> Embeddings:
    lists = [field.name for field in schema if _is_list(field.type)]
    table = read([name for name in schema.names if name not in lists]).replace_schema_metadata(schema.metadata)
    chips = chips_of_table(table, str(path))
    _refuse_two_models(table, path)
    blocks = {name: _block(read([name]), name, path, chips) for name in lists}
    blocks = {name: _scaled(block, table, name, path) for name, block in blocks.items()}
    blocks = blocks or _blocks_of_scalar_columns(table, path)
    if not blocks:
        raise InputError(f"{path}: no list column and no columns like 'v0, v1, ...' that could be vectors")
    footer = table.schema.metadata or {}
    told = _told(footer, path)
    kinds = _kinds(told, blocks, path)
    return Embeddings(
        chips,
        blocks,
        _beside(table, blocks, "_channels", np.int16),
        footer.get(MODEL.encode(), b"").decode() or None,
        kinds,
        _absent(table, kinds, path),
        _beside(table, blocks, "_valid_fraction", np.float32),
        _shared(told, {name: block.shape[1] // len(kinds.get(name, ("",))) for name, block in blocks.items()}, path),
    )


def _beside(table: pa.Table, blocks: Iterable[str], end: str, dtype: type[np.generic]) -> dict[str, np.ndarray]:
    """Columns of one number a chip, by the block that they belong to."""
    names = [name for name in blocks if f"{name}{end}" in table.column_names]
    return {name: table.column(f"{name}{end}").to_numpy().astype(dtype) for name in names}


def _told(footer: Mapping[bytes, bytes], path: Path) -> dict[str, Any]:
    """What the footer tells of the vectors.

    Raises:
        InputError: it is not of the form that we write.
    """
    try:
        told = json.loads(footer.get(VECTORS.encode(), b"{}"))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not all(isinstance(told.get(name, {}), dict) for name in ("kinds", "shared")):
        raise _no_footer_of_ours(path)
    return told


def _no_footer_of_ours(path: Path) -> InputError:
    return InputError(f"{path}: its footer's {VECTORS} is not what we write; make the table again")


def _kinds(told: Mapping[str, Any], blocks: Mapping[str, np.ndarray], path: Path) -> dict[str, tuple[str, ...]]:
    """Names of the parts of each block, as the footer tells them.

    Raises:
        InputError: they are not of the form that we write, or do not fit the vectors.
    """
    listed = {name: parts for name, parts in told.get("kinds", {}).items() if name in blocks and parts}
    if not all(isinstance(parts, list) for parts in listed.values()):
        raise _no_footer_of_ours(path)
    kinds = {name: tuple(map(str, listed[name])) for name in blocks if name in listed}
    for name, parts in kinds.items():
        if blocks[name].shape[1] % len(parts) or len(set(parts)) < len(parts):
            raise InputError(
                f"{path}: column '{name}' holds {blocks[name].shape[1]} numbers, which are not {len(parts)} equal parts"
            )
    return kinds


def _shared(told: Mapping[str, Any], lengths: Mapping[str, int], path: Path) -> dict[str, int]:
    """How many numbers at the end of each part are shared, by block.

    Args:
        lengths: of a part, by block.

    Raises:
        InputError: that is not a number that a part can have.
    """
    shared = {name: found for name, found in told.get("shared", {}).items() if name in lengths}
    if not all(type(found) is int and 1 <= found <= lengths[name] for name, found in shared.items()):
        raise _no_footer_of_ours(path)
    return shared


def _absent(table: pa.Table, kinds: Mapping[str, tuple[str, ...]], path: Path) -> dict[str, np.ndarray]:
    """Which parts something stands in for, by block."""
    found = {}
    for name, parts in kinds.items():
        if f"{name}_absent" not in table.column_names:
            continue
        column = table.column(f"{name}_absent")
        if column.type != pa.list_(pa.string()):
            raise InputError(f"{path}: column '{name}_absent' holds {column.type}; it lists names of parts")
        flags = [[part in (row or ()) for part in parts] for row in column.to_pylist()]
        found[name] = np.array(flags, dtype=bool).reshape(len(table), len(parts))
    return found


def _scaled(block: np.ndarray, table: pa.Table, name: str, path: Path) -> np.ndarray:
    """The numbers of a block that is stored in whole steps with the size of a step beside; others as they are."""
    if f"{name}_scale" not in table.column_names:
        return block
    column = table.column(f"{name}_scale")
    if not pa.types.is_floating(column.type):
        raise InputError(f"{path}: column '{name}_scale' holds {column.type}; a size of a step is a number")
    size = column.to_numpy().astype(np.float32)
    there = ~np.isnan(block[:, 0])
    if not np.isfinite(size[there]).all() or (size[there] <= 0).any():
        raise InputError(f"{path}: column '{name}_scale' is not above 0 everywhere; make the table again")
    return block * size[:, None]


def _refuse_two_models(table: pa.Table, path: Path) -> None:
    """Nothing, unless rows, or rows and footer, tell of several models: their numbers mean different things."""
    if MODEL_COLUMN not in table.column_names:
        return
    told = (table.schema.metadata or {}).get(MODEL.encode(), b"").decode()
    listed = [told or None, *table.column(MODEL_COLUMN).unique().to_pylist()]
    names = sorted({str(name) for name in listed if name is not None})
    if len(names) > 1:
        raise IntegrityError(
            f"{path}: vectors of {len(names)} models ({', '.join(names[:3])}); write a table for each model"
        )


def _is_list(kind: pa.DataType) -> bool:
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(listed and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)))


def _block(table: pa.Table, name: str, path: Path, chips: Chips) -> np.ndarray:
    column = table.column(name).combine_chunks()
    lengths = np.unique(column.value_lengths().drop_null().to_numpy())
    if len(lengths) == 0:
        raise InputError(f"{path}: column '{name}' holds no vector at all; drop it or make the table again")
    if len(lengths) > 1 or lengths[0] == 0:
        raise InputError(
            f"{path}: column '{name}' holds vectors of {lengths[0]} to {lengths[-1]} numbers; one length is needed"
        )
    length, there = int(lengths[0]), ~column.is_null().to_numpy(zero_copy_only=False)
    _refuse_absent_bomb(len(table), int(there.sum()), length, f"{path}: column '{name}'")
    # Half precision stays so: it is half the memory, and what reads it converts what it needs.
    dtype = np.float16 if pa.types.is_float16(column.type.value_type) else np.float32
    vectors = np.full((len(table), length), np.nan, dtype=dtype)
    with np.errstate(over="ignore"):  # infinite in float32, and refused for it
        numbers = column.flatten().to_numpy(zero_copy_only=False).astype(dtype, copy=False)
    vectors[there] = numbers.reshape(-1, length)
    return _finite(vectors, there, f"{path}: column '{name}'", chips.ids)


def _refuse_absent_bomb(n_rows: int, n_vectors: int, length: int, where: str) -> None:
    """Nothing, unless one long vector among many rows without one would take far more memory than the file holds."""
    if 4 * n_rows * length > max(ABSENT_BYTES, ABSENT_SHARE * 4 * n_vectors * length):
        raise InputError(
            f"{where}: {n_vectors} vectors of {length} numbers in {n_rows} rows; drop the rows without one"
        )


def _finite(vectors: np.ndarray, there: np.ndarray, where: str, ids: Sequence[str]) -> np.ndarray:
    finite = [np.isfinite(some).all(axis=1) for some in np.array_split(vectors, 1 + len(vectors) // ROWS_AT_ONCE)]
    broken = there & ~np.concatenate(finite)
    if broken.any():
        first = ids[int(np.flatnonzero(broken)[0])]
        raise InputError(
            f"{where}: {int(broken.sum())} vectors hold NaN or infinity, first that of chip '{first}'; absent is null"
        )
    return vectors


def _blocks_of_scalar_columns(table: pa.Table, path: Path) -> dict[str, np.ndarray]:
    """Float columns that share a prefix and count up: `emb_0, emb_1, ...` become the block `emb`."""
    numbered: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for field in table.schema:
        match = re.fullmatch(r"(.*?)_?(\d+)", field.name)
        if match and pa.types.is_floating(field.type):
            numbered[match[1] or "vector"].append((int(match[2]), field.name))
    blocks = {}
    for prefix, found in numbered.items():
        columns = [table.column(name) for _, name in sorted(found)]
        vectors = np.column_stack([column.to_numpy().astype(np.float32) for column in columns])
        there = ~np.all([np.array(column.is_null()) for column in columns], axis=0)
        blocks[prefix] = _finite(vectors, there, f"{path}: columns '{prefix}...'", table.column("id").to_pylist())
    return blocks


def _read_npy(path: Path) -> Embeddings:
    beside = path.with_suffix(".ids.txt")
    if not path.is_file() or not beside.is_file():
        raise InputError(f"{path}: needs itself and {beside.name} beside it, one chip id a line")
    if path.stat().st_size > MAX_NPY_BYTES:
        raise InputError(f"{path}: over {MAX_NPY_BYTES >> 30} GiB; write it as Parquet")
    try:
        # Not numpy.load, which takes an archive or a pickle for what its first bytes say.
        vectors = np.lib.format.open_memmap(path, mode="r", max_header_size=MAX_HEADER_CHARS)
    except NPY_DAMAGE as error:
        raise InputError(f"{path}: cannot be read as .npy: {one_line(error)}") from None
    ids = _ids_beside(beside)
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(ids) != len(vectors):
        raise InputError(
            f"{path}: {vectors.dtype} of shape {vectors.shape} with {len(ids)} ids; needs floats (ids, dimensions)"
        )
    table = pa.table({"id": ids})
    chips: Chips = chips_of_table(table, str(beside))
    block = _finite(np.array(vectors, dtype=np.float32), np.ones(len(ids), dtype=bool), str(path), ids)
    return Embeddings(chips, {path.stem: block})


def _ids_beside(path: Path) -> list[str]:
    if path.stat().st_size > MAX_IDS_BYTES:
        raise InputError(f"{path}: over {MAX_IDS_BYTES >> 20} MiB; write vectors and ids as Parquet")
    try:
        return path.read_text("utf-8").split()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; one chip id a line") from None
