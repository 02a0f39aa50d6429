"""Where the chips are, and in which split (figure 1 of the paper)."""

from collections import Counter

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from terrashot.domain.tables import SPLIT_NAMES, Chips
from terrashot.plots.style import new_figure

# Light to dark, so that grey tells them apart too; test is hatched as well.
FILLS = {"train": "#9ecae1", "val": "#E69F00", "test": "#08306b", "buffer": "#e2e2e2"}
MOST_DRAWN = 20_000
"""Chips of an area drawn as what they are; of more, cells with the commonest split in each."""
CHIPS_A_CELL = 2
"""On average, so that few cells of a covered area are empty."""
MOST_CELLS = 600
"""A side."""


def area_map(chips: Chips) -> Figure:
    """A panel an area: chips coloured by split; for chips without a place, counts by area and split."""
    areas = list(dict.fromkeys(chips.area))
    if chips.footprint is None:
        return _counts(chips, areas)
    figure = new_figure(1 + 3.6 * min(3, len(areas)), 0.9 + 3.6 * -(-len(areas) // 3))
    axes = figure.subplots(-(-len(areas) // 3), min(3, len(areas)), squeeze=False).ravel()
    of_area, splits = np.array(chips.area, dtype=object), np.array(chips.split, dtype=object)
    for ax, area in zip(axes, areas, strict=False):
        rows = np.flatnonzero(of_area == area)
        area_panel(ax, chips.footprint[rows], splits[rows], area)
    for ax in axes[len(areas) :]:
        ax.set_visible(False)
    figure.legend(handles=_keys(chips), loc="outside lower center", ncols=4)
    return figure


def area_panel(ax: Axes, footprints: np.ndarray, splits: np.ndarray, area: str) -> Axes:
    """One area in degrees, a degree as long in both directions as on the ground.

    Args:
        footprints: (N,) polygons, longitude and latitude.
        splits: (N,) names.
    """
    if len(footprints) > MOST_DRAWN:
        _cells(ax, footprints, splits)
    else:
        shapes = [shapely.get_coordinates(shape) for shape in footprints]
        colours = [FILLS[str(name)] for name in splits]
        ax.add_collection(
            PolyCollection(shapes, facecolors=colours, edgecolors="white", linewidths=0.15, rasterized=True)
        )
        ax.autoscale_view()
    middle = float(np.mean(ax.get_ylim()))
    ax.set_aspect(1 / max(0.05, np.cos(np.radians(middle))))
    ax.set(
        title=f"{area}: {len(footprints):,} chips", xlabel="longitude, degrees east", ylabel="latitude, degrees north"
    )
    ax.ticklabel_format(useOffset=False)
    ax.locator_params(nbins=4)
    return ax


def _cells(ax: Axes, footprints: np.ndarray, splits: np.ndarray) -> None:
    """Cells coloured by the split that most of the chips in them have; white where there is none."""
    lon, lat = shapely.get_coordinates(shapely.centroid(footprints)).T
    width, height = np.ptp(lon), np.ptp(lat)
    cells = len(lon) / CHIPS_A_CELL
    across = int(np.clip(np.sqrt(cells * width / max(height, 1e-9)), 1, MOST_CELLS))
    down = int(np.clip(cells / across, 1, MOST_CELLS))
    counts = np.stack([np.histogram2d(lat[splits == name], lon[splits == name], bins=(down, across), range=_span(lat, lon))[0]
                       for name in SPLIT_NAMES])  # fmt: skip
    colours = np.array([to_rgba(FILLS[name]) for name in SPLIT_NAMES])[counts.argmax(axis=0)]
    colours[counts.sum(axis=0) == 0] = 0
    (south, north), (west, east) = _span(lat, lon)
    ax.imshow(colours, extent=(west, east, south, north), origin="lower", interpolation="nearest", aspect="auto")
    ax.grid(visible=False)


def _span(lat: np.ndarray, lon: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    return (float(lat.min()), float(lat.max())), (float(lon.min()), float(lon.max()))


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
