"""A label's map at a glance: how probable it is, and how far each chip lies from the labelled ones."""

from dataclasses import dataclass, replace

import matplotlib as mpl
import numpy as np
import shapely
from jaxtyping import Float32, Int64
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection, PolyCollection
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from terrashot.domain.tables import Chips
from terrashot.domain.tasks import task_of
from terrashot.plots.style import BLACK, GREY, new_figure

MOST_DRAWN = 60_000
"""Chips drawn as what they are; of more, medians over hexagons."""
MOST_MARKED = 2000
"""Labelled chips that are marked."""
MOST_HEXAGONS = 300
MOST_AREAS = 6
BARE = "#bbbbbb"
Drawn = PolyCollection | PatchCollection


@dataclass(frozen=True, slots=True, eq=False)
class MapLayers:
    """What a label map shows of each chip."""

    target: str
    classes: tuple[str, ...]
    probability: Float32[np.ndarray, "N K"]
    """NaN where a chip has no vector."""
    distance: Float32[np.ndarray, " N"]
    threshold: float
    """Distances above it are outside of what the labels can tell."""
    label: Int64[np.ndarray, " N"]
    """Class of the labelled chips, -1 of the others."""

    def take(self, rows: Int64[np.ndarray, " n"]) -> "MapLayers":
        """The same of some of the chips."""
        return replace(self, probability=self.probability[rows], distance=self.distance[rows], label=self.label[rows])


def label_map(chips: Chips, layers: MapLayers) -> Figure:
    """Probability (of many classes the most probable one) beside distance, a row an area; histograms without places."""
    if chips.lon_deg is None or np.isnan(chips.lon_deg).any():
        return _histograms(layers)
    areas = list(dict.fromkeys(chips.area))
    shown = areas[:MOST_AREAS]
    figure = new_figure(10.4, 0.6 + 4.2 * len(shown))
    axes = figure.subplots(len(shown), 2, squeeze=False)
    for (left, right), area in zip(axes, shown, strict=True):
        rows = np.flatnonzero(np.array([name == area for name in chips.area]))
        own, here = chips.take(rows), layers.take(rows)
        probable, distant = _probability_panel(left, own, here), _distance_panel(right, own, here)
        _mark_labels(left, own, here)
        where = f"{area}: " if len(areas) > 1 else ""
        left.set_title(where + _what(layers))
        right.set_title(f"{where}distance to {int((layers.label >= 0).sum()):,} labelled chips")
    _bars(figure, axes, probable, distant, layers.classes)
    figure.legend(handles=_keys(axes[0, 0], len(areas) - len(shown)), loc="outside lower left", ncols=4)
    return figure


def _probability_panel(ax: Axes, chips: Chips, layers: MapLayers) -> Drawn:
    if len(layers.classes) == 2:
        return _panel(ax, chips, layers.probability[:, 1], mpl.colormaps["cividis"], Normalize(0, 1))
    n_classes = len(layers.classes)
    best = np.where(np.isnan(layers.probability[:, 0]), np.nan, layers.probability.argmax(axis=1))
    # From dark to light, so that grey tells them apart too.
    steps = ListedColormap(mpl.colormaps["cividis"](np.linspace(0, 1, n_classes)))
    return _panel(ax, chips, best, steps, BoundaryNorm(np.arange(n_classes + 1) - 0.5, n_classes))


def _distance_panel(ax: Axes, chips: Chips, layers: MapLayers) -> Drawn:
    blues = mpl.colormaps["Blues"](np.linspace(0.05, 0.75, 256))
    shades = ListedColormap(blues).with_extremes(over=BLACK)
    return _panel(ax, chips, layers.distance, shades, Normalize(0, layers.threshold or 1.0))


def _panel(ax: Axes, chips: Chips, values: np.ndarray, shades: Colormap, scale: Normalize) -> Drawn:
    """Chips coloured by value, in degrees; a degree as long in both directions as on the ground. Hatched: no value."""
    ax.patch.set(facecolor="white", edgecolor=BARE, hatch="////")
    known = np.flatnonzero(~np.isnan(values))
    lon, lat = _places(chips, known)
    if chips.footprint is not None and len(known) <= MOST_DRAWN:
        drawn: Drawn = _polygons(chips.footprint[known], values[known], shades, scale)
        ax.add_collection(drawn)
        ax.autoscale_view()
    else:
        side = min(MOST_HEXAGONS, max(1, int(len(known) ** 0.5 / 2)))
        drawn = ax.hexbin(
            lon, lat, values[known], gridsize=side, reduce_C_function=np.median, cmap=shades, norm=scale, linewidths=0.1
        )
    ax.set_aspect(1 / max(0.05, float(np.cos(np.radians(lat.mean())))), adjustable="datalim")
    ax.set(xlabel="longitude, degrees east", ylabel="latitude, degrees north")
    ax.grid(visible=False)
    ax.ticklabel_format(useOffset=False)
    ax.locator_params(nbins=4)
    return drawn


def _polygons(footprints: np.ndarray, values: np.ndarray, shades: Colormap, scale: Normalize) -> PolyCollection:
    parts, chip = shapely.get_parts(footprints, return_index=True)
    outlines = [shapely.get_coordinates(part) for part in shapely.get_exterior_ring(parts)]
    drawn = PolyCollection(outlines, cmap=shades, norm=scale, edgecolors="face", linewidths=0.2, rasterized=True)
    drawn.set_array(values[chip])
    return drawn


def _bars(figure: Figure, axes: np.ndarray, probable: Drawn, distant: Drawn, classes: tuple[str, ...]) -> None:
    bar = figure.colorbar(probable, ax=list(axes[:, 0]), aspect=25)
    if len(classes) > 2:
        bar.set_ticks(range(len(classes)), labels=list(classes))
    else:
        bar.set_label("calibrated probability")
    bar = figure.colorbar(distant, ax=list(axes[:, 1]), aspect=25, extend="max")
    bar.set_label("0: labelled; black: beyond the reach of the labels")


def _what(layers: MapLayers) -> str:
    title = task_of(layers.target).title
    return f"{title}: probability of '{layers.classes[1]}'" if len(layers.classes) == 2 else f"{title}: most probable"


def _keys(ax: Axes, n_left_out: int) -> list[Artist]:
    keys = [
        *ax.get_legend_handles_labels()[0],
        Patch(facecolor="white", edgecolor=BARE, hatch="////", label="no vector"),
    ]
    if n_left_out:
        keys.append(Patch(alpha=0, label=f"{n_left_out} more areas are in the table"))
    return keys


def _mark_labels(ax: Axes, chips: Chips, layers: MapLayers) -> None:
    """Of two classes the second as white dots, the first as black ones; of more, all white."""
    rows = np.flatnonzero(layers.label >= 0)
    two = len(layers.classes) == 2
    marks = ((1, "white", BLACK), (0, BLACK, "white")) if two else ((None, "white", BLACK),)
    for number, face, edge in marks if 0 < len(rows) <= MOST_MARKED else ():
        own = rows if number is None else rows[layers.label[rows] == number]
        ax.plot(
            *_places(chips, own), "o", ms=4.5, mfc=face, mec=edge, mew=1,
            label="labelled" if number is None else f"labelled '{layers.classes[number]}'",
        )  # fmt: skip


def _places(chips: Chips, rows: Int64[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude."""
    assert chips.lon_deg is not None, "chips without a place are drawn as histograms"
    assert chips.lat_deg is not None, "chips without a place are drawn as histograms"
    return chips.lon_deg[rows], chips.lat_deg[rows]


def _histograms(layers: MapLayers) -> Figure:
    figure = new_figure(10.4, 4.2)
    left, right = figure.subplots(1, 2)
    for ax, values in ((left, layers.probability[:, -1]), (right, layers.distance)):
        ax.hist(values[~np.isnan(values)], bins=40, color=GREY)
        ax.set(ylabel="chips")
    left.set_title(f"{task_of(layers.target).title}: probability of '{layers.classes[-1]}'")
    right.set_title("distance to the labelled chips")
    right.axvline(layers.threshold, color=BLACK, ls="--", label="reach of the labels")
    right.legend()
    return figure
