"""Score against number of labels (figure 4 of the paper, with its floors)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from terrashot.domain.results import Dot, Point, is_floor
from terrashot.domain.tasks import task_of
from terrashot.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILION,
    legend_below,
    named_lines,
    new_figure,
)

LEARNT = {
    "s2rgbm": (BLUE, "o", "-"), "s1grdm": (VERMILION, "s", "-"), "gunw": (GREEN, "^", "-"), "modsconcat": (BLACK, "D", "-"),
}  # fmt: skip
OTHERS = ((PURPLE, "v", "-"), (ORANGE, "P", "-"), (BLUE, "X", "-"), (VERMILION, "*", "-"))
FLOOR_LINES = {
    "image_stats": "--", "random_conv": "-.", "untrained": ":", "coordinates": (0, (1, 3)), "majority": (0, (6, 4)),
}  # fmt: skip
FULL_SPACE = 1.8
"""The full set stands this factor to the right of the largest size, behind a gap."""
RING = "95 % of its score with all labels"
LOWEST_R2 = -0.5
"""A head with too few labels can be worse than the mean by any amount; the curve's end matters more."""
LETTER, GAP = 0.024, 0.012
"""Width of a letter and of a space between numbers, as shares of a panel's width."""


def accuracy_curves(points: Sequence[Point], dots: Sequence[Dot], head: str) -> Figure:
    """A panel a task (rows) and area (columns); lines are feature sets.

    A band is the 95 % interval over draws and test blocks, or one standard deviation over the draws where there is none.
    """
    own = [p for p in points if p.head == head and ":" not in p.features]
    tasks, areas = (list(dict.fromkeys(getattr(p, name) for p in own)) for name in ("task", "area"))
    figure = new_figure(max(6.0, 0.9 + 3.1 * len(areas)), 1.4 + 2.4 * len(tasks))
    axes = figure.subplots(len(tasks), len(areas), squeeze=False, sharex="col", sharey="row")
    learnt = list(dict.fromkeys(p.features for p in own if not is_floor(p.features)))
    for column, area in enumerate(areas):
        here = [p for p in own if p.area == area]
        for ax, task in zip(axes[:, column], tasks, strict=True):
            marked = [d for d in dots if (d.task, d.area, d.head) == (task, area, head)]
            accuracy_panel(ax, [p for p in here if p.task == task], marked, learnt=learnt, right=_right(here))
            ax.set_title(f"{task_of(task).title}, {area}")
        _number_axis(axes[-1, column], here)
    for ax, task in zip(axes[:, 0], tasks, strict=True):
        _measure_axis(ax, next(p.measure for p in own if p.task == task))
    legend_below(figure, _legend(axes.ravel()))
    return figure


def accuracy_panel(
    ax: Axes, points: Sequence[Point], dots: Sequence[Dot], *, learnt: Sequence[str], right: float
) -> Axes:
    """One task in one area, all labels at `right`. Draws only: no fitting."""
    for name in sorted(dict.fromkeys(p.features for p in points), key=is_floor, reverse=True):
        own = sorted((p for p in points if p.features == name), key=lambda p: (p.is_full, p.n_labels))
        _line(ax, name, own, right, learnt)
    for dot in dots:
        reached = [p for p in points if p.features == dot.features and p.n_labels == dot.n_labels and not p.is_full]
        if reached and not is_floor(dot.features):
            ax.plot(
                reached[0].n_labels, reached[0].score, "o", ms=11, mfc="none", mec=BLACK, mew=1.4, zorder=5, label=RING
            )
    return ax


def _line(ax: Axes, name: str, own: Sequence[Point], right: float, learnt: Sequence[str]) -> None:
    x = np.array([right if p.is_full else p.n_labels for p in own], dtype=float)
    y = np.array([p.score for p in own])
    if is_floor(name):
        ax.plot(x, y, color=GREY, lw=1.3, ls=FLOOR_LINES[name], label=f"floor: {name}")
        return
    others = [other for other in learnt if other not in LEARNT]
    colour, marker, style = LEARNT.get(name) or OTHERS[others.index(name) % len(OTHERS)]
    ax.plot(x, y, color=colour, marker=marker, ls=style, lw=1.6, ms=4.5, label=name, zorder=3)
    low, high = np.array([_band(p) for p in own]).T
    ax.fill_between(x, low, high, color=colour, alpha=0.1, lw=0)


def _band(point: Point) -> tuple[float, float]:
    if point.low is not None and point.high is not None:
        return point.low, point.high
    return point.score - point.score_sd, point.score + point.score_sd


def _right(points: Sequence[Point]) -> float:
    return max((p.n_labels for p in points), default=1) * FULL_SPACE


def _measure_axis(ax: Axes, measure: str) -> None:
    """After all panels of the row, whose axis it is: a limit that is set no longer grows."""
    ax.set_ylabel(measure)
    if measure == "R2":
        ax.set_ylim(bottom=max(LOWEST_R2, ax.get_ylim()[0]))


def _number_axis(ax: Axes, points: Sequence[Point]) -> None:
    sizes = sorted({p.n_labels for p in points if not p.is_full})
    full = max((p.n_labels for p in points), default=1)
    right = _right(points)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([*sizes, right]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels(_numbers(sizes, full, right), fontsize=7.5)
    ax.set_xlabel("labelled chips")


def _numbers(sizes: Sequence[int], full: int, right: float) -> list[str]:
    """The sizes in words; nothing where the number would lie on the one before, or on that of all labels."""
    last = f"all\n{full:,}"
    end, span = np.log(right) - np.log(sizes[0] if sizes else 1), len(f"{full:,}")
    words, before = [], (-1.0, 0)
    for size in sizes:
        word = f"{size // 1000}K" if size >= 1000 and size % 1000 == 0 else f"{size:,}"
        at = (np.log(size) - np.log(sizes[0])) / end
        is_free = at - before[0] >= _apart(before[1], len(word)) and 1 - at >= _apart(len(word), span)
        words.append(word if is_free else "")
        before = (at, len(word)) if is_free else before
    return [*words, last]


def _apart(left: int, right: int) -> float:
    return LETTER * (left + right) / 2 + GAP


def _legend(axes: np.ndarray) -> dict[str, Artist]:
    """The embeddings first, then the floors, then the ring."""
    return dict(sorted(named_lines(axes).items(), key=lambda item: (item[0] == RING, item[0].startswith("floor"))))
