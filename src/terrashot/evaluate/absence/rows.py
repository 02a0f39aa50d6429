"""From block scores to rows: each case beside nothing left out, under the same weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from terrashot.domain.absence_scores import AbsenceScore
from terrashot.domain.results import BlockScores
from terrashot.evaluate.absence.cases import Case
from terrashot.evaluate.absence.likeness import Likeness
from terrashot.evaluate.certainty.bootstrap import replicate
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.curves import curves_of, weights_for
from terrashot.evaluate.certainty.enough import Scored
from terrashot.evaluate.certainty.intervals import paired_difference


@dataclass(frozen=True, slots=True)
class Told:
    """What a row says beside its scores."""

    case: Case
    answer: str
    strategy: str
    features: str
    likeness: Likeness
    absent_share: float


def rows_of(area: str, blocks: Sequence[BlockScores], told: Mapping[str, Told], seed: int) -> Iterator[AbsenceScore]:
    """A row a version, task and number of labels.

    Args:
        told: by key of the version; the first one leaves nothing out.
    """
    by_task: dict[str, dict[str, Curve]] = {}
    for curve in curves_of(blocks).values():
        by_task.setdefault(curve.task, {})[curve.features] = curve
    for curves in by_task.values():
        weights = weights_for(list(curves.values()), seed)
        scored = {key: Scored(curve, replicate(curve, weights)) for key, curve in curves.items()}
        whole = scored[next(iter(told))]
        for key, own in told.items():
            yield from _rows(area, scored[key], whole, own)


def _rows(area: str, scored: Scored, whole: Scored, told: Told) -> Iterator[AbsenceScore]:
    curve = scored.curve
    for at, size in enumerate(curve.sizes):
        difference = paired_difference(scored.scores.at(at), whole.scores.at(at))
        yield AbsenceScore(
            curve.task, area, told.case.kind, told.case.title, told.answer, told.strategy, told.features, curve.head,
            "R2" if curve.is_regression else "accuracy", size, curve.is_full[at], int(curve.repeats[at]), int(curve.n.sum()),
            told.absent_share, float(scored.scores.estimate[at]), *scored.ends[at],
            difference.estimate, difference.low, difference.high,
            told.likeness.cosine, told.likeness.cosine_low5, *(told.likeness.recall[k] for k in (1, 5, 10)),
        )  # fmt: skip
