"""The embedding beside the floors, with the interval of the gain, and whether it meets the bar.

Of a feature set and a number of labels the head counts that is the better on validation chips. The gain is over the floor with
the highest score of all, which is the strictest; the floor that validation chips would choose stands beside it. The bar is held
against every floor alone, and once more against image statistics, histograms and patterns put together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from real_chips import DATA_SETS, TEN_CLASSES
from real_scores import HEADS, Judged, Outcome, by_task

from terrashot.evaluate.certainty.bootstrap import Replicates, make_weights, replicate
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.intervals import paired_difference
from terrashot.evaluate.protocol.sampling import seed_of

EMBEDDING, WITH_STATISTICS, TOGETHER = "embedding", "embedding+image_stats", "together"
BUDGETS = (100, 250)
"""Numbers of labels at which the bar is held."""
TEN_CLASSES_GAIN = 0.10
NEARLY_ALL, ALLOWED_LOSS = 0.95, 0.005
SEED = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """A feature set at one number of labels, with the head that is better on validation chips."""

    features: str
    head: str
    val: float
    """Mean over draws."""
    score: float
    """Of the split that is told of."""
    score_sd: float
    """Over draws."""


@dataclass(frozen=True, slots=True)
class Gain:
    """How far the embedding is above a floor."""

    floor: Chosen
    estimate: float
    low: float | None
    """95 % interval over draws and groups, paired."""
    high: float | None
    meets_bar: bool | None
    """None: no bar is held here."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The embedding beside the floors on one task, at one number of labels."""

    data_set: str
    target: str
    view: str
    n_labels: int
    embedding: Chosen
    with_statistics: Chosen
    floor: Chosen
    """The best single floor on validation chips."""
    over_highest: Gain
    """Over the single floor with the highest score."""
    over_together: Gain

    @property
    def task(self) -> str:
        """As `Outcome.task`."""
        return f"{self.data_set}, {self.target}, {self.view}"


def meets_bar(task: tuple[str, str], n_labels: int, *, floor: float, gain: float, low: float | None) -> bool | None:
    """Whether a gain suffices; None where no bar is held.

    The interval must lie above 0, and of EuroSAT's ten classes the gain must be 10 points; where the floor is above 0.95
    the gain must not be below -0.5 points.

    Args:
        task: data set and target.
    """
    if n_labels not in BUDGETS or not DATA_SETS[task[0]].has_bar:
        return None
    if floor > NEARLY_ALL:
        return gain >= -ALLOWED_LOSS
    least = TEN_CLASSES_GAIN if task == TEN_CLASSES else 0.0
    return low is not None and low > 0 and gain >= least


def compare(found: Sequence[Outcome], split: str) -> list[Compared]:
    """Every task at every number of labels."""
    return [
        _compare(outcomes, size, split)
        for outcomes in by_task(found).values()
        for size in range(len(next(iter(outcomes.values())).sizes))
    ]


def choose(outcome: Outcome, size: int, split: str) -> tuple[Chosen, int]:
    """The feature set with the better head, and the head's number."""
    val = outcome.val.accuracy[:, size].mean(axis=1)
    head, scores = int(val.argmax()), judged_of(outcome, split).accuracy
    own = scores[head, size]
    spread = float(own.std(ddof=1)) if len(own) > 1 else 0.0
    return Chosen(outcome.features, HEADS[head], float(val[head]), float(own.mean()), spread), head


def judged_of(outcome: Outcome, split: str) -> Judged:
    """Validation or test chips."""
    return outcome.val if split == "val" else outcome.test


def _compare(outcomes: Mapping[str, Outcome], size: int, split: str) -> Compared:
    chosen = {name: choose(outcome, size, split)[0] for name, outcome in outcomes.items()}
    floors = [own for name, own in chosen.items() if name not in (EMBEDDING, WITH_STATISTICS, TOGETHER)]
    highest, outcome = max(floors, key=lambda own: own.score), outcomes[EMBEDDING]
    return Compared(
        outcome.data_set, outcome.target, outcome.view, outcome.sizes[size], chosen[EMBEDDING], chosen[WITH_STATISTICS],
        max(floors, key=lambda own: own.val),
        *(_gain(outcomes, size, split, over=floor) for floor in (highest, chosen[TOGETHER])),
    )  # fmt: skip


def _gain(outcomes: Mapping[str, Outcome], size: int, split: str, *, over: Chosen) -> Gain:
    own = outcomes[EMBEDDING]
    found = paired_difference(*(_replicates(one, size, split) for one in (own, outcomes[over.features])))
    task, n_labels = (own.data_set, own.target), own.sizes[size]
    bar = meets_bar(task, n_labels, floor=over.score, gain=found.estimate, low=found.low)
    return Gain(over, found.estimate, found.low, found.high, bar)


def _replicates(outcome: Outcome, size: int, split: str) -> Replicates:
    """Under weights that are the same for every feature set of a task."""
    judged, head = judged_of(outcome, split), choose(outcome, size, split)[1]
    table = judged.correct[head, size]
    curve = Curve(
        outcome.target, outcome.data_set, outcome.features, HEADS[head], (outcome.sizes[size],), (False,), (table,),
        judged.n,
    )  # fmt: skip
    rng = np.random.default_rng(seed_of(SEED, "real_labels", outcome.task, split))
    return replicate(curve, make_weights(len(table), len(judged.n), rng))
