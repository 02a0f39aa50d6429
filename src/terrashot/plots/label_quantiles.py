"""How labels are distributed, and where they are cut (figure 2 of the paper)."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from terrashot.domain.tasks import task_of
from terrashot.plots.style import COLOURS, new_figure

LINES = ("-", "--", "-.", ":")
MOST_POINTS = 1000
"""A line of more points looks no different, and makes an SVG of many megabytes."""


def label_quantiles(
    values: Mapping[tuple[str, str], np.ndarray], cuts: Mapping[tuple[str, str], float | None]
) -> Figure:
    """A panel a target; a line an area, its cut marked.

    Args:
        values: (N,) by target and area; float64 with NaN, or class names.
        cuts: thresholds by target and area.
    """
    targets = list(dict.fromkeys(target for target, _ in values))
    figure = new_figure(0.6 + 3.4 * min(4, len(targets)), 0.6 + 2.9 * -(-len(targets) // 4))
    axes = figure.subplots(-(-len(targets) // 4), min(4, len(targets)), squeeze=False).ravel()
    for ax, target in zip(axes, targets, strict=False):
        own = {area: found for (name, area), found in values.items() if name == target}
        if next(iter(own.values())).dtype == object:
            _class_bars(ax, own)
        else:
            quantile_panel(ax, own, {area: cuts.get((target, area)) for area in own})
            ax.set(xlabel="quantile of chips", ylabel=task_of(target).unit)
        ax.set_title(task_of(target).title)
    for ax in axes[len(targets) :]:
        ax.set_visible(False)
    return figure


def quantile_panel(ax: Axes, values: Mapping[str, np.ndarray], cuts: Mapping[str, float | None]) -> Axes:
    """Sorted values against their quantile; a cut is a dot on its line."""
    for index, (area, found) in enumerate(values.items()):
        known = np.sort(found[~np.isnan(found)])
        shown = np.unique(np.linspace(0, max(0, len(known) - 1), MOST_POINTS).astype(np.int64))[: len(known)]
        share = (shown + 0.5) / max(1, len(known))
        colour = COLOURS[index % len(COLOURS)]
        ax.plot(share, known[shown], color=colour, ls=LINES[index % len(LINES)], lw=1.5, label=area)
        cut = cuts.get(area)
        if cut is not None and len(known):
            ax.plot((known <= cut).mean(), cut, "o", color=colour, mec="black", ms=7, zorder=4)
    ax.legend(fontsize=8)
    return ax


def _class_bars(ax: Axes, values: Mapping[str, np.ndarray]) -> None:
    names = sorted({str(value) for found in values.values() for value in found if value is not None})
    left = np.zeros(len(names))
    for index, (area, found) in enumerate(values.items()):
        counts = Counter(found)
        width = np.array([counts[name] for name in names], dtype=float)
        ax.barh(names, width, left=left, color=COLOURS[index % len(COLOURS)], label=area)
        left += width
    ax.invert_yaxis()
    ax.set(xlabel="chips")
    if len(values) > 1:
        ax.legend(fontsize=8)
