"""Tables for a person to open in a spreadsheet, where no cell may be taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet takes for a command (OWASP, CSV injection)."""


def csv_bytes(names: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The table in UTF-8; text that a spreadsheet would take for a formula stands behind an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
