"""Injects faults and prints what came of them: python -m faults [--soak] [--row NAME ...] [--seed N] [--json]

Quick takes some minutes on two cores; soak takes hours. The exit code is 1 if a fault was silent or crashed.
"""

import argparse
import contextlib
import json
import os
import sys

from faults.broken import BROKEN, broken
from faults.outcome import table
from faults.preload import preload
from faults.rows import all_rows
from faults.run import Wishes, run_rows

SHOWN = 10
"""Bad cases of a row that are told; the table counts all."""


def main() -> None:
    """Runs the rows asked for and prints their table."""
    rows = all_rows()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="python -m faults")
    parser.add_argument("--soak", action="store_true", help="many more cases of each row")
    parser.add_argument("--row", action="append", choices=sorted(rows), help="only these rows")
    parser.add_argument("--case", action="append", help="only cases whose names begin so")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="rows at once")
    parser.add_argument("--break", dest="broken", choices=BROKEN, help="break this on purpose; the table must show it")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    asked = parser.parse_args()
    chosen = [row for name, row in rows.items() if not asked.row or name in asked.row]
    wishes = Wishes(asked.soak, asked.seed, tuple(asked.case or ("",)))
    preload()
    with broken(asked.broken) if asked.broken else contextlib.nullcontext():
        tallies = run_rows(chosen, wishes, asked.jobs)
    print(table(tallies, {name: row.title for name, row in rows.items()}))
    for tally in tallies:
        for line in tally.bad[:SHOWN]:
            print(f"{tally.row}: {line[:300]}")
    if asked.json:
        print(json.dumps({"soak": asked.soak, "rows": [tally.as_json for tally in tallies]}))
    sys.exit(1 if any(tally.bad for tally in tallies) else 0)


if __name__ == "__main__":
    main()
