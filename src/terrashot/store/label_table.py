"""Label tables from elsewhere: CSV or Parquet with `id` and a column a target."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from terrashot.domain.tables import Labels
from terrashot.errors import InputError
from terrashot.store.csvfile import read_csv
from terrashot.store.parquet import read_table

UNKNOWN = ("", "nan", "NaN", "NA", "null", "None")


def read_labels(path: Path) -> Labels:
    """The table's targets: numbers as float64 with NaN, anything else as class names with None.

    Raises:
        InputError: no `id`, an id twice, no target, or a column that holds both numbers and text; names the line.
    """
    columns = _csv_columns(path) if path.suffix.lower() in (".csv", ".txt", ".tsv") else _parquet_columns(path)
    if "id" not in columns:
        raise InputError(f"{path}: no column 'id'; columns are {', '.join(columns)}")
    ids = [value or "" for value in columns.pop("id")]
    _refuse_bad_ids(path, ids)
    targets = {
        name: _target(path, name, values) for name, values in columns.items() if not name.endswith("_valid_fraction")
    }
    if not targets:
        raise InputError(f"{path}: no target column beside 'id'")
    return Labels(tuple(ids), targets)


def _csv_columns(path: Path) -> dict[str, list[str | None]]:
    names, rows = read_csv(path)
    return {name: [None if row[i] in UNKNOWN else row[i] for row in rows] for i, name in enumerate(names)}


def _parquet_columns(path: Path) -> dict[str, list[str | None]]:
    table = read_table(path)
    plain = [f.name for f in table.schema if not pa.types.is_nested(f.type) and not pa.types.is_binary(f.type)]
    return {name: [None if v is None or v != v else str(v) for v in table.column(name).to_pylist()] for name in plain}


def _refuse_bad_ids(path: Path, ids: list[str]) -> None:
    first: dict[str, int] = {}
    for number, chip_id in enumerate(ids, start=2):
        if not chip_id:
            raise InputError(f"{path}: line {number} has no id")
        if chip_id in first:
            raise InputError(
                f"{path}: id '{chip_id}' stands in line {first[chip_id]} and in line {number}; each chip has one"
            )
        first[chip_id] = number


def _target(path: Path, name: str, values: list[str | None]) -> np.ndarray:
    numbers = [_number(value) for value in values]
    is_number = [found is not None for value, found in zip(values, numbers, strict=True) if value is not None]
    if all(is_number):
        return np.array([np.nan if found is None else found for found in numbers], dtype=np.float64)
    if any(is_number) and sum(is_number) > len(is_number) / 2:
        row = next(
            i
            for i, (value, found) in enumerate(zip(values, numbers, strict=True))
            if value is not None and found is None
        )
        raise InputError(
            f"{path}: line {row + 2}: '{name}' is '{values[row]}' where other rows hold numbers; leave it empty if unknown"
        )
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _number(value: str | None) -> float | None:
    try:
        found = float(value) if value is not None else None
    except ValueError:
        return None
    return found if found is None or np.isfinite(found) else None
