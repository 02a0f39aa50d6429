"""Figures of the results: curves, the map of embeddings, leakage, transfer, forecasts."""

from collections.abc import Iterator, Sequence
from functools import partial

from terrashot.plots.curves import LOWEST_R2, accuracy_curves
from terrashot.plots.forecast import forecast_dots
from terrashot.plots.leakage import leakage_dots
from terrashot.plots.transfer import common_budget, transfer_matrices
from terrashot.report.absence import absence_figures
from terrashot.report.content import ReportContent
from terrashot.report.embedding_figures import embedding_figures
from terrashot.report.recipe import Recipe

AREAS_A_FIGURE = 4
"""More would be too small to read; they go on in the next figure."""


def of_results(content: ReportContent) -> Iterator[Recipe]:
    """In the page's order."""
    yield from _curves(content)
    yield from _leakage(content)
    yield from _transfer(content)
    if content.answers.forecasts:
        yield Recipe(
            "forecast", "more", "Labels that the next targets need",
            "A row is a target score of a task and area. Black mark: labels that the forecast saw. Dot: labels expected; line: 95 % "
            "interval, with an arrow where it has no upper end. The axis is logarithmic.",
            partial(forecast_dots, content.answers.forecasts),
        )  # fmt: skip
    yield from absence_figures(content.absence.scores if content.absence else ())
    yield from embedding_figures(content)


def _curves(content: ReportContent) -> Iterator[Recipe]:
    heads, areas = (list(dict.fromkeys(getattr(p, name) for p in content.points)) for name in ("head", "area"))
    below = f" R2 below {LOWEST_R2:g} is cut off." if "R2" in content.measures.values() else ""
    has_interval = any(p.low is not None for p in content.points)
    bands = "the 95 % interval over draws and test blocks" if has_interval else "one standard deviation"
    for head in heads:
        for end, more, some in _parts(areas):
            yield Recipe(
                f"curves-{head}{end}", "curves", f"Score against number of labels: {head}{more}",
                "Rows are tasks, columns areas. Coloured lines with markers: embeddings of one modality, and all of them "
                "(modsconcat). Grey lines: the floors, simple features that an embedding must beat. Lines are means over the draws, "
                f"bands {bands}. A black ring marks the smallest number of labels that reaches 95 % of the score with all labels. All "
                f"lines share the same chips and the same draws. The axis of labels is logarithmic.{below}",
                partial(accuracy_curves, [p for p in content.points if p.area in some], content.dots, head),
                is_folded=head != heads[0],
            )  # fmt: skip


def _leakage(content: ReportContent) -> Iterator[Recipe]:
    answers = content.answers
    for end, more, some in _parts(list(dict.fromkeys(row.area for row in answers.leakage))):
        yield Recipe(
            f"leakage{end}", "elsewhere", f"Where the training chips lie{more}",
            "The same test chips throughout; a row is where the training chips are drawn from, a marker the score at the same number "
            "of labels, with its 95 % interval. Dotted: the embedding under the study's own split; markers to the right of it are "
            "optimistic. In the titles, how far apart chips must lie for their labels to be unlike each other.",
            partial(leakage_dots, answers.leakage, answers.ranges, content.measures, some),
        )  # fmt: skip


def _transfer(content: ReportContent) -> Iterator[Recipe]:
    moved = content.answers.transfer
    budget = common_budget(moved)
    # Numbered, not named: a feature set may bear any name, and a file may not.
    for number, features in enumerate(dict.fromkeys(row.features for row in moved), start=1):
        yield Recipe(
            f"transfer-{number}", "transfer", f"Labels from elsewhere: {features}",
            f"Rows: the area whose {budget:,} labels are used; columns: the area whose test chips are judged; framed: its own labels. "
            "Lighter is better. Hatched: not tried.",
            partial(transfer_matrices, moved, content.measures, features), is_folded=number > 1,
        )  # fmt: skip


def _parts(areas: Sequence[str]) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Some areas at a time, with the end of their file's name and of their title."""
    for number, start in enumerate(range(0, len(areas), AREAS_A_FIGURE), start=1):
        end, more = (f"-{number}", f", part {number}") if number > 1 else ("", "")
        yield end, more, areas[start : start + AREAS_A_FIGURE]
