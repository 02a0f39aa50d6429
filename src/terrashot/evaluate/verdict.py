"""What the curves say, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrashot.domain.results import Point, Result, best_embedding, best_floor
from terrashot.domain.tasks import task_of

BUDGET = 250


@dataclass(frozen=True, slots=True)
class Verdict:
    """One task in one area at a number of labels: the best embedding beside all labels and the best floor."""

    task: str
    area: str
    n_labels: int
    embedding: Point
    full: Point | None
    """The same feature set and head with all labels."""
    floor: Point | None
    gain: float
    """Mean accuracy of the embedding minus the floor's, over the same draws."""
    gain_sd: float

    @property
    def beats_floor(self) -> bool | None:
        """True or False where the difference exceeds two standard errors over the draws; None where it does not."""
        error = 2 * self.gain_sd / max(1, self.embedding.repeats) ** 0.5
        return None if self.floor is None or abs(self.gain) <= error else self.gain > 0

    @property
    def facts(self) -> dict[str, object]:
        """The same for a program."""
        return {
            "task": self.task,
            "area": self.area,
            "n_labels": self.n_labels,
            "features": self.embedding.features,
            "head": self.embedding.head,
            "accuracy": self.embedding.accuracy,
            "accuracy_full": self.full.accuracy if self.full else None,
            "floor": self.floor.features if self.floor else None,
            "floor_accuracy": self.floor.accuracy if self.floor else None,
            "gain": self.gain if self.floor else None,
            "beats_floor": self.beats_floor,
        }

    @property
    def sentence(self) -> str:
        """One line for a person."""
        name = f"{task_of(self.task).title} in {self.area}" if self.area != "all" else task_of(self.task).title
        full = f", {self.full.accuracy:.3f} with all {self.full.n_labels}" if self.full else ""
        return f"{name}: {self.embedding.accuracy:.3f} with {self.n_labels} labels ({_called(self.embedding)}){full}; {self._floor()}"

    def _floor(self) -> str:
        if self.floor is None:
            return "no floors to compare with"
        beside = f"best floor {self.floor.accuracy:.3f} ({_called(self.floor)})"
        words = {True: "the embedding beats it", False: "the embedding LOSES to it", None: "no clear difference"}
        return f"{beside}: {words[self.beats_floor]} ({100 * self.gain:+.1f} points)"


def verdicts(points: Sequence[Point], results: Sequence[Result], budget: int = BUDGET) -> list[Verdict]:
    """One a task and area, at the budget or the largest smaller size that was drawn."""
    found = []
    for task, area in dict.fromkeys((p.task, p.area) for p in points):
        own = [p for p in points if (p.task, p.area) == (task, area)]
        sizes = [p.n_labels for p in own if p.n_labels <= budget and not p.is_full]
        embedding = best_embedding(own, max(sizes)) if sizes else None
        if embedding is not None:
            found.append(_verdict(own, [r for r in results if (r.task, r.area) == (task, area)], embedding))
    return found


def _verdict(own: Sequence[Point], results: Sequence[Result], embedding: Point) -> Verdict:
    floor = best_floor(own, embedding.n_labels)
    full = next(
        (p for p in own if p.is_full and (p.features, p.head) == (embedding.features, embedding.head)), None
    )  # fmt: skip
    gains = np.zeros(1)
    if floor is not None:
        # Same repeat, same chips: the difference is taken draw by draw.
        gains = _by_repeat(results, embedding) - _by_repeat(results, floor)
    spread = float(gains.std(ddof=1)) if len(gains) > 1 else 0.0
    return Verdict(
        embedding.task, embedding.area, embedding.n_labels, embedding, full, floor, float(gains.mean()), spread
    )


def _by_repeat(results: Sequence[Result], point: Point) -> np.ndarray:
    own = {
        row.repeat: row.accuracy
        for row in results
        if (row.features, row.head, row.n_labels_asked) == (point.features, point.head, point.n_labels)
    }
    return np.array([own[repeat] for repeat in sorted(own)])


def _called(point: Point) -> str:
    return f"{point.features}, {point.head}"
