"""What absences cost: the change of the score by what is left out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from terrashot.domain.absence_scores import AbsenceScore, at_budget
from terrashot.domain.tasks import task_of
from terrashot.plots.style import BLACK, BLUE, GREEN, VERMILION, legend_below, named_lines, new_figure

GROUPS = {"modality": "modalities", "kind": "kinds of channel", "month": "months", "pairs": "pairs"}
"""Cases that are drawn, in this order, with their headings; single channels and dropped chips stand in the table alone."""
PANELS_ACROSS = 4
APART = 0.24
"""Between the markers of one row, in rows."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How one answer and strategy is drawn."""

    label: str
    marker: str
    colour: str
    is_filled: bool


MARKS = {
    ("met", "rest"): Mark("met, what is left stands for it", "o", BLACK, True),
    ("met", "training-mean"): Mark("met, training mean in its place", "s", VERMILION, False),
    ("met", "ridge"): Mark("met, ridge in its place", "s", BLUE, True),
    ("learnt", ""): Mark("learnt without it", "^", GREEN, False),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the picture: something that is left out, or the heading of a group."""

    case: str
    left_out: str
    """Empty: a heading."""


def absence_dots(scores: Sequence[AbsenceScore]) -> Figure:
    """A panel a task, of the scores of one area; a row is what is left out, a marker what was done about it."""
    own = [row for row in at_budget(scores) if row.case in GROUPS and row.strategy != "drop"]
    tasks, lines = list(dict.fromkeys(row.task for row in own)), lines_of(own)
    across = min(PANELS_ACROSS, max(1, len(tasks)))
    down = max(1, math.ceil(len(tasks) / across))
    figure = new_figure(max(6.0, 1.5 + 2.3 * across), down * (0.9 + 0.23 * len(lines)) + 0.6)
    axes = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for ax, task in zip(axes, tasks, strict=False):
        here = [row for row in own if row.task == task]
        absence_panel(ax, here, lines)
        ax.set(title=task_of(task).title, xlabel=_axis_label(here))
    for ax in axes[len(tasks) :]:
        ax.set_visible(False)
    _share_scale(list(axes[: len(tasks)]), [next(row.measure for row in own if row.task == task) for task in tasks])
    legend_below(figure, named_lines(axes))
    return figure


def absence_panel(ax: Axes, scores: Sequence[AbsenceScore], lines: Sequence[Line]) -> Axes:
    """One task in one area: the change in points with its 95 % interval."""
    ax.axvline(0, color=BLACK, lw=0.9)
    place = {(line.case, line.left_out): row for row, line in enumerate(lines) if line.left_out}
    for key, mark in MARKS.items():
        own = [row for row in scores if mark_of(row) == key]
        rows = [place[row.case, row.left_out] + _shift(key, row, scores) for row in own]
        for score, row in zip(own, rows, strict=True):
            if score.change_low is not None and score.change_high is not None:
                ax.plot([100 * score.change_low, 100 * score.change_high], [row, row], color=mark.colour, lw=1.1)
        if own:
            face = mark.colour if mark.is_filled else "white"
            changes = [100 * row.change for row in own]
            ax.plot(changes, rows, mark.marker, color=mark.colour, mfc=face, ms=4.5, label=mark.label, zorder=3)
    _name_rows(ax, lines)
    return ax


def mark_of(row: AbsenceScore) -> tuple[str, str]:
    """The key of a row's mark."""
    return (row.answer, row.strategy if row.answer == "met" else "")


def lines_of(scores: Sequence[AbsenceScore]) -> list[Line]:
    """Headings and what stands under them: the costliest first, by the mean over all that is shown; months as they come."""
    lines: list[Line] = []
    for case, heading in GROUPS.items():
        own = [row for row in scores if row.case == case]
        names = list(dict.fromkeys(row.left_out for row in own))
        if case != "month":
            cost = {name: [row.change for row in own if row.left_out == name] for name in names}
            names.sort(key=lambda name: sum(cost[name]) / len(cost[name]))
        lines += [Line(heading, ""), *(Line(case, name) for name in names)] if names else []
    return lines


def _shift(key: tuple[str, str], row: AbsenceScore, scores: Sequence[AbsenceScore]) -> float:
    """How far a marker stands below the middle of its row, so that none hides another."""
    there = {mark_of(other) for other in scores if (other.case, other.left_out) == (row.case, row.left_out)}
    beside = [mark for mark in MARKS if mark in there]
    return APART * (beside.index(key) - (len(beside) - 1) / 2)


def _name_rows(ax: Axes, lines: Sequence[Line]) -> None:
    headings = [row for row, line in enumerate(lines) if not line.left_out]
    ax.set_ylim(len(lines) - 0.4, -0.6)
    ax.set_yticks(range(len(lines)), [line.left_out.replace(", ", " + ") for line in lines], fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    for row in headings:
        # A heading is no tick: it is bold, and stands where the names of its rows begin.
        ax.axhline(row - 0.5, color="#bbbbbb", lw=0.7)
        ax.annotate(
            lines[row].case, (0, row), xycoords=("axes fraction", "data"), xytext=(-4, 0), textcoords="offset points",
            ha="right", va="center", fontsize=8, fontweight="bold", annotation_clip=False, visible=_is_outer(ax),
        )  # fmt: skip


def _share_scale(axes: Sequence[Axes], measures: Sequence[str]) -> None:
    """One scale for all panels of a measure, so that tasks can be compared."""
    for measure in set(measures):
        own = [ax for ax, its in zip(axes, measures, strict=True) if its == measure]
        lows, highs = zip(*(ax.get_xlim() for ax in own), strict=True)
        for ax in own:
            ax.set_xlim(min(lows), max(highs))


def _is_outer(ax: Axes) -> bool:
    """Whether the panel bears the names of the rows."""
    place = ax.get_subplotspec()
    return place is None or place.is_first_col()


def _axis_label(scores: Sequence[AbsenceScore]) -> str:
    measure, n_labels = scores[0].measure, scores[0].n_labels
    return f"change of {measure}, points\n({n_labels:,} labels)"
