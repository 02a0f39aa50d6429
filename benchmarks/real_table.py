"""What `real_labels.py` leaves and prints: every row as CSV, the comparison as a Markdown table, one JSON line."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from real_bar import BUDGETS, EMBEDDING, Compared, choose, judged_of
from real_scores import HEADS, Outcome, by_task

from terrashot.durable.files import write_bytes

COLUMNS = (
    "data_set", "target", "view", "features", "head", "n_labels", "draws", "n_judged", "n_groups", "val_accuracy",
    "accuracy", "accuracy_sd", "is_better_head",
)  # fmt: skip
HEAD = (
    "task", "labels", "embedding", "with statistics", "best floor on validation", "highest floor",
    "gain over the highest, points", "bar",
)  # fmt: skip
WORDS = {True: "met", False: "**missed**", None: ""}


def write_scores(path: Path, found: Sequence[Outcome], split: str) -> None:
    """A row a task, feature set, head and number of labels; `accuracy` is that of the split that is told of."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    for outcome in found:
        judged, val = judged_of(outcome, split), outcome.val.accuracy
        scores = judged.accuracy
        for size, n_labels in enumerate(outcome.sizes):
            better = choose(outcome, size, split)[0].head
            for head, name in enumerate(HEADS):
                own = scores[head, size]
                numbers = (val[head, size].mean(), own.mean(), own.std(ddof=1))
                rows.writerow([
                    outcome.data_set, outcome.target, outcome.view, outcome.features, name, n_labels, len(own),
                    judged.n.sum(), len(judged.n), *(f"{number:.4f}" for number in numbers), int(name == better),
                ])  # fmt: skip
    write_bytes(path, file.getvalue().encode())


def markdown(compared: Sequence[Compared]) -> str:
    """A row a task and number of labels."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    return "\n".join(lines + ["| " + " | ".join(_cells(row)) + " |" for row in compared]) + "\n"


def _cells(row: Compared) -> list[str]:
    floors = (f"{own.score:.3f} ({own.features}, {own.head})" for own in (row.floor, row.highest))
    ends = "" if row.low is None or row.high is None else f" ({100 * row.low:+.1f} to {100 * row.high:+.1f})"
    return [
        f"{row.data_set}, {row.target}, {row.view}", str(row.n_labels), f"{row.embedding.score:.3f}",
        f"{row.with_statistics.score:.3f}", *floors, f"{100 * row.gain:+.1f}{ends}", WORDS[row.meets_bar],
    ]  # fmt: skip


def as_json(found: Sequence[Outcome], compared: Sequence[Compared], split: str) -> str:
    """The line that other programs read: mean accuracy at 100 and 250 labels over that of the highest floors."""
    held = [row for row in compared if row.n_labels in BUDGETS]
    ratios = _ratios(found, held, split)
    bars = [row.meets_bar for row in held if row.meets_bar is not None]
    return json.dumps({
        "name": "real_labels", "ratio": round(float(np.mean(ratios)), 4), "against": "the highest floor of each task",
        "better": "higher", "low": round(min(ratios), 4), "high": round(max(ratios), 4), "repeats": len(ratios),
        "split": split, "bars": len(bars), "bars_met": sum(bars),
        "mean_accuracy": round(float(np.mean([row.embedding.score for row in held])), 4),
        "mean_gain": round(float(np.mean([row.gain for row in held])), 4),
        "gains": {f"{row.data_set}, {row.target}, {row.view}, {row.n_labels}": round(row.gain, 4) for row in held},
    })  # fmt: skip


def _ratios(found: Sequence[Outcome], held: Sequence[Compared], split: str) -> list[float]:
    """One a draw: the embedding's mean accuracy over all rows to that of the highest floors."""
    tasks, sums = by_task(found), np.zeros((2, 1))
    for row in held:
        outcomes = tasks[f"{row.data_set}, {row.target}, {row.view}"]
        for side, features in enumerate((EMBEDDING, row.highest.features)):
            outcome = outcomes[features]
            size = outcome.sizes.index(row.n_labels)
            own = judged_of(outcome, split).accuracy[choose(outcome, size, split)[1], size]
            sums = sums + (np.arange(2)[:, None] == side) * own
    return (sums[0] / sums[1]).tolist()
