"""How many labels are enough, and what the simple features do with as many."""

from collections.abc import Mapping, Sequence

from terrashot.domain.answers import EnoughLabels
from terrashot.domain.results import Point, is_floor
from terrashot.domain.tasks import task_of
from terrashot.report.blocks import DASH, Html, Table, join, paragraph, table_or_folded
from terrashot.report.content import ReportContent
from terrashot.report.numbers import count, count_between, score

FORMS = {
    "dot": "95 % of all labels", "crossing": "where the curve crosses", "skill": "95 % of the skill", "common": "95 % of the best",
}  # fmt: skip
CurveName = tuple[str, str, str, str]


def enough_labels(content: ReportContent) -> Html:
    """The four forms of the 95 % point, of each curve."""
    curves: dict[CurveName, dict[str, EnoughLabels]] = {}
    for row in content.answers.enough:
        curves.setdefault((row.task, row.area, row.features, row.head), {})[row.form] = row
    rows = [_enough_row(name, forms) for name, forms in curves.items() if _is_of_interest(name[2])]
    if not rows:
        return Html("")
    text = (
        "`95 % of all labels`: the smallest number of labels whose mean score reaches 95 % of that with all labels (the paper's "
        "dot). `where the curve crosses`: where a curve that may only rise crosses that line. `95 % of the skill`: the same for "
        "the skill above always guessing the commoner class, which is stricter: with chance at 0.5 the first is lenient. "
        "`95 % of the best`: the same line for all, 95 % of what the best embedding has with all labels. In brackets the 95 % "
        "interval. A dash: not reached with all labels, or not told."
    )
    head = ("task", "area", "features", "head", *(f"#{name}" for name in FORMS.values()), "#all labels")
    return join([paragraph(text), table_or_folded(Table("Labels that are enough", head, rows))])


def _enough_row(name: CurveName, forms: Mapping[str, EnoughLabels]) -> list[str]:
    task, area, features, head = name
    found = [forms.get(form) for form in FORMS]
    numbers = [count_between(row.n_labels, row.low, row.high) if row else DASH for row in found]
    return [task_of(task).title, area, features, head, *numbers, count(max(row.n_full for row in forms.values()))]


def beside_floors(content: ReportContent) -> Html:
    """Every curve's scores at every size."""
    sizes = sorted({p.n_labels for p in content.points if not p.is_full})
    curves: dict[CurveName, dict[int | None, Point]] = {}
    for point in content.points:
        if ":" not in point.features:
            own = curves.setdefault((point.task, point.area, point.features, point.head), {})
            own[None if point.is_full else point.n_labels] = point
    rows = [_floor_row(name, own, sizes) for name, own in curves.items()]
    if not rows:
        return Html("")
    text = (
        "Mean score over the draws, with its 95 % interval, or ± one standard deviation where there is none. `image_stats`: mean, "
        "spread, quantiles and gradients of each channel. `random_conv`: 512 random patches of training chips as filters. "
        "`untrained`: the same towers before training. `coordinates`: longitude and latitude. `majority`: always the commoner "
        "class."
    )
    head = ("task", "area", "features", "head", *(f"#{count(size)}" for size in sizes), "#all")
    return join([paragraph(text), table_or_folded(Table("Scores by number of labels", head, rows))])


def _floor_row(name: CurveName, own: Mapping[int | None, Point], sizes: Sequence[int]) -> list[str]:
    task, *names = name
    full = own.get(None)
    return [
        task_of(task).title,
        *names,
        *(_spread(own.get(size)) for size in sizes),
        score(full.score if full else None),
    ]


def _is_of_interest(features: str) -> bool:
    """All but the majority, which learns nothing, and the parts of a floor."""
    return features != "majority" and not (is_floor(features) and ":" in features)


def _spread(point: Point | None) -> str:
    if point is None:
        return DASH
    if point.low is not None and point.high is not None:
        return f"{point.score:.3f} ({point.low:.3f} to {point.high:.3f})"
    return f"{point.score:.3f} ± {point.score_sd:.3f}"
