"""How many more labels: the budget for a target score, and how such forecasts did on sizes held back."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from terrashot.domain.results import Result
from terrashot.errors import InputError
from terrashot.evaluate.forecast.learning_law import GRID, LAW_ERROR, KnownScores, Law, fit_law

LINE_SIZES = 3
"""Last known sizes that the straight line goes through."""
ERRORS = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08)
"""What `learnt_error` chooses from."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Labels needed for a target score."""

    target: float
    n_labels: int | None
    """None: not within reach, for the curve ends below the target."""
    low: int | None
    """This and the next: 95 % interval. None: even the most hopeful curve ends below the target."""
    high: int | None
    """None: open, for the least hopeful curve ends below the target."""
    best: float
    """What 10 million labels would give."""
    repeats: int
    """Of the draws it rests on."""

    @property
    def sentence(self) -> str:
        """One line for a person."""
        single = "" if self.repeats > 1 else "; from one draw, so the interval is the law's usual error alone"
        if self.low is None:
            return f"{self.target:.3g} is not within reach: the curve levels out at {self.best:.3f}{single}"
        span = f"{self.low:,} to {self.high:,}" if self.high is not None else f"{self.low:,} or more"
        if self.n_labels is None:
            return f"{self.target:.3g} is probably not within reach: the curve levels out at {self.best:.3f} ({span}){single}"
        return f"about {self.n_labels:,} labels ({span}) reach {self.target:.3g}{single}"


@dataclass(frozen=True, slots=True)
class HeldBack:
    """One size that the forecast did not see."""

    curve: str
    n_known: int
    """Largest size seen."""
    n_labels: int
    score: float
    """Mean over the draws."""
    score_error: float
    """Its standard error over the draws; 0 of one draw."""
    law: float
    low: float
    high: float
    no_change: float
    """The score at `n_known`."""
    line: float
    """Straight in log n through the last three known sizes, 1 at most."""

    @property
    def is_covered(self) -> bool:
        """Whether the score lies in the law's interval, widened by the score's own error over draws."""
        away, wide = self.score - self.law, self.high if self.score > self.law else self.low
        return abs(away) <= math.hypot(wide - self.law, 1.96 * self.score_error)


@dataclass(frozen=True, slots=True)
class HoldBack:
    """How the law did beside "no change" and a straight line; every curve counts the same."""

    rows: tuple[HeldBack, ...]

    @property
    def curves(self) -> int:
        return len({row.curve for row in self.rows})

    @property
    def law_error(self) -> float:
        """Mean absolute error; this and the next two in score."""
        return float(np.mean(self._errors(lambda row: row.law)))

    @property
    def no_change_error(self) -> float:
        return float(np.mean(self._errors(lambda row: row.no_change)))

    @property
    def line_error(self) -> float:
        return float(np.mean(self._errors(lambda row: row.line)))

    @property
    def share_best(self) -> float:
        """Share of curves on which the law errs least; of three equals a third is chance."""
        rivals = np.minimum(self._errors(lambda row: row.no_change), self._errors(lambda row: row.line))
        return float((self._errors(lambda row: row.law) <= rivals).mean())

    @property
    def coverage(self) -> float:
        """Share of held-back scores inside the law's 95 % interval."""
        return float(np.mean([row.is_covered for row in self.rows]))

    @property
    def sentence(self) -> str:
        """One line for a person."""
        known = sorted({row.n_known for row in self.rows})
        span = f"{known[0]}" if len(known) == 1 else f"{known[0]} to {known[-1]}"
        return (
            f"Seen up to {span} labels, the law misses the later scores of {self.curves} curves by {100 * self.law_error:.1f} "
            f"points on average, no change by {100 * self.no_change_error:.1f}, a straight line by {100 * self.line_error:.1f}; "
            f"it is the best of the three on {self.share_best:.0%} of the curves, and its 95 % interval holds "
            f"{self.coverage:.0%} of the scores."
        )

    def _errors(self, told: Callable[[HeldBack], float]) -> Float64[np.ndarray, " n"]:
        by_curve: dict[str, list[float]] = {}
        for row in self.rows:
            by_curve.setdefault(row.curve, []).append(abs(told(row) - row.score))
        return np.array([np.mean(errors) for errors in by_curve.values()])


def forecast(law: Law, target: float) -> Forecast:
    """The fewest labels with which the law reaches a target score, and its 95 % interval: the law read the other way round."""
    n_labels, low, high = (_reached(line, target) for line in (law.score, law.high, law.low))
    return Forecast(target, n_labels, low, high, float(law.score[-1]), law.repeats)


def hold_back(curves: Iterable[KnownScores], known: int, *, seed: int, law_error: float = LAW_ERROR) -> HoldBack:
    """Laws fitted to the sizes up to `known`, against the scores at the later ones.

    A curve without two known sizes and a later one is left out.

    Raises:
        InputError: all are.
    """
    rows = [row for curve in curves for row in _held_back(curve, known, seed, law_error)]
    if not rows:
        raise InputError(
            f"no curve has two sizes up to {known} labels and one beyond; nothing can be held back: ask for more sizes"
        )
    return HoldBack(tuple(rows))


def learnt_error(curves: Sequence[KnownScores], known: int, *, seed: int) -> float:
    """The smallest `law_error` with which the intervals hold 95 % of the scores held back; the largest tried if none does.

    Curves of the same study tell how far laws drift on such labels; give it to `fit_law` for the next curve.
    """
    for error in ERRORS[:-1]:
        if hold_back(curves, known, seed=seed, law_error=error).coverage >= 0.95:
            return error
    return ERRORS[-1]


def known_scores_of(results: Iterable[Result]) -> list[KnownScores]:
    """One curve a task, area, feature set and head, without the full set; the results of one pool of training chips.

    The floor is the majority's score where it was run, else the larger class's share in test, 0 for R2.
    """
    rows = list(results)
    majority: dict[tuple[str, str], list[float]] = {}
    grouped: dict[tuple[str, str, str, str], list[Result]] = {}
    for row in rows:
        if row.features == "majority":
            majority.setdefault((row.task, row.area), []).append(row.score)
        elif row.n_labels_asked is not None:
            grouped.setdefault((row.task, row.area, row.features, row.head), []).append(row)
    return [_curve("/".join(key), own, majority.get(key[:2], [])) for key, own in grouped.items()]


def _curve(name: str, rows: list[Result], majority: list[float]) -> KnownScores:
    sizes, repeats = (sorted({getattr(row, axis) for row in rows}) for axis in ("n_labels", "repeat"))
    scores = np.full((len(sizes), len(repeats)), np.nan)
    for row in rows:
        scores[sizes.index(row.n_labels), repeats.index(row.repeat)] = row.score
    balance = rows[0].balance
    floor = float(np.mean(majority)) if majority else (0.0 if balance is None else max(balance, 1 - balance))
    return KnownScores(name, np.array(sizes, dtype=np.int64), scores, floor)


def _reached(line: Float64[np.ndarray, " G"], target: float) -> int | None:
    above = np.flatnonzero(line >= target)
    if not len(above):
        return None
    at = int(above[0])
    if at == 0:
        return 1
    share = (target - line[at - 1]) / (line[at] - line[at - 1])
    # Less a hair, so that rounding does not turn 250.0000001 into 251.
    return math.ceil(GRID[at - 1] * (GRID[at] / GRID[at - 1]) ** share * (1 - 1e-9))


def _held_back(curve: KnownScores, known: int, seed: int, law_error: float) -> list[HeldBack]:
    scored = np.isfinite(curve.scores).any(axis=1)
    curve = KnownScores(curve.name, curve.sizes[scored], curve.scores[scored], curve.floor)
    seen, later = curve.up_to(known), curve.sizes > known
    if len(seen.sizes) < 2 or not later.any():
        return []
    law, low, high = fit_law(seen, seed=seed, law_error=law_error).at(curve.sizes[later]).tolist()
    no_change, line = float(np.nanmean(seen.scores[-1])), np.minimum(_line(seen)(np.log(curve.sizes[later])), 1)
    return [
        HeldBack(
            curve.name, int(seen.sizes[-1]), int(curve.sizes[at]), float(np.nanmean(curve.scores[at])),
            _standard_error(curve.scores[at]), law[i], low[i], high[i], no_change, float(line[i]),
        )
        for i, at in enumerate(np.flatnonzero(later))
    ]  # fmt: skip


def _line(seen: KnownScores) -> np.polynomial.Polynomial:
    means = np.nanmean(seen.scores, axis=1)
    return np.polynomial.Polynomial.fit(np.log(seen.sizes[-LINE_SIZES:]), means[-LINE_SIZES:], 1)


def _standard_error(scores: np.ndarray) -> float:
    known = scores[np.isfinite(scores)]
    return float(known.std(ddof=1) / len(known) ** 0.5) if len(known) > 1 else 0.0
