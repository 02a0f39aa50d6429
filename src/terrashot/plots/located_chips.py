"""Two chips on the map of embeddings, and what they look like (figure 6 of the paper).

Lengths are in inches on the page, x to the right and y upward, so that arrows and letters meet what they name.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from matplotlib.patheffects import Stroke, withStroke

from terrashot.domain.modality import MODALITIES
from terrashot.domain.tasks import task_of
from terrashot.plots.chip_plates import Plate, chip_panel
from terrashot.plots.style import BLACK, new_figure
from terrashot.plots.tsne import Layout, colour_bar, tsne_panel

MAP, IMAGE, GAP, AISLE, EDGE = 4.1, 1.55, 0.1, 0.55, 0.35
"""Sides of the map and of an image, between images, between map and images, around all."""
LEAST_WORDS = 3.4
"""Width that the words over the images need."""
HEAD, FOOT, BETWEEN = 0.5, 0.95, 0.4
LETTERS, LEGEND_COLUMNS = ("A", "B"), 3
HALO = [withStroke(linewidth=3, foreground="white")]


@dataclass(frozen=True, slots=True, eq=False)
class LocatedChips:
    """Two chips of different label, and the map of one modality that they lie in."""

    modality: str
    layout: Layout
    target: str
    values: np.ndarray
    """Of the target, of every chip of the layout."""
    rows: tuple[int, int]
    """Of the two chips."""
    plates: tuple[Plate, Plate]
    """Their images, all of the same modalities."""


def located_chips(located: LocatedChips) -> Figure:
    """The map at the left; at the right a row a chip, a column a modality."""
    modalities, foot = list(located.plates[0].images), _foot(located.values)
    width = EDGE + MAP + AISLE + max(LEAST_WORDS, len(modalities) * (IMAGE + GAP) - GAP) + EDGE
    figure = new_figure(width, foot + MAP + HEAD)
    figure.set_layout_engine("none")
    on_map = _axes(figure, EDGE, foot, MAP)
    _map(figure, on_map, located)
    # The upper chip's images above, so that the arrows do not cross.
    both = sorted(zip(located.rows, located.plates, strict=True), key=lambda own: -located.layout.places[own[0], 1])
    for number, (row, plate) in enumerate(both):
        bottom = foot + (1 - number) * (MAP - IMAGE - BETWEEN)
        lefts = [EDGE + MAP + AISLE + column * (IMAGE + GAP) for column in range(len(modalities))]
        panels = [_axes(figure, left, bottom, IMAGE) for left in lefts]
        for ax, modality in zip(panels, modalities, strict=True):
            chip_panel(ax, plate.images[modality])
            ax.set_xlabel(MODALITIES[modality].title.replace(" (", "\n("), fontsize=7.5) if number == 1 else None
        panels[0].set_title(f"{LETTERS[number]}: {plate.caption}", fontsize=9, loc="left", fontweight="bold")
        _point(on_map, panels[0], located.layout.places[row], LETTERS[number])
    return figure


def _foot(values: np.ndarray) -> float:
    """Room under the map: for a bar of colours, or for the names of the classes."""
    if values.dtype != object:
        return FOOT
    n_classes = len({value for value in values if value is not None})
    return max(FOOT, 0.5 + 0.16 * -(-n_classes // LEGEND_COLUMNS))


def _axes(figure: Figure, left: float, bottom: float, side: float) -> Axes:
    width, height = figure.get_size_inches()
    return figure.add_axes((left / width, bottom / height, side / width, side / height))


def _map(figure: Figure, ax: Axes, located: LocatedChips) -> None:
    drawn = tsne_panel(ax, located.layout, located.values)
    ax.set(xlabel="t-SNE 1", ylabel="t-SNE 2", title=f"map of {MODALITIES[located.modality].title} embeddings")
    ax.spines[["left", "bottom"]].set_visible(True)
    # Dots at the edge, and the letters beside them, stay inside.
    ax.margins(0.08)
    if drawn is None:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.07), fontsize=7, ncols=LEGEND_COLUMNS, markerscale=1.5)
        return
    width, height = figure.get_size_inches()
    bar = figure.add_axes(((EDGE + 0.5) / width, 0.5 / height, (MAP - 1) / width, 0.1 / height))
    colour_bar(figure, drawn, task_of(located.target).unit, cax=bar, orientation="horizontal")


def _point(on_map: Axes, panel: Axes, place: np.ndarray, letter: str) -> None:
    """A ring and a letter on the map, and an arrow from it to the chip's first image."""
    ring = [Stroke(linewidth=5, foreground="white"), withStroke(linewidth=2, foreground=BLACK)]
    on_map.plot(*place, marker="o", ms=13, mfc="none", mec=BLACK, mew=2, zorder=6, path_effects=ring)
    on_map.annotate(
        letter, tuple(place), xytext=(-9, 9), textcoords="offset points", ha="right", va="bottom", fontsize=12, fontweight="bold",
        zorder=7, path_effects=HALO,
    )  # fmt: skip
    arrow = ConnectionPatch(
        tuple(place), (0, 0.5), "data", "axes fraction", axesA=on_map, axesB=panel, arrowstyle="-|>", mutation_scale=14,
        lw=1.6, color=BLACK, shrinkA=8, shrinkB=3, zorder=5, path_effects=[withStroke(linewidth=4, foreground="white")],
    )  # fmt: skip
    on_map.figure.add_artist(arrow)
