"""Does the best embedding beat every floor, by how much, with what certainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from terrashot.domain.answers import Verdict
from terrashot.domain.results import is_floor
from terrashot.evaluate.certainty.bootstrap import Replicates
from terrashot.evaluate.certainty.enough import Scored
from terrashot.evaluate.certainty.intervals import paired_difference, stretched

Named = tuple[str, str]
"""Feature set and head."""


@dataclass(frozen=True, slots=True, eq=False)
class AtSize:
    """One curve at one number of labels."""

    scored: Scored
    position: int
    spread: Replicates
    """The size's own replicates, or those of fits on resampled pools, which alone tell how much the pool matters."""

    @property
    def name(self) -> Named:
        return self.scored.curve.features, self.scored.curve.head

    @property
    def score(self) -> float:
        return float(self.scored.scores.estimate[self.position])


def verdicts(
    scored: Sequence[Scored], resampled: Mapping[Named, Scored], budgets: Sequence[int], measure: str
) -> list[Verdict]:
    """One a budget that was drawn; of a pool smaller than all budgets one at the largest size that was.

    The best embedding and the floors are picked by test score, on both sides alike.
    """
    sizes = {size for one in scored for size, full in zip(one.curve.sizes, one.curve.is_full, strict=True) if not full}
    judged = [size for size in budgets if size in sizes] or [max(sizes)] if sizes else []
    return [found for size in judged if (found := _verdict(scored, resampled, size, measure)) is not None]


def _verdict(scored: Sequence[Scored], resampled: Mapping[Named, Scored], size: int, measure: str) -> Verdict | None:
    there = [at for one in scored if (at := _at(one, resampled, size)) is not None]
    learnt = [one for one in there if not is_floor(one.scored.curve.features)]
    if not learnt:
        return None
    best = max(learnt, key=lambda one: one.score)
    floors = {one.name: one for one in there if is_floor(one.scored.curve.features)}
    low, high = best.scored.ends[best.position]
    curve = best.scored.curve
    full = curve.full
    alone = Verdict(
        curve.task, curve.area, size, *best.name, measure, best.score, low, high,
        n_full=curve.sizes[full] if full is not None else None,
        full_score=float(best.scored.scores.estimate[full]) if full is not None else None,
    )  # fmt: skip
    return _beside(alone, best, floors) if floors else alone


def _beside(alone: Verdict, best: AtSize, floors: Mapping[Named, AtSize]) -> Verdict:
    """With the best floor, and the certainty of beating every one."""
    name = max(floors, key=lambda own: floors[own].score)
    ends = {own: _gain_ends(best, floor) for own, floor in floors.items()}
    lows = [low for low, _ in ends.values()]
    above = np.logical_and.reduce([(stretched(best.spread.minus(one.spread)) > 0)[:, 0] for one in floors.values()])
    return replace(
        alone, floor=name[0], floor_head=name[1], floor_score=floors[name].score, gain=best.score - floors[name].score,
        gain_low=ends[name][0], gain_high=ends[name][1],
        # An intersection-union test keeps its level without a correction for the number of floors (Berger 1982,
        # doi:10.1080/00401706.1982.10487790).
        least_low=None if None in lows else min(low for low in lows if low is not None),
        certainty=None if None in lows else float(above.mean()),
    )  # fmt: skip


def _gain_ends(best: AtSize, floor: AtSize) -> tuple[float | None, float | None]:
    """Ends of the interval of the gain over one floor.

    They are of the spread's own fits, put about the difference that is shown, which is over plain draws.
    """
    found = paired_difference(best.spread, floor.spread)
    shift = best.score - floor.score - found.estimate
    # Shares of chips differ by 1 at most, whatever a symmetric interval says.
    most = np.inf if best.scored.curve.is_regression else 1.0
    low, high = (None if end is None else float(np.clip(end + shift, -most, most)) for end in (found.low, found.high))
    return low, high


def _at(one: Scored, resampled: Mapping[Named, Scored], size: int) -> AtSize | None:
    places = [at for at, n in enumerate(one.curve.sizes) if n == size and not one.curve.is_full[at]]
    if not places:
        return None
    other = resampled.get((one.curve.features, one.curve.head))
    if other is not None and size in other.curve.sizes:
        return AtSize(one, places[0], other.scores.at(other.curve.sizes.index(size)))
    return AtSize(one, places[0], one.scores.at(places[0]))
