"""How many labels a target score is expected to need."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from terrashot.domain.answers import Foreseen
from terrashot.domain.tasks import task_of
from terrashot.plots.style import BLACK, BLUE, legend_below, new_figure

WORDS = 0.2
"""Room for words beyond the arrows, as a share of the axis."""


def forecast_dots(forecasts: Sequence[Foreseen]) -> Figure:
    """A row a task, area and target: labels known, labels expected, and its 95 % interval; an arrow where that is open."""
    figure = new_figure(7.6, 1.3 + 0.27 * len(forecasts))
    ax = figure.subplots()
    end = 3 * max(n for row in forecasts for n in (row.n_known, row.n_labels, row.low, row.high) if n is not None)
    for at, row in enumerate(forecasts):
        if row.low is not None:
            ax.plot([row.low, row.high or end], [at, at], color=BLUE, lw=1.6)
        if row.low is not None and row.high is None:
            ax.plot(end, at, ">", color=BLUE, ms=5)
        if row.n_labels is not None:
            ax.plot(row.n_labels, at, "o", color=BLUE, ms=6)
        else:
            ax.text(end, at, "   not expected", va="center", fontsize=8)
        ax.plot(row.n_known, at, "|", color=BLACK, ms=9, mew=1.6)
    ax.set_xscale("log")
    if any(row.n_labels is None for row in forecasts):
        ax.set_xlim(right=end * (end / ax.get_xlim()[0]) ** WORDS)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks(range(len(forecasts)), [_name(row) for row in forecasts])
    ax.set_ylim(len(forecasts) - 0.5, -0.5)
    ax.set_xlabel("labelled chips")
    legend_below(figure, _legend())
    return figure


def _name(row: Foreseen) -> str:
    place = task_of(row.task).title if row.area == "all" else f"{task_of(row.task).title}, {row.area}"
    return f"{place} → {row.target:g}"


def _legend() -> dict[str, Line2D]:
    return {
        "labels that it saw": Line2D([], [], color=BLACK, marker="|", ms=9, mew=1.6, ls=""),
        "expected, 95 % interval": Line2D([], [], color=BLUE, marker="o", lw=1.6),
        "open interval": Line2D([], [], color=BLUE, marker=">", ls=""),
    }
