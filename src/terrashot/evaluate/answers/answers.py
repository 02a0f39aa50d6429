"""From the fits to what they answer: means with intervals, labels that are enough, verdicts, and the rest of `Answers`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from threadpoolctl import threadpool_limits

from terrashot.domain.answers import Answers, Claim, EnoughLabels
from terrashot.domain.results import BlockScores, Point, summarize
from terrashot.domain.tables import Chips, Labels
from terrashot.evaluate.answers.claims import claims
from terrashot.evaluate.answers.judged_elsewhere import label_ranges, leaks, moved
from terrashot.evaluate.answers.sentences import sentences
from terrashot.evaluate.certainty.bootstrap import replicate
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.curves import curves_of, weights_for
from terrashot.evaluate.certainty.enough import Scored, best_full, enough
from terrashot.evaluate.certainty.verdict import verdicts
from terrashot.evaluate.forecast.foreseen import foreseen, tested
from terrashot.evaluate.protocol.comparison import POOLED
from terrashot.evaluate.protocol.fewshot import FewshotTables
from terrashot.evaluate.protocol.repeats import BUDGETS

PAPERS_HEAD = "forest"


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """The curves of one task in one area under shared weights, so that their differences are paired."""

    task: str
    area: str
    measure: str
    scored: tuple[Scored, ...]
    resampled: Mapping[tuple[str, str], Scored]
    """By feature set and head."""


def make_answers(tables: FewshotTables, chips: Chips, labels: Labels, seed: int) -> tuple[list[Point], Answers]:
    """The points of every curve with their intervals, and the answers; the same bytes whatever the number of threads."""
    with threadpool_limits(1):
        return _answers(tables, chips, labels, seed)


def _answers(tables: FewshotTables, chips: Chips, labels: Labels, seed: int) -> tuple[list[Point], Answers]:
    points = summarize(tables.fitted.results)
    places = _places(tables, seed)
    points = _with_intervals(points, places)
    counted = [row for place in places for row in _enough(place)]
    found = [
        row for place in places for row in verdicts(place.scored, place.resampled, BUDGETS, place.measure)
    ]  # fmt: skip
    known = [row for row in tables.fitted.results if row.n_labels_asked is not None]
    return points, Answers(
        verdicts=tuple(found), enough=tuple(counted),
        claims=tuple(_claims(places)),
        leakage=tuple(leaks(tables.leakage, seed)), ranges=tuple(label_ranges(chips, labels, seed)),
        transfer=tuple(moved(tables.transfer, seed)), forecasts=tuple(foreseen(known, found, seed)),
        forecast_tests=tuple(tested(known, seed)), sentences=tuple(sentences(counted, points)),
        notes=(*tables.notes, *_untold(chips)),
    )  # fmt: skip


def _untold(chips: Chips) -> list[str]:
    """What these chips cannot tell."""
    has_place = chips.lon_deg is not None or chips.utm is not None
    if has_place or any(group is not None for group in chips.group):
        return []
    return [
        "leakage: chips have neither place nor group: whether test chips lie beside training chips, and so leakage, cannot be told; "
        "intervals are over chips as if none were neighbours"
    ]


def _claims(places: Sequence[Place]) -> list[Claim]:
    """The paper's, tested on its head where the study has it, else on the first; each area once, not in all together."""
    scored = [one for place in places if place.area != POOLED for one in place.scored]
    heads = list(dict.fromkeys(one.curve.head for one in scored))
    head = PAPERS_HEAD if PAPERS_HEAD in heads else heads[0]
    return claims([one for one in scored if one.curve.head == head])


def _places(tables: FewshotTables, seed: int) -> list[Place]:
    plain, again = _by_place(tables.fitted.blocks), _by_place(tables.resampled.blocks)
    measures = {(row.task, row.area): row.measure for row in tables.fitted.results}
    places = []
    for task, area in measures:
        own, others = plain.get((task, area), []), again.get((task, area), [])
        weights = weights_for([*own, *others], seed)
        resampled = {(one.features, one.head): Scored(one, replicate(one, weights)) for one in others}
        scored = tuple(Scored(one, replicate(one, weights)) for one in own)
        places.append(Place(task, area, measures[task, area], scored, resampled))
    return places


def _by_place(scores: Sequence[BlockScores]) -> dict[tuple[str, str], list[Curve]]:
    places: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves_of(scores).values():
        places.setdefault((curve.task, curve.area), []).append(curve)
    return places


def _with_intervals(points: Sequence[Point], places: Sequence[Place]) -> list[Point]:
    ends = {
        (place.task, place.area, one.curve.features, one.curve.head, size, full): own
        for place in places
        for one in place.scored
        for size, full, own in zip(one.curve.sizes, one.curve.is_full, one.ends, strict=True)
    }
    found = [ends[p.task, p.area, p.features, p.head, p.n_labels, p.is_full] for p in points]
    return [replace(point, low=low, high=high) for point, (low, high) in zip(points, found, strict=True)]


def _enough(place: Place) -> list[EnoughLabels]:
    best = best_full(place.scored)
    majorities = {
        m.curve.head: m.full for m in place.scored if m.curve.features == "majority" and m.curve.full is not None
    }
    rows = []
    for one in place.scored:
        names = (place.task, place.area, one.curve.features, one.curve.head)
        rows += [
            EnoughLabels(*names, found.form, found.n_labels, found.low, found.high, one.curve.sizes[-1])
            for found in enough(one, majorities.get(one.curve.head), best)
        ]
    return rows
