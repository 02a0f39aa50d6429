"""Results of the few-label protocol: one row a fit, and what they say together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

FLOORS = ("majority", "coordinates", "image_stats", "random_conv", "untrained")
SHARE_OF_FULL = 0.95


@dataclass(frozen=True, slots=True)
class Result:
    """One fit, scored on all test chips of its area. Scores are None where they are not defined."""

    task: str
    area: str
    train_area: str
    split_scheme: str
    features: str
    head: str
    n_labels_asked: int | None
    """None: all training chips."""
    n_labels: int
    repeat: int
    seed: int
    n_test: int
    threshold: float | None
    balance: float | None
    """Share of the positive class in test; None for more than two classes."""
    accuracy: float | None
    """None for a regression."""
    balanced_accuracy: float | None
    f1: float | None
    """Of the positive class; macro for more than two."""
    auc: float | None
    average_precision: float | None
    mcc: float | None
    brier: float | None
    r2: float | None = None
    """This and the next two: of a regression alone."""
    mae: float | None = None
    """In the label's unit."""
    spearman: float | None = None
    settings: str = ""
    """What the head was told, such as `50 trees, depth 7`."""

    @property
    def score(self) -> float:
        """What a curve shows: accuracy, or R2 of a regression."""
        found = self.accuracy if self.accuracy is not None else self.r2
        return float("nan") if found is None else found

    @property
    def measure(self) -> str:
        """The name of `score`."""
        return "accuracy" if self.accuracy is not None else "R2"


@dataclass(frozen=True, slots=True)
class FitName:
    """Which fit of one feature set, task and area."""

    head: str
    n_labels_asked: int | None
    n_labels: int
    repeat: int


@dataclass(frozen=True, slots=True, eq=False)
class BlockScores:
    """How the fits of one feature set, task and area did in each spatial block or group of test chips."""

    task: str
    area: str
    train_area: str
    split_scheme: str
    features: str
    fits: tuple[FitName, ...]
    blocks: tuple[str, ...]
    n: Int64[np.ndarray, " B"]
    """Test chips of each block."""
    correct: Int64[np.ndarray, "F B"] | None
    """How many are told right; None for a regression."""
    squared_error: Float64[np.ndarray, "F B"] | None = None
    """Sum over a block's chips, of a regression."""
    label_sum: Float64[np.ndarray, " B"] | None = None
    label_square_sum: Float64[np.ndarray, " B"] | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one fit together with its prediction of all test chips."""

    task: str
    area: str
    features: str
    head: str
    n_labels: int
    repeat: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Point:
    """Mean and spread over the repeats of one size of one curve."""

    task: str
    area: str
    features: str
    head: str
    n_labels: int
    is_full: bool
    repeats: int
    score: float
    score_sd: float
    """Over the draws."""
    balanced_accuracy: float | None
    """None for a regression."""
    measure: str = "accuracy"
    low: float | None = None
    """95 % interval over draws and test blocks; None where it was not worked out."""
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """Where a curve comes near its own full-label accuracy."""

    task: str
    area: str
    features: str
    head: str
    n_labels: int | None
    """Smallest size whose mean accuracy reaches 95 % of the full-label one (the paper's dot); None: only the full set."""
    crossing: float | None
    """The same where a curve that may only rise with log n crosses it."""
    skill_n_labels: int | None
    """The same for 95 % of the skill above the majority, which is stricter."""


def is_floor(features: str) -> bool:
    """Whether a feature set is one of the simple ones."""
    return features.partition(":")[0] in FLOORS


def summarize(results: Iterable[Result]) -> list[Point]:
    """One point a task, area, feature set, head and size, in the order of the results."""
    groups: dict[tuple[str, str, str, str, int, bool], list[Result]] = {}
    for row in results:
        key = (row.task, row.area, row.features, row.head, row.n_labels, row.n_labels_asked is None)
        groups.setdefault(key, []).append(row)
    return [_point(key, rows) for key, rows in groups.items()]


def dots(points: Sequence[Point]) -> list[Dot]:
    """One a curve that has a full-label point."""
    curves: dict[tuple[str, str, str, str], list[Point]] = {}
    for point in points:
        curves.setdefault((point.task, point.area, point.features, point.head), []).append(point)
    majority = {(p.task, p.area): p.score for p in points if p.features == "majority" and p.is_full}
    return [_dot(curve, majority.get(key[:2])) for key, curve in curves.items() if any(p.is_full for p in curve)]


def best_floor(points: Sequence[Point], n_labels: int) -> Point | None:
    """The floor with the highest accuracy at a size, whatever its head."""
    floors = [p for p in points if is_floor(p.features) and p.n_labels == n_labels and not p.is_full]
    return max(floors, key=lambda p: p.score, default=None)


def best_embedding(points: Sequence[Point], n_labels: int) -> Point | None:
    """The embedding with the highest accuracy at a size, whatever its head; ties go to the first."""
    learnt = [p for p in points if not is_floor(p.features) and p.n_labels == n_labels and not p.is_full]
    return max(learnt, key=lambda p: p.score, default=None)


def rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest sequence, in weighted squares, that never falls (pool adjacent violators; Barlow et al. 1972)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, wa, na), (b, wb, nb) = pools[-2:]
            pools[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    return [value for value, _, count in pools for _ in range(count)]


def _point(key: tuple[str, str, str, str, int, bool], rows: list[Result]) -> Point:
    scores = np.array([row.score for row in rows])
    balanced = [row.balanced_accuracy for row in rows if row.balanced_accuracy is not None]
    spread = float(scores.std(ddof=1)) if len(rows) > 1 else 0.0
    return Point(
        *key, len(rows), float(scores.mean()), spread, float(np.mean(balanced)) if balanced else None, rows[0].measure
    )


def _dot(curve: list[Point], majority: float | None) -> Dot:
    points = sorted(curve, key=lambda p: (p.is_full, p.n_labels))
    full = points[-1].score
    target = SHARE_OF_FULL * full
    first = next((p.n_labels for p in points if p.score >= target and not p.is_full), None)
    skilled = None
    if majority is not None:
        skill_target = majority + SHARE_OF_FULL * (full - majority)
        skilled = next((p.n_labels for p in points if p.score >= skill_target and not p.is_full), None)
    head = points[0]
    return Dot(head.task, head.area, head.features, head.head, first, _crossing(points, target), skilled)


def _crossing(points: list[Point], target: float) -> float | None:
    log_n = np.log([p.n_labels for p in points])
    fitted = rising([p.score for p in points], [float(p.repeats) for p in points])
    above = [index for index, value in enumerate(fitted) if value >= target]
    if not above:
        return None
    at = above[0]
    if at == 0 or fitted[at] == fitted[at - 1]:
        return float(np.exp(log_n[at]))
    share = (target - fitted[at - 1]) / (fitted[at] - fitted[at - 1])
    return float(np.exp(log_n[at - 1] + share * (log_n[at] - log_n[at - 1])))


@dataclass(frozen=True, slots=True)
class PointsLost:
    """Accuracy of the same heads on the same draws on two versions of the vectors, mean over targets and draws."""

    before: float
    after: float
    n_labels: int
    """At most, of a draw."""
    n_targets: int
    n_judged: int
    """Test chips."""

    @property
    def points(self) -> float:
        """Points of accuracy; below 0 where the second version happened to do better."""
        return 100 * (self.before - self.after)
