"""Labels of one area used in another: a matrix of training area by test area."""

import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from terrashot.domain.answers import Moved
from terrashot.domain.tasks import task_of
from terrashot.plots.style import new_figure

MOST_WRITTEN = 8
"""Areas a side up to which each cell bears its number."""


def common_budget(moved: Sequence[Moved]) -> int:
    """The largest number of labels that every training area has alone, or that most of them have."""
    counts: dict[int, int] = {}
    for row in moved:
        if is_alone(row):
            counts[row.n_labels] = counts.get(row.n_labels, 0) + 1
    return max(counts, key=lambda n: (counts[n], n), default=0)


def is_alone(row: Moved) -> bool:
    """Whether the labels are of one area only: foreign, or all local."""
    return row.n_local in (0, row.n_labels)


def transfer_matrices(moved: Sequence[Moved], measures: Mapping[str, str], features: str) -> Figure:
    """A panel a task at the common number of labels; rows are where the labels are from, columns where the test is.

    Args:
        measures: name of the score by task.
    """
    budget = common_budget(moved)
    own = [row for row in moved if is_alone(row) and row.n_labels == budget and row.features == features]
    tasks = list(dict.fromkeys(row.task for row in own))
    # An area that is left out is tested alone, and the others teach alone.
    areas = list(dict.fromkeys([*(row.area for row in own), *(row.train_area for row in own)]))
    side = max(2.2, 0.5 * len(areas))
    across = math.ceil(len(tasks) ** 0.5)
    down = -(-len(tasks) // across)
    figure = new_figure(max(5.0, (side + 1.7) * across), (side + 1.1) * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, task in zip(axes, tasks, strict=False):
        table = _table([row for row in own if row.task == task], areas)
        scale = _scale([row.score for row in own if measures.get(row.task) == measures.get(task)])
        drawn = transfer_panel(ax, table, areas, scale)
        ax.set_title(task_of(task).title)
        figure.colorbar(drawn, ax=ax, label=f"{measures.get(task, 'score')} with {budget:,} labels", shrink=0.8)
    for ax in axes[len(tasks) :]:
        ax.set_visible(False)
    return figure


def transfer_panel(ax: Axes, table: Float64[np.ndarray, "A A"], areas: Sequence[str], scale: Normalize) -> AxesImage:
    """One task; NaN where no such labels were tried. The diagonal is framed."""
    drawn = ax.imshow(table, cmap="cividis", norm=scale)
    ax.patch.set(hatch="///", edgecolor="#bbbbbb")
    ax.grid(visible=False)
    ax.set_xticks(range(len(areas)), areas, rotation=45, ha="right", fontsize=8)
    ax.set_yticks(range(len(areas)), areas, fontsize=8)
    ax.set(xlabel="tested in", ylabel="labels from")
    for row in range(len(areas)):
        ax.add_patch(mpl.patches.Rectangle((row - 0.5, row - 0.5), 1, 1, fill=False, ec="black", lw=1.2))
        for column in range(len(areas) if len(areas) <= MOST_WRITTEN else 0):
            _write(ax, row, column, float(table[row, column]), scale)
    return drawn


def _write(ax: Axes, row: int, column: int, score: float, scale: Normalize) -> None:
    if np.isfinite(score):
        dark = scale(score) < 0.5
        ax.text(column, row, f"{score:.2f}", ha="center", va="center", fontsize=8, color="white" if dark else "black")


def _table(moved: Sequence[Moved], areas: Sequence[str]) -> Float64[np.ndarray, "A A"]:
    table = np.full((len(areas), len(areas)), np.nan)
    for row in moved:
        table[areas.index(row.train_area), areas.index(row.area)] = row.score
    return table


def _scale(scores: Sequence[float]) -> Normalize:
    low, high = min(scores), max(scores)
    return Normalize(low, high if high > low else low + 0.01)
