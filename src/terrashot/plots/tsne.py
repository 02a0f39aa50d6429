"""Maps of embeddings coloured by label (figure 5 of the paper): by t-SNE, or by principal components."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from terrashot.domain.modality import MODALITIES
from terrashot.domain.tasks import task_of
from terrashot.plots.style import COLOURS, MARKERS, new_figure

DECADES = 1e-3
"""A logarithmic scale ends at this share of its top: most chips of most targets are 0, which has no logarithm."""
WIDE = 100.0
"""Positive values that span less than this factor are better told apart on a plain scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where one modality's embeddings lie on the map."""

    places: Float32[np.ndarray, "N 2"]
    """NaN where a chip has no vector, or is not drawn."""
    n_chips: int
    """Chips that could have been drawn."""
    n_placed: int = 0
    """Of those drawn, chips that were placed into the map of the others."""
    variance: tuple[float, float] | None = None
    """The share that each axis has, where the axes are principal components."""

    @property
    def shown(self) -> Bool[np.ndarray, " N"]:
        """Which chips have a place."""
        found: np.ndarray = ~np.isnan(self.places).any(axis=1)
        return found


def tsne_grid(layouts: Mapping[str, Layout], targets: Mapping[str, np.ndarray]) -> Figure:
    """A panel a target (rows) and modality (columns); a dot is a chip.

    Args:
        targets: (N,) by target, float64 or class names.
    """
    figure = new_figure(1.2 + 2.9 * len(layouts), 0.4 + 2.7 * len(targets))
    axes = figure.subplots(len(targets), len(layouts), squeeze=False)
    for row, (target, values) in enumerate(targets.items()):
        for column, (modality, layout) in enumerate(layouts.items()):
            ax = axes[row, column]
            drawn = tsne_panel(ax, layout, values)
            ax.set_title(MODALITIES[modality].title if modality in MODALITIES else modality) if row == 0 else None
            ax.set_ylabel(task_of(target).title) if column == 0 else None
            ax.set_xlabel(_axes_named(layout), fontsize=7.5) if row == len(targets) - 1 else None
        if drawn is None:
            axes[row, -1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7, markerscale=1.5)
        else:
            colour_bar(figure, drawn, task_of(target).unit, ax=list(axes[row]), shrink=0.85)
    return figure


def _axes_named(layout: Layout) -> str:
    """What the directions are; nothing for t-SNE, whose have no meaning."""
    if layout.variance is None:
        return ""
    first, second = (f"{100 * share:.0f} %" for share in layout.variance)
    return f"across: component 1 ({first} of the variance)\nupward: component 2 ({second})"


def tsne_panel(ax: Axes, layout: Layout, values: np.ndarray) -> PathCollection | None:
    """One map; what a colour bar needs, None for classes, which get a marker each."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    places, own = layout.places[layout.shown], values[layout.shown]
    size = _dot_size(len(places))
    if values.dtype == object:
        _classes(ax, places, own, values, size)
        return None
    known, scale = ~np.isnan(own), colour_scale(values)
    ax.scatter(places[~known, 0], places[~known, 1], s=size, c="#cccccc", lw=0, rasterized=True)
    lowest = scale.vmin if isinstance(scale, LogNorm) else None
    shown = own[known] if lowest is None else np.maximum(own[known], lowest)
    return ax.scatter(
        places[known, 0], places[known, 1], s=size, c=shown, norm=scale, cmap="cividis", lw=0, rasterized=True
    )


def colour_scale(values: np.ndarray) -> Normalize:
    """Logarithmic, as in the paper, for shares and for other values without a sign that span much; else plain.

    Values below a thousandth of the top, zero among them, take the colour of a thousandth.
    """
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if low >= 0 and high <= 1:
        return LogNorm(DECADES, 1.0)
    if low >= 0 and high > WIDE * low:
        return LogNorm(DECADES * high, high)
    return Normalize(low, high)


def colour_bar(figure: Figure, drawn: PathCollection, label: str, **where: Any) -> None:
    """Nothing; the figure has a bar that tells the colours, its numbers in plain digits: no text of ours is a formula.

    Args:
        where: as matplotlib's `colorbar` takes it.
    """
    digits = FuncFormatter(lambda value, _: f"{value:g}") if isinstance(drawn.norm, LogNorm) else None
    figure.colorbar(drawn, label=label, format=digits, **where)


def _classes(ax: Axes, places: np.ndarray, own: np.ndarray, values: np.ndarray, size: float) -> None:
    """Names of all chips, shown or not, so that a class looks the same in every panel."""
    for index, name in enumerate(sorted({value for value in values if value is not None})):
        rows = own == name
        ax.scatter(
            places[rows, 0], places[rows, 1], s=size + 3, lw=0.3, marker=MARKERS[(index // len(COLOURS) + index) % len(MARKERS)],
            color=COLOURS[index % len(COLOURS)], label=name, rasterized=True,
        )  # fmt: skip


def _dot_size(n_chips: int) -> float:
    """Smaller dots for more chips: 20,000 at the size of 500 would be one blot."""
    return float(np.clip(8000 / max(1, n_chips), 1.2, 6))
