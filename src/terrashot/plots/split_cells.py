"""Many chips as a picture: cells of the commonest split in each."""

from typing import Final

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from terrashot.domain.tables import SPLIT_NAMES
from terrashot.plots.chip_areas import AreaChips
from terrashot.plots.chip_cells import CHIPS_A_CELL, cell_bins, span
from terrashot.plots.style import BLACK, VERMILION

# Steps of lightness, so that grey tells them apart too; in bars test is hatched as well.
FILLS: Final = {"train": "#9ecae1", "val": VERMILION, "test": "#08306b", "buffer": "#e2e2e2"}
CHIPS_A_CELL_OF_OUTLINES = 8
"""On average, so that no cell inside is empty."""


def show_cells(ax: Axes, area: AreaChips, most: int) -> None:
    """Cells coloured by the split that most of the chips in them have, at most so many a side; bare where there is none."""
    bins = cell_bins(area, CHIPS_A_CELL, most)
    counts = np.stack([_counted(area, bins, split) for split in range(len(SPLIT_NAMES))])
    colours = np.array([to_rgba(FILLS[name]) for name in SPLIT_NAMES])[counts.argmax(axis=0)]
    colours[counts.sum(axis=0) == 0] = 0
    (south, north), (west, east) = span(area)
    ax.imshow(colours, extent=(west, east, south, north), origin="lower", aspect="auto", zorder=1)


def show_outline(ax: Axes, area: AreaChips, most: int) -> None:
    """A line around the cells that hold a chip, at most so many a side."""
    down, across = cell_bins(area, CHIPS_A_CELL_OF_OUTLINES, most)
    is_held = sum(_counted(area, (down, across), split) for split in range(len(SPLIT_NAMES))) > 0
    (south, north), (west, east) = span(area)
    lat, lon = _middles(south, north, down), _middles(west, east, across)
    # Bare cells all around, so that the line closes.
    ax.contour(lon, lat, np.pad(is_held, 1).astype(float), levels=[0.5], colors=BLACK, linewidths=0.7, zorder=3)


def _counted(area: AreaChips, bins: tuple[int, int], split: int) -> Float64[np.ndarray, "H W"]:
    counts: np.ndarray = np.histogram2d(*area.within(split), bins=bins, range=span(area))[0]
    return counts


def _middles(low: float, high: float, count: int) -> Float64[np.ndarray, " P"]:
    """Middles of the cells and of one more at each end. P: cells and two."""
    step = max(high - low, 1e-9) / count
    return low + step * (np.arange(-1, count + 1) + 0.5)
