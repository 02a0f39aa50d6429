"""What `real_labels.py` leaves and prints: every row as CSV, the comparison as a Markdown table, one JSON line."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from real_bar import BUDGETS, EMBEDDING, Chosen, Compared, Gain, choose, judged_of
from real_scores import HEADS, Outcome, by_task

from terrashot.durable.files import write_bytes

COLUMNS = (
    "data_set", "target", "view", "features", "head", "n_labels", "draws", "n_judged", "n_groups", "val_accuracy",
    "accuracy", "accuracy_sd", "is_better_head",
)  # fmt: skip
HEAD = (
    "task", "labels", "embedding", "with statistics", "best floor on validation", "highest floor",
    "gain over the highest, points", "bar", "simple features together", "gain over them, points", "bar",
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
    return [
        row.task, str(row.n_labels), f"{row.embedding.score:.3f}", f"{row.with_statistics.score:.3f}", _named(row.floor),
        *(cell for gain in (row.over_highest, row.over_together) for cell in _beside(gain)),
    ]  # fmt: skip


def _named(own: Chosen) -> str:
    return f"{own.score:.3f} ({own.features}, {own.head})"


def _beside(gain: Gain) -> list[str]:
    """The floor, the gain over it, whether that suffices."""
    ends = "" if gain.low is None or gain.high is None else f" ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    return [_named(gain.floor), f"{100 * gain.estimate:+.1f}{ends}", WORDS[gain.meets_bar]]


def as_json(found: Sequence[Outcome], compared: Sequence[Compared], split: str) -> str:
    """The line that other programs read: mean accuracy at 100 and 250 labels over that of the highest floors.

    Means are over the tasks that have a bar; over all where none of those asked for has one.
    """
    at_budgets = [row for row in compared if row.n_labels in BUDGETS]
    held = [row for row in at_budgets if row.over_highest.meets_bar is not None] or at_budgets
    ratios = _ratios(found, held, split)
    bars = [row.over_highest.meets_bar for row in held if row.over_highest.meets_bar is not None]
    strict = [row.over_together.meets_bar for row in held if row.over_together.meets_bar is not None]
    return json.dumps({
        "name": "real_labels", "ratio": round(float(np.mean(ratios)), 4), "against": "the highest floor of each task",
        "better": "higher", "low": round(min(ratios), 4), "high": round(max(ratios), 4), "repeats": len(ratios),
        "split": split, "bars": len(bars), "bars_met": sum(bars), "bars_met_together": sum(strict),
        "mean_accuracy": _mean([row.embedding.score for row in held]),
        "mean_gain": _mean([row.over_highest.estimate for row in held]),
        "mean_gain_together": _mean([row.over_together.estimate for row in held]),
        "accuracy": {f"{row.task}, {row.n_labels}": round(row.embedding.score, 4) for row in held},
        "gain": {f"{row.task}, {row.n_labels}": round(row.over_highest.estimate, 4) for row in held},
    })  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)


def _ratios(found: Sequence[Outcome], held: Sequence[Compared], split: str) -> list[float]:
    """One a draw: the embedding's mean accuracy over all rows to that of the highest floors."""
    tasks = by_task(found)
    ours, theirs = (
        np.mean(
            [_by_draw(tasks[row.task][name], row.n_labels, split) for row, name in zip(held, names, strict=True)],
            axis=0,
        )
        for names in ([EMBEDDING] * len(held), [row.over_highest.floor.features for row in held])
    )
    return (ours / theirs).tolist()


def _by_draw(outcome: Outcome, n_labels: int, split: str) -> Float64[np.ndarray, " R"]:
    """Accuracy of the better head in each draw."""
    size = outcome.sizes.index(n_labels)
    return judged_of(outcome, split).accuracy[choose(outcome, size, split)[1], size]
