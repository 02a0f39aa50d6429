"""What a Parquet file claims, against what it holds: refused before a page is unpacked."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terrashot.durable.backup import digest_path
from terrashot.errors import InputError, IntegrityError

MAX_ROWS = 200_000_000
MAGIC = b"PAR1"
UNPACKED_BYTES, UNPACKED_SHARE = 1 << 30, 1000
"""A table that takes more memory than this, and this many times the bytes of its file, is made to harm. Of our own,
presence rows repeat themselves most: 684 times, where 80,000 chips have the same 40 channels each, none with a hole."""
WIDTH_BYTES = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}


def refuse_other_files(path: Path) -> None:
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


def refuse_bomb(path: Path, file: pq.ParquetFile) -> None:
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
