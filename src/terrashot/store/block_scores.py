"""block_scores.parquet: a row a fit and spatial block, written a feature set at a time, since at full size it has some 10^8 rows."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from terrashot.domain.results import BlockScores, FitName
from terrashot.durable.backup import forget_digest, write_digest
from terrashot.durable.files import write_atomically
from terrashot.store.parquet import FORMAT_KEY, FORMAT_VERSION, read_table

TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        *((name, TEXT) for name in ("task", "area", "train_area", "split_scheme", "features", "head")),
        *((name, pa.int64()) for name in ("n_labels_asked", "n_labels", "repeat")),
        ("block", TEXT), ("n", pa.int64()), ("correct", pa.int64()),
        *((name, pa.float64()) for name in ("squared_error", "label_sum", "label_square_sum")),
    ],
    metadata={FORMAT_KEY: str(FORMAT_VERSION)},
)  # fmt: skip
OF_LABELS = ("label_sum", "label_square_sum")
OF_A_GROUP = ("task", "area", "train_area", "split_scheme", "features")


def write_block_scores(path: Path, scores: Sequence[BlockScores]) -> None:
    """`path` holds the scores, and `path.sha256` its digest."""
    forget_digest(path)
    write_atomically(path, lambda file: _write_all(file, scores))
    write_digest(path)


def read_block_scores(path: Path) -> list[BlockScores]:
    """The scores as they were written.

    Raises:
        InputError: no such file, or no Parquet.
        IntegrityError: its bytes are not those that were written.
    """
    table = read_table(path).to_pandas()
    found = []
    for key, own in table.groupby(list(OF_A_GROUP), sort=False, observed=True):
        found.append(_group(key, own))
    return found


def _write_all(file: Any, scores: Iterable[BlockScores]) -> None:
    with pq.ParquetWriter(file, SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        for one in scores:
            writer.write_table(_table(one))


def _table(one: BlockScores) -> pa.Table:
    n_fits, n_blocks = len(one.fits), len(one.blocks)
    columns: dict[str, pa.Array] = {name: _constant(getattr(one, name), n_fits * n_blocks) for name in OF_A_GROUP}
    columns["head"] = _text([fit.head for fit in one.fits], n_blocks)
    for name in ("n_labels_asked", "n_labels", "repeat"):
        values = pa.array([getattr(fit, name) for fit in one.fits], pa.int64())
        columns[name] = values.take(pa.array(np.repeat(np.arange(n_fits), n_blocks)))
    columns["block"] = pa.DictionaryArray.from_arrays(
        pa.array(np.tile(np.arange(n_blocks, dtype=np.int32), n_fits)), pa.array(one.blocks, pa.string())
    )
    columns["n"] = pa.array(np.tile(one.n, n_fits))
    columns |= {
        name: _numbers(getattr(one, name), n_fits, n_blocks, SCHEMA.field(name).type)
        for name in ("correct", "squared_error", *OF_LABELS)
    }
    return pa.table(columns, schema=SCHEMA)


def _constant(text: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([text], pa.string()))


def _text(values: Sequence[str], times: int) -> pa.Array:
    names = sorted(set(values))
    numbers = np.array([names.index(value) for value in values], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(np.repeat(numbers, times)), pa.array(names, pa.string()))


def _numbers(values: np.ndarray | None, n_fits: int, n_blocks: int, kind: pa.DataType) -> pa.Array:
    if values is None:
        return pa.nulls(n_fits * n_blocks, kind)
    whole = values.reshape(-1) if values.ndim == 2 else np.tile(values, n_fits)
    return pa.array(whole, kind)


def _group(key: tuple[str, ...], own: Any) -> BlockScores:
    blocks = tuple(dict.fromkeys(own["block"].astype(str)))
    shape = (len(own) // len(blocks), len(blocks))
    first = own.iloc[:: len(blocks)]
    asked = [None if np.isnan(value) else int(value) for value in first["n_labels_asked"].to_numpy(dtype=float)]
    rest = zip(first["head"].astype(str), asked, first["n_labels"], first["repeat"], strict=True)
    fits = tuple(FitName(head, n, int(used), int(repeat)) for head, n, used, repeat in rest)

    def column(name: str, dtype: type = np.float64) -> np.ndarray | None:
        return None if own[name].isna().all() else own[name].to_numpy(dtype=dtype).reshape(shape)

    sums = [None if found is None else found[0] for found in map(column, OF_LABELS)]
    counts = own["n"].to_numpy(dtype=np.int64).reshape(shape)[0]
    named = dict(zip(OF_A_GROUP, key, strict=True))
    return BlockScores(
        **named, fits=fits, blocks=blocks, n=counts, correct=column("correct", np.int64),
        squared_error=column("squared_error"), label_sum=sums[0], label_square_sum=sums[1],
    )  # fmt: skip
