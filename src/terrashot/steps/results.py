"""What a finished table of results says."""

from pathlib import Path

from terrashot.domain.results import Result, summarize
from terrashot.evaluate.verdict import Verdict, verdicts
from terrashot.store.parquet import read_table, rows_of_table


def result_verdicts(path: Path) -> list[Verdict]:
    """One a task and area of results.parquet."""
    rows = rows_of_table(read_table(path), Result)
    return verdicts(summarize(rows), rows)
