"""Parquet files that notice damage: page checksums, and a digest beside the file for what those do not cover."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terrashot.durable.backup import digest_path, forget_digest, write_digest
from terrashot.durable.files import sha256_of_file, write_atomically
from terrashot.errors import InputError, IntegrityError, TerrashotError

ROW_GROUP_ROWS = 65_536
MAX_ROWS = 200_000_000
FORMAT_VERSION, FORMAT_KEY = 1, "terrashot_format"
ATTEMPTS = 3
MAGIC = b"PAR1"
UNPACKED_BYTES, UNPACKED_SHARE = 1 << 30, 1000
"""A table that takes more memory than this, and this many times the bytes of its file, is made to harm. Of our own,
presence rows repeat themselves most: 684 times, where 80,000 chips have the same 40 channels each, none with a hole."""
WIDTH_BYTES = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}


def write_table(path: Path, table: pa.Table, *, footer: Mapping[str, str] | None = None) -> None:
    """`path` holds the table, and `path.sha256` its digest, in the form that sha256sum reads.

    Args:
        footer: text stored under these names in the file's own footer.
    """
    ours = {FORMAT_KEY: str(FORMAT_VERSION), **(footer or {})}
    kept = {**(table.schema.metadata or {}), **{name.encode(): text.encode() for name, text in ours.items()}}
    table = table.replace_schema_metadata(kept)
    forget_digest(path)
    write_atomically(
        path,
        lambda file: pq.write_table(
            table, file, compression="zstd", write_page_checksum=True, row_group_size=ROW_GROUP_ROWS
        ),
    )
    write_digest(path)


def read_table(path: Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """The table, checked against the digest beside it where there is one.

    Raises:
        InputError: no such file, or no Parquet.
        IntegrityError: its bytes are not those that were written.
    """
    _refuse_other_files(path)
    check_digest(path)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            _refuse_bomb(path, file)
            _refuse_newer(path, file.schema_arrow.metadata or {})
            return file.read(columns=columns)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, TerrashotError):
            raise
        raise InputError(f"{path}: cannot be read as Parquet: {_one_line(error)}") from None


def _refuse_newer(path: Path, footer: Mapping[bytes, bytes]) -> None:
    """Nothing, unless a newer terrashot wrote the table; a table from elsewhere has no such entry."""
    found = footer.get(FORMAT_KEY.encode(), b"1")
    if not found.isdigit() or int(found) > FORMAT_VERSION:
        raise IntegrityError(
            f"{path}: format {found.decode(errors='replace')[:20]}, this terrashot reads up to {FORMAT_VERSION}; update terrashot"
        )


def _refuse_other_files(path: Path) -> None:
    """Nothing, for what has the two ends of a Parquet file; anything else might take hours to find a digest of."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open("rb") as file:
        ends = [file.read(len(MAGIC))]
        file.seek(max(0, path.stat().st_size - len(MAGIC)))
        ends.append(file.read(len(MAGIC)))
    if ends != [MAGIC, MAGIC]:
        if digest_path(path).is_file():
            raise IntegrityError(f"{path}: no Parquet, or damaged; its bytes cannot fit {digest_path(path).name}")
        raise InputError(f"{path}: cannot be read as Parquet: it has not its first and last bytes; copy it again")


def _refuse_bomb(path: Path, file: pq.ParquetFile) -> None:
    """Nothing, unless a name stands twice, or the file claims far more than it holds; before a page is unpacked."""
    names, metadata = file.schema_arrow.names, file.metadata
    if len(set(names)) < len(names):
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise InputError(f"{path}: two columns are called '{twice}'; name them apart")
    if metadata.num_rows > MAX_ROWS:
        raise InputError(f"{path}: claims {metadata.num_rows} rows, more than {MAX_ROWS}; cut it")
    most = max(UNPACKED_BYTES, UNPACKED_SHARE * path.stat().st_size)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
    plain = sum(chunk.num_values * WIDTH_BYTES.get(chunk.physical_type, 0) for chunk in chunks)
    lists = sum(kind.list_size for kind in file.schema_arrow.types if pa.types.is_fixed_size_list(kind))
    texts = _bytes_of_texts(path, file, most) if plain + lists * metadata.num_rows <= most else 0
    if max(plain, lists * metadata.num_rows, texts) > most:
        raise InputError(
            f"{path}: {path.stat().st_size} bytes that unpack to over {most >> 20} MiB; write it again without repetition"
        )


def _bytes_of_texts(path: Path, file: pq.ParquetFile, most: int) -> int:
    """Bytes that columns of text unpack to, as far as their words, repeated, could be too many."""
    kinds = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
    suspects = [
        (group, chunk.path_in_schema)
        for group in range(file.num_row_groups)
        for chunk in map(file.metadata.row_group(group).column, range(file.metadata.num_columns))
        if chunk.physical_type == "BYTE_ARRAY" and chunk.path_in_schema in kinds
        and chunk.num_values * chunk.total_uncompressed_size > most
    ]  # fmt: skip
    total = 0
    # As words and which row has which, so that a word which many rows share is held once.
    with pq.ParquetFile(path, read_dictionary=sorted({name for _, name in suspects})) as worded:
        for group, name in suspects:
            for part in worded.read_row_group(group, columns=[name]).column(0).chunks:
                lengths = pc.binary_length(part.dictionary).cast(pa.int64())
                total += pc.sum(lengths.take(part.indices.drop_null())).as_py() or 0
    return int(total)


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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
