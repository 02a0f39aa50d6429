"""How much a score owes to training chips beside the test chips: the same test chips under each scheme."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from terrashot.domain.answers import LabelRange, Leak
from terrashot.domain.results import is_floor
from terrashot.domain.tasks import task_of
from terrashot.plots.style import BLACK, COLOURS, MARKERS, VERMILION, legend_below, named_lines, new_figure

ADJOINING = "_adjoining"
APART = 0.22
"""Between the feature sets of one scheme, in rows."""


def scheme_title(scheme: str) -> str:
    """A scheme as a person would say it."""
    titles = {"leave_area_out": "other areas", "random": "random chips"}
    if scheme.endswith(ADJOINING):
        return f"{scheme.removesuffix(ADJOINING)}, adjoining"
    return titles.get(scheme, scheme)


def leakage_dots(
    leaks: Sequence[Leak], ranges: Sequence[LabelRange], measures: Mapping[str, str], areas: Sequence[str]
) -> Figure:
    """A panel a task (rows) and area (columns), at its largest number of labels; a row a scheme, a marker a feature set.

    Args:
        measures: name of the score by task.
    """
    own = [leak for leak in leaks if leak.area in areas]
    tasks, schemes, features = (_distinct(own, name) for name in ("task", "scheme", "features"))
    figure = new_figure(max(6.0, 1.6 + 2.9 * len(areas)), 0.9 + (0.9 + 0.36 * len(schemes)) * len(tasks))
    axes = figure.subplots(len(tasks), len(areas), squeeze=False, sharey=True, sharex="row")
    kilometres = {(row.task, row.area): row.range_km for row in ranges}
    for row, task in enumerate(tasks):
        for ax, area in zip(axes[row], areas, strict=True):
            here = [leak for leak in own if (leak.task, leak.area) == (task, area)]
            leakage_panel(ax, _largest(here), schemes, features)
            ax.set_title(f"{task_of(task).title}, {area}{_range(kilometres.get((task, area)))}", fontsize=9)
            ax.set_xlabel(_labelled(measures.get(task, "score"), here))
    legend_below(figure, named_lines(axes.ravel()))
    return figure


def leakage_panel(ax: Axes, leaks: Sequence[Leak], schemes: Sequence[str], features: Sequence[str]) -> Axes:
    """One task in one area; the study's own scheme is dotted through."""
    for index, name in enumerate(features):
        shift = APART * (index - (len(features) - 1) / 2)
        own = [leak for leak in leaks if leak.features == name]
        colour = BLACK if index == 0 else VERMILION if index == 1 else COLOURS[index % len(COLOURS)]
        rows = [schemes.index(leak.scheme) + shift for leak in own]
        for leak, row in zip(own, rows, strict=True):
            if leak.low is not None and leak.high is not None:
                ax.plot([leak.low, leak.high], [row, row], color=colour, lw=1.4)
            if leak.optimism is None and not is_floor(name):
                ax.axvline(leak.score, color=colour, lw=0.8, ls=":")
        face = colour if index == 0 else "white"
        marker = MARKERS[index % len(MARKERS)]
        ax.plot([leak.score for leak in own], rows, marker, color=colour, mfc=face, ms=5.5, label=name)
    ax.set_yticks(range(len(schemes)), [scheme_title(scheme) for scheme in schemes])
    ax.set_ylim(len(schemes) - 0.5, -0.5)
    ax.locator_params(axis="x", nbins=5)
    return ax


def _distinct(leaks: Sequence[Leak], name: str) -> list[str]:
    return list(dict.fromkeys(getattr(leak, name) for leak in leaks))


def _largest(leaks: Sequence[Leak]) -> list[Leak]:
    most = max((leak.n_labels for leak in leaks), default=0)
    return [leak for leak in leaks if leak.n_labels == most]


def _labelled(measure: str, leaks: Sequence[Leak]) -> str:
    return f"{measure} with {max(leak.n_labels for leak in leaks):,} labels" if leaks else measure


def _range(kilometres: float | None) -> str:
    return "" if kilometres is None else f"\nlabels alike within {kilometres:.3g} km"
