"""Where each label has which value: a map of one target, a panel an area."""

import numpy as np
import shapely
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from terrashot.domain.tables import Chips
from terrashot.domain.tasks import task_of
from terrashot.plots.area_map import area_window
from terrashot.plots.chip_areas import AreaChips, chip_areas
from terrashot.plots.chip_shapes import chip_shapes
from terrashot.plots.map_window import show_window
from terrashot.plots.style import COLOURS, new_figure

MOST_DRAWN = 20_000
"""Chips of an area drawn as what they are; of more, a seeded sample of their middles."""
MOST_CLASSES = 7
"""With a colour of their own, the commonest first; the others share one."""
OTHERS, UNKNOWN = "#bbbbbb", "#ffffff"
COLUMNS, PANEL_IN = 3, 3.4


def label_values(chips: Chips, target: str, values: np.ndarray, land: shapely.MultiPolygon | None = None) -> Figure:
    """Numbers from dark to light, classes in colours; chips without a label are left white.

    Args:
        chips: with footprints.
        values: (N,) float64 with NaN, or class names with None.
    """
    areas, names = chip_areas(chips), np.array(chips.area, dtype=object)
    across = min(COLUMNS, len(areas))
    down = -(-len(areas) // across)
    figure = new_figure(1.6 + PANEL_IN * across, 0.9 + PANEL_IN * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    shades, key = _shades(values)
    for ax, area in zip(axes, areas, strict=False):
        _panel(ax, area, shades[names == area.name], land)
    for ax in axes[len(areas) :]:
        ax.set_visible(False)
    if isinstance(key, ScalarMappable):
        figure.colorbar(key, ax=list(axes), aspect=30, shrink=0.8).set_label(task_of(target).unit)
    else:
        figure.legend(handles=key, loc="outside lower center", ncols=4)
    figure.suptitle(task_of(target).title, x=0.02, ha="left", fontsize=10)
    return figure


def _panel(ax: Axes, area: AreaChips, colours: np.ndarray, land: shapely.MultiPolygon | None) -> None:
    if len(area) > MOST_DRAWN:
        rows = np.random.default_rng(0).permutation(len(area))[:MOST_DRAWN]
        ax.scatter(area.lon_deg[rows], area.lat_deg[rows], c=colours[rows], s=1.5, linewidths=0, rasterized=True)
    else:
        ax.add_collection(chip_shapes(area, colours))
    show_window(ax, area_window(area), land, ticks=4)
    ax.set_title(area.name)


def _shades(values: np.ndarray) -> tuple[np.ndarray, ScalarMappable | list[Patch]]:
    """Colour of each chip (N, 4), and what it means."""
    if values.dtype != object:
        known = ~np.isnan(values)
        scale = Normalize(*(values[known].min(), values[known].max())) if known.any() else Normalize(0, 1)
        key = ScalarMappable(scale, colormaps["viridis"])
        colours = np.array(key.to_rgba(np.where(known, values, 0.0)))
        colours[~known] = to_rgba(UNKNOWN)
        return colours, key
    names, counts = np.unique([str(value) for value in values if value is not None], return_counts=True)
    ordered = [str(name) for name in names[np.argsort(-counts, kind="stable")]]
    shown = {name: COLOURS[index] for index, name in enumerate(ordered[:MOST_CLASSES])}
    colours = np.array([to_rgba(UNKNOWN if value is None else shown.get(str(value), OTHERS)) for value in values])
    patches = [Patch(facecolor=colour, label=_short(name)) for name, colour in shown.items()]
    if len(ordered) > MOST_CLASSES:
        patches.append(Patch(facecolor=OTHERS, label=f"{len(ordered) - MOST_CLASSES} other classes"))
    return colours, [*patches, Patch(facecolor=UNKNOWN, edgecolor="#555555", label="no label")]


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
