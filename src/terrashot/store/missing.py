"""The missing-data report on disk: missing.parquet."""

import json
from pathlib import Path

from terrashot.domain.absence_scores import AbsenceReport, AbsenceScore
from terrashot.errors import InputError
from terrashot.store.parquet import read_table, rows_of_table, table_of_rows, write_table

NOTES = "terrashot_notes"


def write_missing(path: Path, report: AbsenceReport) -> None:
    """A row a case, strategy, task, area and number of labels; what must be said about them in the footer."""
    footer = {NOTES: json.dumps(list(report.notes))}
    write_table(path, table_of_rows(report.scores, AbsenceScore), footer=footer)


def read_missing(path: Path) -> AbsenceReport:
    """What `write_missing` wrote.

    Raises:
        InputError: not such a table.
        IntegrityError: its bytes are not those that were written.
    """
    table = read_table(path)
    try:
        notes = json.loads((table.schema.metadata or {})[NOTES.encode()])
        return AbsenceReport(tuple(rows_of_table(table, AbsenceScore)), tuple(map(str, notes)))
    except (KeyError, ValueError, TypeError, RecursionError):
        raise InputError(f"{path}: no missing-data report; make it again") from None
