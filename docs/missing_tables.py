"""Prints the tables of docs/missing-data.md: python docs/missing_tables.py MISSING.parquet

From what step `missing` or `terrashot missing` wrote: a row a thing left out, means over tasks and areas.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from terrashot.domain.absence_scores import AbsenceScore
from terrashot.store.missing import read_missing

HEAD = (
    "left out",
    "met, 100 labels",
    "250",
    "all",
    "training mean, 250",
    "dropped, 250",
    "learnt without, 250",
    "cosine",
    "found among 10",
)
SHOWN = 250
OWN = ("rest", "ridge")
"""What the study itself would do: use what is left, or let the ridge foretell."""


def table(scores: Sequence[AbsenceScore]) -> Iterable[str]:
    """Lines of Markdown."""
    yield "| " + " | ".join(HEAD) + " |"
    yield "|---" * len(HEAD) + "|"
    for left_out in dict.fromkeys(row.left_out for row in scores if row.case != "channel"):
        yield "| " + " | ".join(line(left_out, [row for row in scores if row.left_out == left_out])) + " |"
    singles = [row for row in scores if row.case == "channel"]
    if singles:
        worst = min(
            singles,
            key=lambda row: mean_change([one for one in singles if one.left_out == row.left_out], OWN, SHOWN) or 0.0,
        )
        yield (
            "| "
            + " | ".join(
                line(
                    f"costliest single channel: {worst.left_out}", [r for r in singles if r.left_out == worst.left_out]
                )
            )
            + " |"
        )


def line(title: str, rows: Sequence[AbsenceScore]) -> list[str]:
    """Cells of one thing left out."""
    met = [row for row in rows if row.answer == "met"]
    learnt = [row for row in rows if row.answer == "learnt"]
    own = [row for row in met if row.strategy in OWN]
    return [
        title or "nothing",
        *(clear(own, n) for n in (100, SHOWN, None)),
        clear([row for row in met if row.strategy == "training-mean"], SHOWN),
        clear([row for row in met if row.strategy == "drop"], SHOWN),
        clear(learnt, SHOWN),
        number(own, lambda row: row.cosine, "{:.3f}"),
        number(own, lambda row: row.recall10, "{:.2f}"),
    ]


def at(rows: Sequence[AbsenceScore], n_labels: int | None) -> list[AbsenceScore]:
    """Rows of one number of labels; None is all of them."""
    return [row for row in rows if (row.is_full if n_labels is None else row.n_labels == n_labels and not row.is_full)]


def mean_change(rows: Sequence[AbsenceScore], strategies: Sequence[str], n_labels: int | None) -> float | None:
    """In points."""
    found = [row.change for row in at(rows, n_labels) if row.strategy in strategies]
    return 100 * sum(found) / len(found) if found else None


def clear(rows: Sequence[AbsenceScore], n_labels: int | None) -> str:
    """Mean change in points; its interval where there is one task and area, else how many of them fall clearly below 0."""
    some = at(rows, n_labels)
    change = mean_change(some, [row.strategy for row in some], n_labels)
    if change is None:
        return ""
    if len(some) == 1 and some[0].change_low is not None and some[0].change_high is not None:
        return f"{change:+.1f} ({100 * some[0].change_low:+.1f} to {100 * some[0].change_high:+.1f})"
    below = sum(row.change_high is not None and row.change_high < 0 for row in some)
    return f"{change:+.1f} ({below} of {len(some)})"


def number(rows: Sequence[AbsenceScore], get: Callable[[AbsenceScore], float | None], form: str) -> str:
    """Mean of what is known."""
    found = [value for row in at(rows, SHOWN) if (value := get(row)) is not None]
    return form.format(sum(found) / len(found)) if found else ""


if __name__ == "__main__":
    report = read_missing(Path(sys.argv[1]))
    print("\n".join([*table(report.scores), "", *report.notes]))
