"""What the makers of a vector a row share: a Parquet file's vectors, ids, places and model, read and judged."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from terrashot.errors import InputError, one_line
from terrashot.published.source_files import one_maker
from terrashot.store.parquet import open_table

ENDINGS = (".parquet", ".geoparquet", ".gpq", ".pq")
MODEL_COLUMNS = ("model", "source_model")
MAX_DIMENSIONS = 1 << 14
MAX_BYTES = 64 << 30
"""Of a file's vectors as float32."""

Footer = Mapping[bytes, bytes]


def read_columns(path: Path, vectors: Sequence[str], others: Sequence[str]) -> tuple[pa.Table, np.ndarray, Footer]:
    """The named columns as far as they are there, the vectors (N, D) as float32 with NaN where null, and the footer.

    Args:
        vectors: names that the column of vectors may have.

    Raises:
        InputError: no Parquet, no such column, or vectors of several lengths, too long, or with numbers that are not finite.
    """
    with open_table(path) as file:
        names = file.schema_arrow.names
        found = [name for name in vectors if name in names]
        if not found:
            raise InputError(f"{path}: no column {' or '.join(vectors)}; columns are {', '.join(names)[:200]}")
        table = file.read(columns=[name for name in (*others, *MODEL_COLUMNS) if name in names])
        numbers = _vectors(file, found[0], path)
        return table, numbers, file.schema_arrow.metadata or {}


def texts(table: pa.Table, name: str, path: Path) -> list[str]:
    """A column as text.

    Raises:
        InputError: a row has none, or one that is no text.
    """
    column = table.column(name)
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise InputError(f"{path}: row {row} has no '{name}'; {column.null_count} rows lack it: drop or name them")
    return _texts(column, name, path)


def polygons(table: pa.Table, footer: Footer, path: Path) -> np.ndarray | None:
    """Footprints in degrees (N,); None without a column `geometry`.

    Raises:
        InputError: they are not well-known binary, one is missing, or they are not in degrees.
    """
    if "geometry" not in table.column_names:
        return None
    column = _plain(table.column("geometry"))
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        raise InputError(f"{path}: geometry of type {column.type}; write it as well-known binary (WKB)")
    if column.null_count:
        raise InputError(f"{path}: {column.null_count} rows have no geometry; drop them")
    _refuse_other_crs(footer, path)
    try:
        shapes: np.ndarray = shapely.from_wkb(np.array(column.to_pylist(), dtype=object), on_invalid="raise")
    except (ValueError, TypeError, shapely.errors.ShapelyError) as error:
        raise InputError(f"{path}: geometry is no well-known binary ({one_line(error, 80)})") from None
    return shapes


def maker_told(table: pa.Table, path: Path) -> str | None:
    """The model that a column names.

    Raises:
        IntegrityError: it names several.
    """
    told = [
        (path, value)
        for name in MODEL_COLUMNS
        if name in table.column_names
        for value in _texts(table.column(name).unique().drop_null(), name, path)
    ]
    return one_maker(f"{path}", told)


def _texts(column: pa.Array | pa.ChunkedArray, name: str, path: Path) -> list[str]:
    try:
        return [str(value) for value in column.to_pylist()]
    except (ValueError, pa.ArrowException) as error:
        raise InputError(f"{path}: '{name}' cannot be read as text ({one_line(error, 80)}); copy it again") from None


def _vectors(file: pq.ParquetFile, name: str, path: Path) -> np.ndarray:
    n_rows, vectors, start = file.metadata.num_rows, None, 0
    for group in range(file.num_row_groups):
        column = _one_list(_plain(file.read_row_group(group, columns=[name]).column(name)), name, path)
        numbers = _rows_of(column, name, path)
        if vectors is None:
            if 4 * n_rows * numbers.shape[1] > MAX_BYTES:
                raise InputError(f"{path}: vectors of over {MAX_BYTES >> 30} GiB; take some of the rows")
            vectors = np.full((n_rows, numbers.shape[1]), np.nan, dtype=np.float32)
        if numbers.shape[1] != vectors.shape[1]:
            raise InputError(f"{path}: '{name}' holds vectors of {vectors.shape[1]} and of {numbers.shape[1]} numbers")
        vectors[start : start + len(numbers)] = numbers
        start += len(numbers)
    if vectors is None:
        raise InputError(f"{path}: holds no row")
    return vectors


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One array; of an extension type (tensors of a fixed shape, geometry) what it is stored as."""
    array = column.combine_chunks()
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def _one_list(column: pa.Array, name: str, path: Path) -> pa.Array:
    """A list a row; where each row lists a single list, as two-dimensional arrays of one row are written, that one."""
    while _is_list(column.type) and _is_list(column.type.value_type):
        inner = column.flatten()
        if len(inner) != len(column) or column.null_count:
            raise InputError(f"{path}: '{name}' holds several vectors a row; give one a row")
        column = inner
    if not _is_list(column.type) or not pa.types.is_floating(column.type.value_type):
        raise InputError(f"{path}: '{name}' holds {column.type}; vectors are lists of floating-point numbers")
    return column


def _rows_of(column: pa.Array, name: str, path: Path) -> np.ndarray:
    there = ~column.is_null().to_numpy(zero_copy_only=False)
    lengths = np.unique(column.value_lengths().drop_null().to_numpy())
    if len(lengths) != 1 or not 1 <= lengths[0] <= MAX_DIMENSIONS:
        found = f"of {lengths[0]} to {lengths[-1]} numbers" if len(lengths) else "none at all"
        raise InputError(f"{path}: '{name}' holds vectors {found}; one length up to {MAX_DIMENSIONS} is read")
    vectors = np.full((len(column), int(lengths[0])), np.nan, dtype=np.float32)
    with np.errstate(over="ignore"):  # infinite in float32, and refused for it
        numbers = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    vectors[there] = numbers.reshape(-1, int(lengths[0]))
    broken = there & ~np.isfinite(vectors).all(axis=1)
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise InputError(f"{path}: '{name}' holds NaN or infinity in {int(broken.sum())} rows, first in row {row}")
    return vectors


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _refuse_other_crs(footer: Footer, path: Path) -> None:
    try:
        told = json.loads(footer.get(b"geo", b"{}"))["columns"]["geometry"].get("crs")
        is_degrees = told is None or pyproj.CRS(told).is_geographic
    except (KeyError, TypeError, AttributeError):
        return  # no GeoParquet: degrees, as the makers say of their plain columns
    except (ValueError, RecursionError, pyproj.exceptions.ProjError) as error:
        raise InputError(f"{path}: its footer's 'geo' cannot be read ({one_line(error, 80)})") from None
    if not is_degrees:
        raise InputError(f"{path}: geometry in {pyproj.CRS(told).name}; reproject it to degrees (EPSG:4326)")
