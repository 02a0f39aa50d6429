"""Where how much of a modality is there: chips, or cells of many, coloured by share."""

import matplotlib as mpl
import numpy as np
import shapely
from jaxtyping import Bool, Float32, Float64, Int64
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize

from terrashot.plots.area_map import MOST_DRAWN, area_window
from terrashot.plots.chip_areas import AreaChips
from terrashot.plots.chip_cells import CHIPS_A_CELL, cell_bins, span
from terrashot.plots.chip_shapes import chip_shapes
from terrashot.plots.map_window import show_window
from terrashot.plots.style import BLACK

MOST_CELLS = 400
"""A side."""
MARKS_A_SIDE = 20
"""Of chips of which something failed; of those that lie closer to each other one is marked."""
LEAST = 1e-6
# From dark blue to yellow, lighter all the way, so that grey tells as much; black is what has nothing.
SHADES = ListedColormap(mpl.colormaps["cividis"](np.linspace(0.2, 1, 256))).with_extremes(under=BLACK)


def shades() -> ScalarMappable:
    """What the colours mean, 0 to 1; black below."""
    return ScalarMappable(Normalize(LEAST, 1), SHADES)


def presence_panel(
    ax: Axes,
    area: AreaChips,
    present: Float32[np.ndarray, " N"],
    is_failed: Bool[np.ndarray, " N"],
    land: shapely.MultiPolygon | None,
) -> Axes:
    """The chips of an area coloured by the share of their channels that is there; bare where that is NaN, failures marked.

    Of many chips, cells coloured by the mean of the chips in them.
    """
    if len(area) > MOST_DRAWN:
        (south, north), (west, east) = span(area)
        colours = _coloured(_cell_means(area, present))
        ax.imshow(colours, extent=(west, east, south, north), origin="lower", aspect="auto", zorder=1)
    else:
        ax.add_collection(chip_shapes(area, _coloured(present)))
    if is_failed.any():
        marked = _apart(area, np.flatnonzero(is_failed))
        places = area.lon_deg[marked], area.lat_deg[marked]
        ax.plot(
            *places, "X", ms=5, mfc="white", mec=BLACK, mew=0.8, zorder=3, label="on the map: something failed to read"
        )
    return show_window(ax, area_window(area), land, ticks=4)


def _coloured(present: np.ndarray) -> np.ndarray:
    """Red, green, blue and opacity of each share: (..., 4)."""
    colours: np.ndarray = shades().to_rgba(np.nan_to_num(present))
    colours[np.isnan(present)] = 0
    return colours


def _cell_means(area: AreaChips, present: Float32[np.ndarray, " N"]) -> Float64[np.ndarray, "H W"]:
    """Mean over the chips of each cell; NaN where there is none."""
    bins, known = cell_bins(area, CHIPS_A_CELL, MOST_CELLS), ~np.isnan(present)
    places = area.lat_deg[known], area.lon_deg[known]
    total, count = (
        np.histogram2d(*places, bins=bins, range=span(area), weights=weights)[0] for weights in (present[known], None)
    )
    return np.divide(total, count, out=np.full(bins, np.nan), where=count > 0)


def _apart(area: AreaChips, rows: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " m"]:
    """Of these chips the middlemost in each of the squares that lie `MARKS_A_SIDE` to the longer side of the area."""
    (south, north), (west, east) = span(area)
    step = max(north - south, east - west, area.chip_deg) / MARKS_A_SIDE
    down, across = (area.lat_deg[rows] - south) / step, (area.lon_deg[rows] - west) / step
    order = np.argsort(np.hypot(down % 1 - 0.5, across % 1 - 0.5), kind="stable")
    square = np.floor(down) * (MARKS_A_SIDE + 1) + np.floor(across)
    _, first = np.unique(square[order], return_index=True)
    return np.sort(rows[order[first]])
