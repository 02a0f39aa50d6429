"""What is absent from an area's data: where, when, and why."""

from collections.abc import Sequence

import numpy as np
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from terrashot.domain.modality import MODALITIES
from terrashot.domain.presence_shares import ModalityShares, PresenceShares
from terrashot.domain.tables import Chips
from terrashot.plots.absence_bars import absence_bars, fills_of, n_bars, share_scale
from terrashot.plots.area_map import area_window
from terrashot.plots.chip_areas import AreaChips, chip_areas
from terrashot.plots.presence_panel import presence_panel, shades
from terrashot.plots.style import legend_below, named_lines, new_figure

ACROSS = 3
PANEL_IN, BAR_IN = 3.2, 0.19
SLIMMEST, TALLEST = 0.5, 1.3
"""Of a map, height over width."""


def absence_map(shares: PresenceShares, area: int, chips: Chips, land: shapely.MultiPolygon | None = None) -> Figure:
    """Of one area a column a modality that lacks something: its chips by what share of their channels is there, and below, by
    month or kind of channel, why the rest is not. Of chips without a place the latter alone.

    Args:
        area: position in the areas of the shares.
        chips: of all areas.
    """
    lacking, rows = shares.lacking([area]), np.flatnonzero(shares.area == area)
    place = None if chips.footprint is None else chip_areas(chips.take(rows))[0]
    lines = [lacking[first : first + ACROSS] for first in range(0, len(lacking), ACROSS)]
    figure, axes = _axes(lines, place)
    fills = fills_of(lacking, area)
    for own, column in zip(lacking, axes, strict=True):
        column[0].set_title(f"{shares.areas[area]}\n{_title(own.modality)}")
        absence_bars(column[-1], own, area, fills, room=max(map(n_bars, lacking)))
        if place is not None:
            presence_panel(column[0], place, own.present[rows], own.is_failed[rows], land)
    share_scale([column[-1] for column in axes])
    keys: dict[str, Artist] = {fill.label: fill.patch() for fill in fills.values()}
    if place is not None:
        bar = figure.colorbar(shades(), ax=[column[0] for column in axes], aspect=25, extend="min")
        bar.set_label("share that is there\n(black: none)")
    legend_below(figure, keys | named_lines(column[0] for column in axes))
    return figure


def _axes(lines: Sequence[Sequence[ModalityShares]], place: AreaChips | None) -> tuple[Figure, list[list[Axes]]]:
    """Of each modality the axes of its map, where the area has a place, and those of its bars below."""
    map_in = [] if place is None else [0.8 + PANEL_IN * float(np.clip(area_window(place).shape, SLIMMEST, TALLEST))]
    title_in = 0.4 if place is None else 0.0
    heights = [[*map_in, 0.55 + title_in + BAR_IN * max(map(n_bars, line))] for line in lines]
    figure = new_figure(1.6 + PANEL_IN * len(lines[0]), 0.7 + sum(map(sum, heights)))
    deep, ratios = len(heights[0]), np.ravel(heights).tolist()
    grid = figure.add_gridspec(len(ratios), len(lines[0]), height_ratios=ratios)
    return figure, [
        [figure.add_subplot(grid[deep * number + row, column]) for row in range(deep)]
        for number, line in enumerate(lines)
        for column in range(len(line))
    ]


def _title(modality: str) -> str:
    return MODALITIES[modality].title if modality in MODALITIES else modality
