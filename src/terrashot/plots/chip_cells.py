"""Where the cells of many chips lie."""

import numpy as np

from terrashot.plots.chip_areas import AreaChips

CHIPS_A_CELL = 2
"""On average, so that few cells of a covered area are empty."""


def cell_bins(area: AreaChips, chips_a_cell: int, most: int) -> tuple[int, int]:
    """Cells down and across, about as high as wide on the ground."""
    (south, north), (west, east) = span(area)
    width = (east - west) * float(np.cos(np.radians((south + north) / 2)))
    cells = len(area) / chips_a_cell
    across = int(np.clip(np.sqrt(cells * width / max(north - south, 1e-9)), 1, most))
    return int(np.clip(cells / across, 1, most)), across


def span(area: AreaChips) -> tuple[tuple[float, float], tuple[float, float]]:
    """South and north, west and east of the chips' middles."""
    lat, lon = area.lat_deg, area.lon_deg
    return (float(lat.min()), float(lat.max())), (float(lon.min()), float(lon.max()))
