"""Few chips as what they are: their outlines, filled."""

import numpy as np
import shapely
from jaxtyping import Float64
from matplotlib.collections import PolyCollection

from terrashot.plots.chip_areas import AreaChips

MOST_EDGED = 2_500
"""Chips with a white line around each; of more, the lines would be most of what is seen."""


def chip_shapes(area: AreaChips, colours: Float64[np.ndarray, "N 4"]) -> PolyCollection:
    """The outlines of the chips in degrees, each filled with its colour (red, green, blue, opacity)."""
    parts, chip = shapely.get_parts(area.footprint, return_index=True)
    corners, part = shapely.get_coordinates(parts, return_index=True)
    # Beyond the antimeridian the corners count on where the middles do.
    corners[corners[:, 0] < (area.lon_deg.min() + area.lon_deg.max()) / 2 - 180, 0] += 360
    shapes = np.split(corners, np.flatnonzero(np.diff(part)) + 1)
    edges = "white" if len(area) <= MOST_EDGED else "face"
    return PolyCollection(shapes, facecolors=colours[chip], edgecolors=edges, linewidths=0.15, rasterized=True)
