"""Tables that a person wrote: CSV read strictly, every bad row named by its number."""

import csv
import io
from pathlib import Path

from terrashot.errors import InputError

MAX_BYTES = 200 << 20
DELIMITERS = ",;\t"


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Column names and rows of text, stripped; row i stands in line i + 2 unless a quoted cell holds a line break.

    Raises:
        InputError: missing, too large, not UTF-8, without a header, with a name twice, or with a row of another length.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: over {MAX_BYTES >> 20} MiB; write it as Parquet")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise InputError(f"{path}: holds zero bytes; it is no CSV")
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    if not rows:
        raise InputError(f"{path}: empty; its first line names the columns")
    return _checked(path, rows)


def _checked(path: Path, rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    names = rows[0]
    if "" in names or len(set(names)) < len(names):
        raise InputError(f"{path}: its first line must name each column, each name once; found {names[:8]}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            raise InputError(f"{path}: line {number} has {len(row)} cells, the first line {len(names)}")
    return names, rows[1:]
