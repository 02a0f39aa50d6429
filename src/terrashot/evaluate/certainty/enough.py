"""How many labels are enough: where a curve comes within 95 % of a target, in four forms, each with its interval.

Axes: T replicates, S sizes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from terrashot.domain.results import SHARE_OF_FULL, is_floor
from terrashot.evaluate.certainty.bootstrap import Replicates
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.intervals import interval, stretched

Form = Literal["dot", "crossing", "skill", "common"]
ROUNDING = 1e-12
"""A score so far below its target is at it: sums are added in another order than means were."""
TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Enough:
    """How many labels reach a target, in one form."""

    form: Form
    """`dot`: the smallest size whose mean reaches 95 % of the same curve's full-label score (Allen et al. 2023,
    arXiv:2310.00119, figure 4). `crossing`: where a curve that may only rise with log n does. `skill`: the same for 95 % of
    the skill above the majority. `common`: the same for 95 % of the best embedding's full-label score."""
    n_labels: float | None
    """None: not before the full set (dot), or not even there."""
    low: float | None
    """95 % interval; None: beyond the full set as well, or unknown because of one draw or one block."""
    high: float | None
    """None: open."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A curve that ends with all labels, and its replicates."""

    curve: Curve
    scores: Replicates

    @property
    def full(self) -> Replicates:
        """The score with all labels."""
        return self.scores.at(len(self.curve.sizes) - 1)

    @property
    def ends(self) -> list[tuple[float | None, float | None]]:
        """95 % interval of each score, cut where no score can lie, whatever a symmetric interval says; None: unknown."""
        least = -np.inf if self.curve.is_regression else 0.0
        return [
            (None, None) if np.isnan(low) else (max(float(low), least), min(float(high), 1.0))
            for low, high in zip(*interval(self.scores), strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Labels that reach a target: infinite where none do, NaN where unknown."""

    estimate: float
    replicates: Float64[np.ndarray, " T"]


def best_full(scored: Iterable[Scored]) -> Replicates | None:
    """The full-label score of the embedding that has the highest one; None without an embedding with all labels."""
    learnt = [one for one in scored if not is_floor(one.curve.features) and one.curve.full is not None]
    return max((one.full for one in learnt), key=lambda full: full.estimate[0], default=None)


def enough(own: Scored, majority: Replicates | None, best: Replicates | None) -> list[Enough]:
    """The forms that can be told of a curve: `skill` needs the majority's score, `common` the best full-label one.

    Both are of the same task, area and weights, and of one size. Nothing of a curve without all labels or without a
    smaller size.
    """
    if own.curve.full is None or len(own.curve.sizes) < 2:
        return []
    found = [_enough("dot", _dot(own)), _enough("crossing", own_crossing(own))]
    if majority is not None:
        found.append(_enough("skill", _crossing_of_full(own.curve, own.scores.minus(majority))))
    if best is not None:
        found.append(_enough("common", _crossing(own.curve, own.scores.minus(best, SHARE_OF_FULL))))
    return found


def own_crossing(own: Scored) -> Reach:
    """Where a rising fit of a curve with all labels reaches 95 % of its own full-label score."""
    return _crossing_of_full(own.curve, own.scores)


def rising_rows(values: Float64[np.ndarray, "T S"], weights: Float64[np.ndarray, " S"]) -> Float64[np.ndarray, "T S"]:
    """Of each row the nearest sequence, in weighted squares, that never falls; as `domain.results.rising` of each.

    Source: the max-min formula, Robertson, Wright and Dykstra 1988, Order Restricted Statistical Inference, section 1.4: the
    highest over starts a <= i of the lowest over ends b >= i of the mean of a to b. For few sizes it beats a loop over rows.
    """
    # Sizes first: sums and minima then run over whole vectors of replicates, not over rows of nine.
    weighted_ST = np.ascontiguousarray((values * weights).T)
    fitted_ST = np.full(weighted_ST.shape, -np.inf)
    for start in range(len(weights)):
        means = np.cumsum(weighted_ST[start:], axis=0) / np.cumsum(weights[start:])[:, None]
        lowest = np.minimum.accumulate(means[::-1], axis=0)[::-1]
        np.maximum(fitted_ST[start:], lowest, out=fitted_ST[start:])
    return fitted_ST.T


def crossings(
    excess: Float64[np.ndarray, "T S"], sizes: Sequence[int], weights: Float64[np.ndarray, " S"]
) -> Float64[np.ndarray, " T"]:
    """Labels at which the rising fit of each row, linear in log n between sizes, reaches 0; infinite where it never does.

    NaN of a row with NaN. A row that starts at 0 or above crosses at the smallest size.
    """
    fitted, n, log_n = rising_rows(excess, weights), np.array(sizes, dtype=np.float64), np.log(sizes)
    reached = fitted >= -ROUNDING
    at = np.argmax(reached, axis=1)
    rows, before = np.arange(len(fitted)), np.maximum(at - 1, 0)
    rise = fitted[rows, at] - fitted[rows, before]
    share = np.divide(-fitted[rows, before], rise, out=np.ones(len(fitted)), where=rise > 0)
    between = np.exp(log_n[before] + share * (log_n[at] - log_n[before]))
    found = np.clip(between, n[before], n[at])
    return _unknown_kept(excess, np.where(reached.any(axis=1), found, np.inf))


def first_reached(excess: Float64[np.ndarray, "T S"], sizes: Sequence[int]) -> Float64[np.ndarray, " T"]:
    """The smallest size at which each row is 0 or above; infinite where none is, NaN of NaN."""
    reached = excess >= -ROUNDING
    found = np.array(sizes, dtype=np.float64)[np.argmax(reached, axis=1)]
    return _unknown_kept(excess, np.where(reached.any(axis=1), found, np.inf))


def _dot(own: Scored) -> Reach:
    """The full set itself is no dot."""
    drawn = own.curve.sizes[:-1]
    excess = own.scores.minus(own.full, SHARE_OF_FULL)
    return _reach(excess, lambda rows: _if_full_does(rows, first_reached(rows[:, :-1], drawn)))


def _crossing(curve: Curve, excess: Replicates) -> Reach:
    """Sizes count by their draws, as in `domain.results`."""
    weights = curve.repeats.astype(np.float64)
    return _reach(excess, lambda rows: crossings(rows, curve.sizes, weights))


def _crossing_of_full(curve: Curve, scores: Replicates) -> Reach:
    """The same against 95 % of the last of the scores themselves."""
    excess, weights = scores.minus(scores.at(len(curve.sizes) - 1), SHARE_OF_FULL), curve.repeats.astype(np.float64)
    return _reach(excess, lambda rows: _if_full_does(rows, crossings(rows, curve.sizes, weights)))


def _reach(excess: Replicates, labels_of: Callable[[np.ndarray], np.ndarray]) -> Reach:
    return Reach(float(labels_of(excess.estimate[None])[0]), labels_of(stretched(excess)))


def _if_full_does(excess: Float64[np.ndarray, "T S"], found: Float64[np.ndarray, " T"]) -> Float64[np.ndarray, " T"]:
    """Nothing is reached where all labels gain nothing either: no skill, or an R2 of 0 or below."""
    return np.where(excess[:, -1] <= ROUNDING, np.inf, found)


def _enough(form: Form, reach: Reach) -> Enough:
    """The ends are replicates themselves, since between a number and infinity there is no mean; they hold the estimate."""
    if np.isnan(reach.replicates).any():
        return Enough(form, _finite(reach.estimate), None, None)
    low = np.quantile(reach.replicates, TAIL, method="lower")
    high = np.quantile(reach.replicates, 1 - TAIL, method="higher")
    return Enough(form, _finite(reach.estimate), _finite(min(low, reach.estimate)), _finite(max(high, reach.estimate)))


def _unknown_kept(excess: Float64[np.ndarray, "T S"], found: Float64[np.ndarray, " T"]) -> Float64[np.ndarray, " T"]:
    return np.where(np.isnan(excess).any(axis=1), np.nan, found)


def _finite(n_labels: float) -> float | None:
    return float(n_labels) if np.isfinite(n_labels) else None
