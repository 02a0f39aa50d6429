"""Example chips as pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from terrashot.domain.modality import MODALITIES
from terrashot.plots.style import new_figure

LOW, HIGH = 2, 98
"""Percentiles that become black and white."""


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """One chip: an image a modality, None where it is absent."""

    chip_id: str
    caption: str
    images: Mapping[str, Float32[np.ndarray, "C H W"] | None]
    """Three planes are red, green, blue; one plane is grey."""


def chip_plates(plates: Sequence[Plate], modalities: Sequence[str]) -> Figure:
    """A column a chip, a row a modality."""
    figure = new_figure(0.8 + 1.7 * len(plates), 0.5 + 1.8 * len(modalities))
    axes = figure.subplots(len(modalities), len(plates), squeeze=False)
    for column, plate in enumerate(plates):
        for row, modality in enumerate(modalities):
            chip_panel(axes[row, column], plate.images.get(modality))
        axes[0, column].set_title(plate.caption, fontsize=7)
    for row, modality in enumerate(modalities):
        axes[row, 0].set_ylabel(MODALITIES[modality].title.replace(" (", "\n("), fontsize=7)
    return figure


def chip_panel(ax: Axes, image: Float32[np.ndarray, "C H W"] | None) -> Axes:
    """One image, stretched over its own 2nd to 98th percentile; gaps are hatched."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.patch.set(facecolor="#f2f2f2", hatch="///", edgecolor="#bbbbbb")
    if image is None:
        ax.text(0.5, 0.5, "absent", ha="center", va="center", transform=ax.transAxes, fontsize=8)
        return ax
    shown = np.stack([_stretched(plane) for plane in image])
    alpha = np.isfinite(image).all(axis=0).astype(float)
    picture = np.moveaxis(shown, 0, -1) if len(shown) == 3 else shown[0]
    if picture.ndim == 3:
        ax.imshow(np.dstack([picture, alpha]), interpolation="nearest")
    else:
        ax.imshow(np.ma.masked_where(alpha == 0, picture), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    return ax


def shrunk(image: Float32[np.ndarray, "C H W"], most_px: int) -> Float32[np.ndarray, "C h w"]:
    """The image with at most so many pixels a side: means over squares of known pixels, NaN where none is known.

    What is over at the right and the bottom is cut off. Legend: h w rows and columns of the smaller image.
    """
    n_planes, height, width = image.shape
    step = -(-max(height, width) // most_px)
    rows, cols = max(1, height // step), max(1, width // step)
    squares = image[:, : rows * step, : cols * step].reshape(n_planes, rows, -1, cols, step)
    known = np.isfinite(squares)
    total, count = np.where(known, squares, 0).sum(axis=(2, 4)), known.sum(axis=(2, 4))
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0).astype(np.float32)


def _stretched(plane: np.ndarray) -> np.ndarray:
    known = plane[np.isfinite(plane)]
    if known.size == 0:
        return np.zeros_like(plane)
    low, high = np.percentile(known, (LOW, HIGH))
    return np.clip(np.nan_to_num((plane - low) / max(high - low, 1e-9)), 0, 1)
