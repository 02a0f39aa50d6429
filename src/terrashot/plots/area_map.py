"""Where the chips are, and in which split (figure 1 of the paper)."""

from collections import Counter

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from terrashot.domain.tables import SPLIT_NAMES, Chips
from terrashot.plots.style import new_figure

# Light to dark, so that grey tells them apart too; test is hatched as well.
FILLS = {"train": "#9ecae1", "val": "#E69F00", "test": "#08306b", "buffer": "#eeeeee"}
MOST_DRAWN = 60_000


def area_map(chips: Chips) -> Figure:
    """A panel an area: chips coloured by split; for chips without a place, counts by area and split."""
    areas = list(dict.fromkeys(chips.area))
    if chips.footprint is None:
        return _counts(chips, areas)
    figure = new_figure(1 + 3.6 * min(3, len(areas)), 0.9 + 3.6 * -(-len(areas) // 3))
    axes = figure.subplots(-(-len(areas) // 3), min(3, len(areas)), squeeze=False).ravel()
    for ax, area in zip(axes, areas, strict=False):
        area_panel(ax, chips.take(np.flatnonzero(np.array([name == area for name in chips.area]))), area)
    for ax in axes[len(areas) :]:
        ax.set_visible(False)
    figure.legend(handles=_keys(chips), loc="outside lower center", ncols=4)
    return figure


def area_panel(ax: Axes, chips: Chips, area: str) -> Axes:
    """One area in degrees, a degree as long in both directions as on the ground; a sample of very many chips."""
    assert chips.footprint is not None, "an area without places is drawn as counts"
    step = -(-len(chips) // MOST_DRAWN)
    shapes = [shapely.get_coordinates(shape) for shape in chips.footprint[::step]]
    colours = [FILLS[str(name)] for name in chips.split[::step]]
    ax.add_collection(PolyCollection(shapes, facecolors=colours, edgecolors="white", linewidths=0.15, rasterized=True))
    ax.autoscale_view()
    middle = float(np.mean(ax.get_ylim()))
    ax.set_aspect(1 / max(0.05, np.cos(np.radians(middle))))
    ax.set(title=f"{area}: {len(chips):,} chips", xlabel="longitude, degrees east", ylabel="latitude, degrees north")
    ax.ticklabel_format(useOffset=False)
    ax.locator_params(nbins=4)
    return ax


def _counts(chips: Chips, areas: list[str]) -> Figure:
    counts = Counter(zip(chips.area, chips.split, strict=True))
    figure = new_figure(6.5, 1.4 + 0.4 * len(areas))
    ax = figure.subplots()
    left = np.zeros(len(areas))
    for name in SPLIT_NAMES:
        width = np.array([counts[area, name] for area in areas], dtype=float)
        ax.barh(
            areas,
            width,
            left=left,
            color=FILLS[name],
            edgecolor="#555555",
            linewidth=0.5,
            hatch="//" if name == "test" else None,
        )
        left += width
    ax.invert_yaxis()
    ax.set(xlabel="chips", title="chips by area and split (no georeference)")
    figure.legend(handles=_keys(chips), loc="outside lower center", ncols=4)
    return figure


def _keys(chips: Chips) -> list[Patch]:
    counts = Counter(chips.split)
    return [
        Patch(facecolor=FILLS[name], edgecolor="#555555", linewidth=0.5, label=f"{name} ({counts[name]:,})")
        for name in SPLIT_NAMES
        if counts[name]
    ]
