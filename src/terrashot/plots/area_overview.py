"""Where on the Earth the areas lie."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from terrashot.plots.chip_areas import AreaChips, unbroken_deg
from terrashot.plots.map_window import Window, show_window, window_around
from terrashot.plots.split_cells import show_cells, show_outline
from terrashot.plots.style import BLACK

MARGIN = 0.06
LEAST_DEG = 25.0
"""Height of the part of the Earth shown: a coast that one knows is in it."""
CELLS_A_WIDTH = 2000
OUTLINE_CELLS = 120
TINY = 1 / 50
"""Of the overview's width: an area smaller than that is ringed."""
MOST_NAMED = 12


def overview_window(areas: Sequence[AreaChips]) -> Window:
    """The part of the Earth that shows where all areas lie."""
    lon, lat = (np.concatenate([getattr(area, name) for area in areas]) for name in ("lon_deg", "lat_deg"))
    return window_around(unbroken_deg((lon + 180) % 360 - 180), lat, margin=MARGIN, least_deg=LEAST_DEG)


def overview_panel(ax: Axes, areas: Sequence[AreaChips], land: shapely.MultiPolygon | None) -> Axes:
    """All areas in one picture of the Earth, their chips coloured by split, their outlines drawn; tiny ones ringed."""
    window = overview_window(areas)
    for area in areas:
        _show_area(ax, _moved_into(area, window), window, is_named=1 < len(areas) <= MOST_NAMED)
    show_window(ax, window, land, ticks=9)
    count = sum(map(len, areas))
    ax.set_title(f"all areas: {count:,} chips" if len(areas) > 1 else f"where {areas[0].name} lies")
    return ax


def _moved_into(area: AreaChips, window: Window) -> AreaChips:
    """The area with longitudes as the window counts them."""
    return replace(area, lon_deg=(area.lon_deg - window.west) % 360 + window.west)


def _show_area(ax: Axes, area: AreaChips, window: Window, *, is_named: bool) -> None:
    extent = max(np.ptp(area.lon_deg), np.ptp(area.lat_deg))
    lon, lat = (float(axis.min() + axis.max()) / 2 for axis in (area.lon_deg, area.lat_deg))
    is_tiny = extent < TINY * window.width
    if is_tiny:
        ax.plot(lon, lat, "o", ms=9, mfc="none", mec=BLACK, mew=1.8, zorder=4)
    else:
        show_cells(ax, area, max(1, round(CELLS_A_WIDTH * extent / window.width)))
        show_outline(ax, area, OUTLINE_CELLS)
    if is_named:
        ax.annotate(
            area.name, (lon, lat), xytext=(0, 13 if is_tiny else 0), textcoords="offset points", ha="center", va="center",
            color=BLACK, path_effects=[withStroke(linewidth=2.5, foreground="white")], zorder=5,
        )  # fmt: skip
