"""Columns of a large CSV as Arrow text: a million rows without an object a row."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from jaxtyping import Int64

from terrashot.errors import InputError, one_line
from terrashot.store.csvfile import delimiter_of, read_text

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
MOST_COLUMNS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class CsvColumns:
    """The rows that have as many cells as the first."""

    table: pa.Table
    """Text, stripped; a cell without any is empty."""
    number: Int64[np.ndarray, " R"]
    """Of each row as a spreadsheet counts, the names being row 1."""
    odd: tuple[tuple[int, str], ...]
    """Number of each row of another length, and what is wrong with it."""


def read_csv_columns(path: Path) -> CsvColumns:
    """All columns of a UTF-8 file, with or without byte order mark, parted by comma, semicolon or tab.

    Raises:
        InputError: missing, too large, not UTF-8, without a header, a column named twice, or quotes that never close.
    """
    text = read_text(path)
    names = _names(path, text)
    skipped: list[tuple[int, str]] = []
    blank: list[int] = []

    def odd(row: pacsv.InvalidRow) -> str:
        if not (row.text or "").strip():
            blank.append(row.number)
        else:
            skipped.append(
                (row.number, f"has {row.actual_columns} cells where the first row has {row.expected_columns}")
            )
        return "skip"

    parse = pacsv.ParseOptions(
        delimiter=delimiter_of(text), newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=odd
    )
    # One thread: of several, the numbers of rows are not told.
    read = pacsv.ReadOptions(use_threads=False, column_names=list(names), skip_rows=1, block_size=1 << 24)
    convert = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    try:
        # A header alone, without an end of its line, could not be skipped.
        table = pacsv.read_csv(pa.py_buffer(f"{text}\n".encode()), read, parse, convert)
    except (pa.ArrowException, ValueError) as error:
        raise InputError(f"{path}: no CSV: {one_line(error)}") from None
    return _numbered(
        pa.table([pc.utf8_trim_whitespace(column) for column in table.columns], list(names)), skipped, blank
    )


def numbers_of(cells: pa.ChunkedArray) -> np.ndarray:
    """Float64 (R,); NaN where a cell holds no number."""
    is_number = pc.match_substring_regex(cells, NUMBER)
    return pc.cast(pc.if_else(is_number, cells, None), pa.float64()).to_numpy(zero_copy_only=False)


def _names(path: Path, text: str) -> tuple[str, ...]:
    head = re.split(r"\r\n?|\n", text, maxsplit=1)[0]
    if not head.strip():
        raise InputError(f"{path}: its first line is empty; it must name the columns")
    names = tuple(name.strip() for name in next(csv.reader([head], delimiter=delimiter_of(text))))
    if "" in names or len(set(names)) < len(names):
        raise InputError(
            f"{path}: the first line must name each column, each name once; found {', '.join(names)[:120]!r}"
        )
    if len(names) > MOST_COLUMNS:
        raise InputError(f"{path}: {len(names)} columns; keep the place and the columns that are used")
    return names


def _numbered(table: pa.Table, skipped: list[tuple[int, str]], blank: list[int]) -> CsvColumns:
    # A line of one empty cell is a row of its own where there is one column alone.
    left_out = np.array(sorted([*blank, *(number for number, _ in skipped)]), dtype=np.int64)
    every = np.arange(2, 2 + len(table) + len(left_out))
    number = every[~np.isin(every, left_out, assume_unique=True)]
    empty = np.ones(len(table), dtype=bool)
    for column in table.columns:
        empty &= pc.equal(column, "").to_numpy(zero_copy_only=False).astype(bool)
    return CsvColumns(table.filter(pa.array(~empty)), number[~empty], tuple(sorted(skipped)))
