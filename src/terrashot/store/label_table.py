"""Label tables from elsewhere: CSV or Parquet with `id` and a column a target."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa

from terrashot.domain.tables import Labels
from terrashot.errors import InputError
from terrashot.store.csvfile import MAX_BYTES, CsvTable, read_csv, refuse_rows, repeated
from terrashot.store.parquet import read_table

UNKNOWN = frozenset(("", "nan", "NaN", "NA", "N/A", "null", "None"))
VALID_FRACTION = "_valid_fraction"
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
PARQUET = (".parquet", ".geoparquet", ".pq")


def read_labels(path: Path) -> Labels:
    """The table's targets: columns of numbers as float64 with NaN, columns of text as class names with None.

    A cell that is empty, or one of the words of `UNKNOWN`, is unknown. `<target>_valid_fraction` beside a target is the
    share of the chip that its value was made from.

    Raises:
        InputError: no `id`, no target, or bad rows: an id missing or twice, text among numbers, a number that is not
            finite; counts them and names the first.
        IntegrityError: a digest lies beside the file and does not fit it.
    """
    table = _parquet(path) if path.suffix.lower() in PARQUET else read_csv(path)
    if "id" not in table.names:
        raise InputError(f"{path}: no column 'id'; columns are {', '.join(table.names)[:200]}")
    ids = table.column("id")
    missing = [(line, "no id") for chip_id, line in zip(ids, table.lines, strict=True) if not chip_id]
    refuse_rows(path, missing or repeated(ids, table.lines))
    others = [name for name in table.names if name != "id"]
    shares = [name for name in others if name.removesuffix(VALID_FRACTION) in others and name.endswith(VALID_FRACTION)]
    targets = {name: _target(path, table, name) for name in others if name not in shares}
    if not targets:
        raise InputError(f"{path}: no target column beside 'id'")
    return Labels(
        tuple(ids), targets, {name.removesuffix(VALID_FRACTION): _share(path, table, name) for name in shares}
    )


def _parquet(path: Path) -> CsvTable:
    """The table as text, so that both kinds of file are judged by the same rules; a row's number stands for its line."""
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: over {MAX_BYTES >> 20} MiB; keep the id and the target columns")
    table = read_table(path)
    fields = [
        field for field in table.schema if not pa.types.is_nested(field.type) and not pa.types.is_binary(field.type)
    ]
    names = tuple(field.name for field in fields)
    if len(set(names)) < len(names):
        raise InputError(f"{path}: a column name stands twice; found {', '.join(names)[:120]}")
    # A float's shortest text gives the same float back, so nothing is lost on the way.
    columns = [
        ["" if v is None or v != v else str(v).strip() for v in table.column(name).to_pylist()] for name in names
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return CsvTable(names, rows, list(range(1, len(rows) + 1)))


def _target(path: Path, table: CsvTable, name: str) -> np.ndarray:
    cells = [None if cell in UNKNOWN else cell for cell in table.column(name)]
    numbers = [_number(cell) for cell in cells]
    n_known = sum(cell is not None for cell in cells)
    n_numbers = sum(number is not None for number in numbers)
    bad = [
        (line, _complaint(name, cell))
        for cell, number, line in zip(cells, numbers, table.lines, strict=True)
        if cell is not None and (number is None or not np.isfinite(number))
    ]
    # Mostly numbers: the rest are slips. Mostly text: classes, some of which may be called by a number.
    if n_numbers == n_known or n_numbers > n_known / 2 or any(DECIMAL_COMMA.fullmatch(cell or "") for cell in cells):
        refuse_rows(path, bad)
        return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def _complaint(name: str, cell: str) -> str:
    if DECIMAL_COMMA.fullmatch(cell):
        return f"'{name}' is '{cell}'; write it with a point: {cell.replace(',', '.')}"
    return f"'{name}' is '{cell[:40]}' where other rows hold numbers; leave it empty if unknown"


def _share(path: Path, table: CsvTable, name: str) -> np.ndarray:
    cells = table.column(name)
    shares = np.array([np.nan if cell in UNKNOWN else _number(cell) for cell in cells], dtype=np.float64)
    refuse_rows(path, (
        (line, f"'{name}' is '{cell[:40]}'; a share lies between 0 and 1")
        for cell, share, line in zip(cells, shares, table.lines, strict=True)
        if cell not in UNKNOWN and not 0 <= share <= 1
    ))  # fmt: skip
    return shares


def _number(cell: str | None) -> float | None:
    """The number that a cell holds, infinite ones too; None for text and for the unknown."""
    if cell is None or "_" in cell:  # Python reads 1_000 as a number; a person means a name
        return None
    try:
        return float(cell)
    except ValueError:
        return None
