"""Accuracy against number of labels (figure 4 of the paper, with its floors)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from terrashot.domain.results import Dot, Point, is_floor
from terrashot.domain.tasks import task_of
from terrashot.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, new_figure

LEARNT = {
    "s2rgbm": (BLUE, "o", "-"), "s1grdm": (VERMILION, "s", "-"), "gunw": (GREEN, "^", "-"), "modsconcat": (BLACK, "D", "-"),
}  # fmt: skip
OTHERS = ((PURPLE, "v", "-"), (ORANGE, "P", "-"), (BLUE, "X", "-"), (VERMILION, "*", "-"))
FLOOR_LINES = {
    "image_stats": "--", "random_conv": "-.", "untrained": ":", "coordinates": (0, (1, 3)), "majority": (0, (6, 4)),
}  # fmt: skip
FULL_SPACE = 1.6
"""The full set stands this factor to the right of the largest size, behind a gap."""


def accuracy_curves(points: Sequence[Point], dots: Sequence[Dot], head: str) -> Figure:
    """A panel a task (rows) and area (columns); lines are feature sets, a band is one spread over the draws."""
    tasks, areas = (list(dict.fromkeys(getattr(p, name) for p in points)) for name in ("task", "area"))
    figure = new_figure(max(6.0, 1.6 + 3.6 * len(areas)), 1.5 + 2.5 * len(tasks))
    axes = figure.subplots(len(tasks), len(areas), squeeze=False, sharex="col")
    for row, task in enumerate(tasks):
        for column, area in enumerate(areas):
            own = [p for p in points if (p.task, p.area, p.head) == (task, area, head) and ":" not in p.features]
            marked = [d for d in dots if (d.task, d.area, d.head) == (task, area, head)]
            accuracy_panel(axes[row, column], own, marked)
            axes[row, column].set_title(f"{task_of(task).title}, {area}")
            axes[row, column].set_ylabel("accuracy" if column == 0 else "")
            axes[row, column].set_xlabel("labelled chips" if row == len(tasks) - 1 else "")
    lines, names = axes[0, 0].get_legend_handles_labels()
    # About two inches a name, so that the legend of a single panel is not cut off.
    columns = max(1, int(figure.get_figwidth() / 2))
    figure.legend(lines, names, loc="outside lower center", ncols=min(5, columns, len(names)))
    return figure


def accuracy_panel(ax: Axes, points: Sequence[Point], dots: Sequence[Dot]) -> Axes:
    """One task in one area. Draws only: no fitting."""
    sizes = sorted({p.n_labels for p in points if not p.is_full})
    full = max((p.n_labels for p in points), default=1)
    right = max([full, *sizes]) * FULL_SPACE
    names = list(dict.fromkeys(p.features for p in points))
    for name in sorted(names, key=is_floor, reverse=True):
        own = sorted((p for p in points if p.features == name), key=lambda p: (p.is_full, p.n_labels))
        _line(ax, name, own, right, others=[n for n in names if not is_floor(n) and n not in LEARNT])
    for dot in dots:
        reached = next((p for p in points if p.features == dot.features and p.n_labels == dot.n_labels), None)
        if reached is not None and not is_floor(dot.features):
            ax.plot(reached.n_labels, reached.accuracy, "o", ms=10, mfc="none", mec=BLACK, mew=1.4, zorder=5)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([*sizes, right]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels([*(f"{size:,}" for size in sizes), f"all\n{full:,}"])
    return ax


def _line(ax: Axes, name: str, own: Sequence[Point], right: float, *, others: Sequence[str]) -> None:
    x = np.array([right if p.is_full else p.n_labels for p in own], dtype=float)
    y, spread = np.array([p.accuracy for p in own]), np.array([p.accuracy_sd for p in own])
    if is_floor(name):
        ax.plot(x, y, color=GREY, lw=1.3, ls=FLOOR_LINES[name], label=f"floor: {name}")
        return
    colour, marker, style = LEARNT.get(name) or OTHERS[others.index(name) % len(OTHERS)]
    ax.plot(x, y, color=colour, marker=marker, ls=style, lw=1.6, ms=4.5, label=name, zorder=3)
    ax.fill_between(x, y - spread, y + spread, color=colour, alpha=0.13, lw=0)
