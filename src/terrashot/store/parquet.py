"""Parquet files that notice damage: page checksums, and a digest beside the file for what those do not cover."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO, get_args, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from terrashot.durable.backup import digest_path, forget_digest, write_digest
from terrashot.durable.files import sha256_of_file, write_atomically
from terrashot.errors import InputError, IntegrityError, TerrashotError, one_line
from terrashot.store.parquet_limits import refuse_bomb, refuse_other_files

ROW_GROUP_ROWS = 65_536
FORMAT_VERSION, FORMAT_KEY = 1, "terrashot_format"
ATTEMPTS = 3


def write_table(path: Path, table: pa.Table, *, footer: Mapping[str, str] | None = None) -> None:
    """`path` holds the table, and `path.sha256` its digest, in the form that sha256sum reads.

    Args:
        footer: text stored under these names in the file's own footer.
    """
    starts = range(0, max(1, len(table)), ROW_GROUP_ROWS)
    write_row_groups(path, (table.slice(start, ROW_GROUP_ROWS) for start in starts), table.schema, footer=footer)


def write_row_groups(
    path: Path, groups: Iterable[pa.Table], schema: pa.Schema, *, footer: Mapping[str, str] | None = None
) -> None:
    """As `write_table`, of tables that come one after the other, a row group each; memory holds one."""
    ours = {FORMAT_KEY: str(FORMAT_VERSION), **(footer or {})}
    kept = {**(schema.metadata or {}), **{name.encode(): text.encode() for name, text in ours.items()}}
    schema = schema.with_metadata(kept)

    def write(file: BinaryIO) -> None:
        told = _told_apart(schema)
        with pq.ParquetWriter(
            file, schema, compression="zstd", write_page_checksum=True, use_dictionary=told, write_statistics=told
        ) as writer:
            for group in groups:
                writer.write_table(group.replace_schema_metadata(kept), row_group_size=max(1, len(group)))

    forget_digest(path)
    write_atomically(path, write)
    write_digest(path)


def _told_apart(schema: pa.Schema) -> list[str]:
    """Leaves worth a dictionary and statistics: all but vectors: their numbers hardly repeat, and are written far faster without."""
    plain = [field for field in schema if not pa.types.is_fixed_size_list(field.type)]
    return [leaf for field in plain for leaf in _leaves(field)]


def _leaves(field: pa.Field) -> list[str]:
    """Paths below a column, as Parquet names them."""
    if pa.types.is_struct(field.type):
        return [f"{field.name}.{child.name}" for child in field.type]
    return [f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name]


def read_table(path: Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """The table, checked against the digest beside it where there is one.

    Raises:
        InputError: no such file, or no Parquet.
        IntegrityError: its bytes are not those that were written.
    """
    with open_table(path) as file:
        return file.read(columns=columns)


@contextmanager
def open_table(path: Path) -> Iterator[pq.ParquetFile]:
    """The file, checked as `read_table` does, for reading some columns at a time.

    Raises:
        InputError: no such file, or no Parquet; also of what is read from it.
        IntegrityError: its bytes are not those that were written.
    """
    refuse_other_files(path)
    check_digest(path)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            refuse_bomb(path, file)
            _refuse_newer(path, file.schema_arrow.metadata or {})
            yield file
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, TerrashotError):
            raise
        raise InputError(f"{path}: cannot be read as Parquet: {one_line(error, 200)}") from None


def _refuse_newer(path: Path, footer: Mapping[bytes, bytes]) -> None:
    """Nothing, unless a newer terrashot wrote the table; a table from elsewhere has no such entry."""
    found = footer.get(FORMAT_KEY.encode(), b"1")
    if not found.isdigit() or int(found) > FORMAT_VERSION:
        raise IntegrityError(
            f"{path}: format {found.decode(errors='replace')[:20]}, this terrashot reads up to {FORMAT_VERSION}; update terrashot"
        )


def check_digest(path: Path) -> None:
    """Nothing, unless a digest lies beside the file and the file's bytes do not fit it.

    Raises:
        IntegrityError: they do not.
    """
    for _ in range(ATTEMPTS):
        if not path.is_file() or not digest_path(path).is_file():
            return
        before = _digest_beside(path)
        if before == sha256_of_file(path):
            return
        if before == _digest_beside(path):
            raise IntegrityError(
                f"{path}: its bytes do not fit {digest_path(path).name}; run: terrashot verify --repair on the study "
                "and terrashot run, or copy both files again together"
            )
        # A writer replaced both while we looked.


def _digest_beside(path: Path) -> str | None:
    try:
        with digest_path(path).open("rb") as file:
            return file.read(64).decode("ascii", "replace")
    except FileNotFoundError:
        return None


def write_rows(path: Path, rows: Sequence[Any], row_type: type) -> None:
    """A table with a column a field of the dataclass `row_type`; None is null."""
    write_table(path, table_of_rows(rows, row_type))


def table_of_rows(rows: Sequence[Any], row_type: type) -> pa.Table:
    """The rows as an Arrow table; column types follow the fields' annotations, so that no row is needed."""
    hints = get_type_hints(row_type)
    columns = {
        field.name: pa.array([getattr(row, field.name) for row in rows], _arrow_type(hints[field.name]))
        for field in fields(row_type)
    }
    return pa.table(columns)


def rows_of_table(table: pa.Table, row_type: type) -> list[Any]:
    """Instances of `row_type`, one a row; columns it does not know are left out."""
    names = [field.name for field in fields(row_type)]
    columns = [table.column(name).to_pylist() for name in names]
    return [row_type(*values) for values in zip(*columns, strict=True)]


def _arrow_type(annotation: Any) -> pa.DataType:
    known = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    members = [member for member in get_args(annotation) if member is not type(None)] or [annotation]
    return known[members[0]] if members[0] in known else pa.string()
