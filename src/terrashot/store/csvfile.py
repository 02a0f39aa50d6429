"""Tables that a person wrote: CSV read strictly, all or nothing, every bad row named by its line."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from terrashot.errors import InputError

MAX_BYTES = 200 << 20
LONGEST_LINE_BYTES = 1 << 20
DELIMITERS = ",;\t"
BadRows = list[tuple[int, str]]
"""Line and reason of each."""
SHOWN = 3
"""Bad rows that a message tells of; it counts the others."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    """Text cells, stripped; rows without any text are left out."""

    names: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    """The line of the file on which each row ends."""

    def column(self, name: str) -> list[str]:
        """The cells of one column."""
        index = self.names.index(name)
        return [row[index] for row in self.rows]


def read_csv(path: Path) -> CsvTable:
    """The table of a UTF-8 file, with or without byte order mark, parted by comma, semicolon or tab.

    Raises:
        InputError: missing, too large, not UTF-8, without a header, a column named twice, or rows of another length.
    """
    text = read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: no CSV: {error}") from None
    if not rows:
        raise InputError(f"{path}: empty; its first line names the columns")
    return _checked(path, rows, lines)


def refuse_rows(path: Path, bad: Iterable[tuple[int, str]], each: str = "line") -> None:
    """Nothing, if there is no bad row.

    Args:
        bad: line and reason of each.
        each: what a row of the file is called.

    Raises:
        InputError: with the number of bad rows, and line and reason of the first ones.
    """
    listed = sorted(bad)
    if listed:
        told = "; ".join(f"{each} {line}: {reason}" for line, reason in listed[:SHOWN])
        count = f"{len(listed)} bad rows, nothing was read; " if len(listed) > 1 else ""
        raise InputError(f"{path}: {count}{told}{'; ...' if len(listed) > SHOWN else ''}")


def repeated(values: Sequence[str], lines: Sequence[int], each: str = "line") -> BadRows:
    """Line and reason of every id that stood there before."""
    first: dict[str, int] = {}
    bad = []
    for value, line in zip(values, lines, strict=True):
        if value in first:
            bad.append((line, f"id '{value}' stands in {each} {first[value]} and in {each} {line}; each chip has one"))
        first.setdefault(value, line)
    return bad


def delimiter_of(text: str) -> str:
    """Comma, semicolon or tab: what the first line has most of."""
    head = re.split(r"\r\n?|\n", text, maxsplit=1)[0]
    return max(DELIMITERS, key=head.count)


def read_text(path: Path) -> str:
    """The text of a table in UTF-8, without a byte order mark.

    Raises:
        InputError: missing, no plain file, too large, a line without end, another coding, or zero bytes.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"{path}: cannot be read: it is no plain file")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: over {MAX_BYTES >> 20} MiB; write it as Parquet or cut it")
        _refuse_endless_line(path)
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise InputError(f"{path}: holds zero bytes; it is no CSV in UTF-8")
    return text


def _refuse_endless_line(path: Path) -> None:
    """Nothing, unless the file has a stretch without a line's end that no table has: it would be held many times over."""
    with path.open("rb") as file:
        before = b""
        while block := file.read(LONGEST_LINE_BYTES):
            if len(before) == LONGEST_LINE_BYTES and not any(
                end in part for part in (before, block) for end in b"\r\n"
            ):
                raise InputError(f"{path}: a line of over {LONGEST_LINE_BYTES >> 20} MiB; it is no table of chips")
            before = block


def _checked(path: Path, rows: list[list[str]], lines: list[int]) -> CsvTable:
    names = tuple(rows[0])
    if "" in names or len(set(names)) < len(names):
        raise InputError(
            f"{path}: line {lines[0]} must name each column, each name once; found {', '.join(names)[:120]}"
        )
    odd = [(line, len(row)) for row, line in zip(rows[1:], lines[1:], strict=True) if len(row) != len(names)]
    if odd:
        line, count = odd[0]
        others = f"; {len(odd) - 1} other lines are off too" if len(odd) > 1 else ""
        raise InputError(f"{path}: line {line} has {count} cells, the first line {len(names)}{others}")
    return CsvTable(names, rows[1:], lines[1:])
