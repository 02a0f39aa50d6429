"""Where the chips are, and in which split (figure 1 of the paper)."""

from collections import Counter

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from terrashot.domain.tables import SPLIT_NAMES, Chips
from terrashot.plots.area_overview import overview_panel, overview_window
from terrashot.plots.chip_areas import AreaChips, chip_areas
from terrashot.plots.chip_shapes import chip_shapes
from terrashot.plots.map_window import Window, show_window, window_around
from terrashot.plots.split_cells import FILLS, show_cells
from terrashot.plots.style import new_figure

MOST_DRAWN = 20_000
"""Chips of an area drawn as what they are; of more, cells with the commonest split in each."""
MOST_CELLS = 600
"""A side."""
MARGIN = 0.04
PANEL_IN, COLUMNS = 3.6, 3


def area_map(chips: Chips, land: shapely.MultiPolygon | None = None) -> Figure:
    """All areas on the Earth and a panel an area, chips coloured by split, over land where that is given.

    Of chips without a place, counts by area and split.
    """
    if chips.footprint is None:
        return _counts(chips, list(dict.fromkeys(chips.area)))
    areas = chip_areas(chips)
    figure = _one(areas, land) if len(areas) == 1 else _several(areas, land)
    figure.legend(handles=_keys(chips), loc="outside lower center", ncols=4)
    return figure


def _one(areas: list[AreaChips], land: shapely.MultiPolygon | None) -> Figure:
    """The area, and beside it where it lies."""
    figure = new_figure(1 + 2 * PANEL_IN, 0.9 + PANEL_IN)
    left, right = figure.subplots(1, 2)
    area_panel(left, areas[0], land)
    overview_panel(right, areas, land)
    return figure


def _several(areas: list[AreaChips], land: shapely.MultiPolygon | None) -> Figure:
    """Above all areas together, below rows of a panel each, as wide as its area is for its height."""
    lines = [areas[first : first + COLUMNS] for first in range(0, len(areas), COLUMNS)]
    widths = [[1 / max(0.5, min(2, area_window(area).shape)) for area in line] for line in lines]
    width = 1 + PANEL_IN * min(COLUMNS, len(areas))
    heights = [min(width * overview_window(areas).shape, 1.3 * PANEL_IN)]
    heights += [min((width - 0.8 * len(line)) / sum(line), PANEL_IN) + 0.4 for line in widths]
    figure = new_figure(width, 0.9 + sum(heights))
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    for number, line in enumerate(lines):
        cells = grid[1 + number].subgridspec(1, len(line), width_ratios=widths[number])
        for column, area in enumerate(line):
            area_panel(figure.add_subplot(cells[column]), area, land)
    overview_panel(figure.add_subplot(grid[0]), areas, land)
    return figure


def area_window(area: AreaChips) -> Window:
    """The part of the Earth that its panel shows."""
    half = area.chip_deg / 2
    lon, lat = (np.array([axis.min() - half, axis.max() + half]) for axis in (area.lon_deg, area.lat_deg))
    return window_around(lon, lat, margin=MARGIN)


def area_panel(ax: Axes, area: AreaChips, land: shapely.MultiPolygon | None) -> Axes:
    """One area in degrees, chip by chip or in cells, over land where that is given."""
    if len(area) > MOST_DRAWN:
        show_cells(ax, area, MOST_CELLS)
    else:
        _show_chips(ax, area)
    show_window(ax, area_window(area), land, ticks=4)
    ax.set_title(f"{area.name}: {len(area):,} chips")
    return ax


def _show_chips(ax: Axes, area: AreaChips) -> None:
    colours = np.array([to_rgba(FILLS[name]) for name in SPLIT_NAMES])[area.split]
    ax.add_collection(chip_shapes(area, colours))


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
