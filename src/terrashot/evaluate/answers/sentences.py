"""How many labels are enough, in words."""

from collections.abc import Sequence

from terrashot.domain.answers import EnoughLabels
from terrashot.domain.results import Point, is_floor
from terrashot.domain.tasks import task_of

FORM = "common"
"""All are measured against one target, so that feature sets can be compared in one sentence."""


def sentences(rows: Sequence[EnoughLabels], points: Sequence[Point]) -> list[str]:
    """One a task and area: what the best embedding needs, and what the best floor does."""
    found = []
    for task, area in dict.fromkeys((row.task, row.area) for row in rows):
        own = [row for row in rows if (row.task, row.area, row.form) == (task, area, FORM)]
        learnt = _fewest([row for row in own if not is_floor(row.features)])
        floor = _fewest([row for row in own if is_floor(row.features)])
        if learnt is not None:
            measure = next(point.measure for point in points if (point.task, point.area) == (task, area))
            found.append(_sentence(learnt, floor, measure, _above_majority(learnt, rows)))
    return found


def _fewest(rows: Sequence[EnoughLabels]) -> EnoughLabels | None:
    reached = [row for row in rows if row.n_labels is not None]
    return min(reached, key=lambda row: row.n_labels or 0.0, default=None)


def _above_majority(learnt: EnoughLabels, rows: Sequence[EnoughLabels]) -> EnoughLabels | None:
    """What the same curve needs for 95 % of its skill."""
    names = (learnt.task, learnt.area, learnt.features, learnt.head)
    own = (row for row in rows if (row.task, row.area, row.features, row.head) == names and row.form == "skill")
    return next(own, None)


def _sentence(learnt: EnoughLabels, floor: EnoughLabels | None, measure: str, skill: EnoughLabels | None) -> str:
    title = task_of(learnt.task).title
    place = f"{title} in {learnt.area}" if learnt.area != "all" else title
    if floor is not None and floor.features == "majority":
        return f"{place}: {_beside_majority(learnt, measure, skill)}"
    beside = (
        f"{floor.features} need{_s(floor.features)} {_count(floor)}" if floor else "no simple feature set gets there"
    )
    return (
        f"{place}: {_count(learnt)} labels{_between(learnt)} of {learnt.features} ({learnt.head}) reach 95 % of the {measure} that "
        f"the best embedding has with all {learnt.n_full:,}; {beside}"
    )


def _beside_majority(learnt: EnoughLabels, measure: str, skill: EnoughLabels | None) -> str:
    """Where guessing reaches the target, the labels that a curve needs to get there say nothing."""
    guess = (
        f"the most common class alone has 95 % of the {measure} that the best embedding has with all {learnt.n_full:,}"
    )
    name = f"{learnt.features} ({learnt.head})"
    if skill is None or skill.n_labels is None:
        return f"{guess}; with all of them {name} adds too little to say how many give 95 % of it"
    return f"{guess}; 95 % of what {name} adds to it takes {_count(skill)} labels{_between(skill)}"


def _s(name: str) -> str:
    return "" if name in ("image_stats", "coordinates") else "s"


def _count(row: EnoughLabels) -> str:
    n = row.n_labels or 0.0
    digits = max(0, len(str(int(n))) - 2)
    return f"{round(n, -digits):,.0f}"


def _between(row: EnoughLabels) -> str:
    if row.low is None:
        return ""
    digits = max(0, len(str(int(row.low))) - 2)
    low = f"{round(row.low, -digits):,.0f}"
    return (
        f" ({low} or more)"
        if row.high is None
        else f" ({low} to {round(row.high, -max(0, len(str(int(row.high))) - 2)):,.0f})"
    )
