"""Maps of embeddings coloured by label (figure 5 of the paper)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from terrashot.domain.modality import MODALITIES
from terrashot.domain.tasks import task_of
from terrashot.plots.style import COLOURS, MARKERS, new_figure


def tsne_grid(layouts: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray]) -> Figure:
    """A panel a target (rows) and modality (columns); a dot is a chip.

    Args:
        layouts: (N, 2) by modality; NaN where a chip has no vector.
        targets: (N,) by target, float64 or class names.
    """
    figure = new_figure(1.2 + 2.9 * len(layouts), 0.4 + 2.7 * len(targets))
    axes = figure.subplots(len(targets), len(layouts), squeeze=False)
    for row, (target, values) in enumerate(targets.items()):
        for column, (modality, places) in enumerate(layouts.items()):
            ax = axes[row, column]
            drawn = tsne_panel(ax, places, values)
            ax.set_title(MODALITIES[modality].title if modality in MODALITIES else modality) if row == 0 else None
            ax.set_ylabel(task_of(target).title) if column == 0 else None
        if drawn is None:
            axes[row, -1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7, markerscale=1.5)
        else:
            figure.colorbar(drawn, ax=list(axes[row]), label=task_of(target).unit, shrink=0.85)
    return figure


def tsne_panel(ax: Axes, places: np.ndarray, values: np.ndarray) -> PathCollection | None:
    """One map; what a colour bar needs, None for classes, which get a marker each."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    if values.dtype == object:
        _classes(ax, places, values)
        return None
    there = ~np.isnan(places).any(axis=1)
    known = there & ~np.isnan(values)
    ax.scatter(*_xy(places, there & ~known), s=4, c="#cccccc", lw=0, rasterized=True)
    return ax.scatter(
        *_xy(places, known), s=6, c=_shown(values[known]), norm=_norm(values), cmap="cividis", lw=0, rasterized=True
    )


def _classes(ax: Axes, places: np.ndarray, values: np.ndarray) -> None:
    there = ~np.isnan(places).any(axis=1)
    names = sorted({value for value in values if value is not None})
    for index, name in enumerate(names):
        own = there & np.array([value == name for value in values])
        ax.scatter(
            *_xy(places, own), s=9, lw=0.3, marker=MARKERS[(index // len(COLOURS) + index) % len(MARKERS)],
            color=COLOURS[index % len(COLOURS)], label=name, rasterized=True,
        )  # fmt: skip


def _shown(values: np.ndarray) -> np.ndarray:
    """Shares below a thousandth, zero among them, take the colour of a thousandth: a logarithm has no zero."""
    return np.maximum(values, 1e-3) if _is_share(values) else values


def _norm(values: np.ndarray) -> Normalize:
    if _is_share(values):
        return LogNorm(1e-3, 1.0)
    return Normalize(float(np.nanmin(values)), float(np.nanmax(values)))


def _is_share(values: np.ndarray) -> bool:
    return bool(np.nanmin(values) >= 0 and np.nanmax(values) <= 1)


def _xy(places: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return places[rows, 0], places[rows, 1]
