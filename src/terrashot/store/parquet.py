"""Parquet files that notice damage: page checksums, and a digest beside the file for what those do not cover."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from terrashot.durable.files import sha256_of_file, write_atomically, write_bytes
from terrashot.errors import InputError, IntegrityError

ROW_GROUP_ROWS = 65_536
MAX_ROWS = 200_000_000


def digest_path(path: Path) -> Path:
    """Where a file's SHA-256 lies: beside it."""
    return path.with_name(path.name + ".sha256")


def write_table(path: Path, table: pa.Table, *, footer: Mapping[str, str] | None = None) -> None:
    """`path` holds the table, and `path.sha256` its digest, in the form that sha256sum reads.

    Args:
        footer: text stored under these names in the file's own footer.
    """
    kept = {**(table.schema.metadata or {}), **{name.encode(): text.encode() for name, text in (footer or {}).items()}}
    table = table.replace_schema_metadata(kept or None)
    # A digest of the table before would accuse the new one if we stopped between the two writes.
    digest_path(path).unlink(missing_ok=True)

    def write(temporary: Path) -> None:
        pq.write_table(
            table, temporary, compression="zstd", write_page_checksum=True, row_group_size=ROW_GROUP_ROWS
        )  # fmt: skip

    write_atomically(path, write)
    write_bytes(digest_path(path), f"{sha256_of_file(path)}  {path.name}\n".encode())


def read_table(path: Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """The table, checked against the digest beside it where there is one.

    Raises:
        InputError: no such file, or no Parquet.
        IntegrityError: its bytes are not those that were written.
    """
    check_digest(path)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            if file.metadata.num_rows > MAX_ROWS:
                raise InputError(f"{path}: claims {file.metadata.num_rows} rows, more than {MAX_ROWS}; cut it")
            return file.read(columns=columns)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as Parquet: {_one_line(error)}") from None


def check_digest(path: Path) -> None:
    """Nothing, unless a digest lies beside the file and the file's bytes do not fit it.

    Raises:
        IntegrityError: they do not.
    """
    beside = digest_path(path)
    if (
        path.is_file()
        and beside.is_file()
        and beside.read_text("ascii", "replace").split()[:1] != [sha256_of_file(path)]
    ):
        raise IntegrityError(f"{path}: its bytes do not fit {beside.name}; make or copy it again, both files together")


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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
