"""M3LEO's Parquet form: a row a tile (`path`, `ds`, `content`), unpacked into the layout of geetiles within limits.

`.../STEM/DATASET/PARQUET_IDENTIFIER.zstd.parquet`, beside `STEM.geojson` and a splits file. Of a row's path its last name
alone is used, as the authors' own script does. Only bytes that begin as a TIFF or an HDF5 file are written.

Source: spaceml-org/M3LEO 2245e844, script that unpacks.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import pyarrow as pa

from terrashot.domain.tables import ID
from terrashot.durable.files import make_folder, write_bytes
from terrashot.errors import InputError
from terrashot.ingest.geetiles.names import area_of, chip_set
from terrashot.store.parquet import open_table

NEEDED: Final = ("path", "ds", "content")
MAX_TILE_BYTES: Final = 64 << 20
MAX_BYTES: Final = 64 << 30
"""Of one Parquet file once unpacked."""
MAX_ROWS: Final = 1_000_000
BEGINS: Final = {".tif": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), ".nc": (b"\x89HDF\r\n\x1a\n",)}
ROWS_AT_ONCE: Final = 16


def parquet_files(source: Path) -> list[Path]:
    """Every Parquet file below, in the order of their names."""
    return sorted(path for path in source.rglob("*.parquet") if path.is_file())


def unpack(path: Path, source: Path, into: Path) -> int:
    """How many tiles of data sets that are read now lie in `into`, each whole, where the layout has them.

    Raises:
        InputError: no such columns, a name that is no tile's, bytes of another kind, or more than a chip or a file has.
    """
    count = total = 0
    for number, (name, data_set, content) in enumerate(_rows(path), start=1):
        where = f"{path}: row {number}"
        if number > MAX_ROWS:
            raise InputError(f"{path}: over {MAX_ROWS:,} rows; cut it")
        tile = _tile_name(name, where)
        if not isinstance(data_set, str) or chip_set(data_set) is None:
            continue
        total += len(content) if isinstance(content, bytes) else 0
        content = _checked(tile, content, total, where)
        folder = into / _stem(name, path, source, where) / data_set
        write_bytes(make_folder(folder) / tile, content)
        count += 1
    return count


def _rows(path: Path) -> Iterator[tuple[object, object, object]]:
    with open_table(path) as file:
        missing = [name for name in NEEDED if name not in file.schema_arrow.names]
        if missing:
            raise InputError(f"{path}: no column {', '.join(missing)}; M3LEO's tables of tiles have path, ds, content")
        kind = file.schema_arrow.field("content").type
        if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
            raise InputError(f"{path}: column 'content' holds {kind}, not the bytes of files")
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(NEEDED)):
            columns = (batch.column(name).to_pylist() for name in NEEDED)
            yield from zip(*columns, strict=True)


def _tile_name(name: object, where: str) -> str:
    if (
        not isinstance(name, str)
        or "\\" in name
        or "\0" in name
        or ".." in PurePosixPath(name).parts
        or name.startswith("/")
    ):
        raise InputError(
            f"{where}: path {str(name)[:80]!r} must be AREA/STEM/DATASET/IDENTIFIER.tif, with no way upward"
        )
    tile = PurePosixPath(name)
    if tile.suffix not in BEGINS or not ID.fullmatch(tile.stem):
        raise InputError(f"{where}: path {name[:80]!r} ends in no IDENTIFIER.tif or .nc; nothing else is unpacked")
    return tile.name


def _stem(name: object, path: Path, source: Path, where: str) -> str:
    """The partitions that the row's path names, else those of the folders in which the Parquet file lies."""
    folders = [*PurePosixPath(str(name)).parent.parts[::-1], *path.relative_to(source).parent.parts[::-1]]
    found = next((part for part in folders if area_of(part) is not None), None)
    if found is None:
        raise InputError(f"{where}: neither its path nor its folder names AREA_partitions_KIND_DIGEST")
    return found


def _checked(tile: str, content: object, total: int, where: str) -> bytes:
    """The bytes of one tile."""
    if not isinstance(content, bytes) or not content.startswith(BEGINS[PurePosixPath(tile).suffix]):
        raise InputError(f"{where}: content of {tile} begins like no {PurePosixPath(tile).suffix} file")
    if len(content) > MAX_TILE_BYTES:
        raise InputError(f"{where}: {tile} has {len(content)} bytes; a tile has {MAX_TILE_BYTES} at most")
    if total > MAX_BYTES:
        raise InputError(f"{where}: over {MAX_BYTES >> 30} GiB unpacked so far; cut the file")
    return content
