"""The model as a picture: from a channel of each modality to the loss (Allen et al. 2023, arXiv:2310.00119, figure 3).

Lengths are in inches on the page, x to the right and y upward, so that text keeps its place at any number of towers.
Legend: h w rows and columns of a patch.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Polygon, Rectangle

from terrashot.plots.style import BLACK, COLOURS, GREY, MARKERS, new_figure

WIDTH, HEAD, FOOT = 11.0, 0.95, 0.3
CHIP, PATCHES, TOWER, PROJECTION, SPHERE, LOSS = 2.35, 3.75, 5.65, 7.25, 8.75, 10.2
"""Middle of each column."""
SIDE, PATCHES_SIDE, TOWER_WIDTH, RADIUS, MATRIX = 0.5, 0.62, 1.9, 0.62, 0.9
ROW, LEAST_ROWS = 0.85, 2.4
"""Height of a tower; the sphere and the loss need as much as so many of them."""
LIGHT = "#eeeeee"


@dataclass(frozen=True, slots=True)
class TowerInput:
    """What one tower looks at."""

    title: str
    fewest: int
    most: int
    """Channels that a chip has of the modality, where it has any."""
    views: int = 1
    """How many of them a step shows."""
    differences: bool = False
    """Whether it may also be the difference of two."""

    @property
    def channels(self) -> str:
        """How many there are to draw from."""
        count = f"{self.most}" if self.fewest == self.most else f"{self.fewest} to {self.most}"
        shown = f"{min(self.views, max(1, self.most))} of {count} channel{'s' if self.most > 1 else ''}"
        return f"{shown}\nor their differences" if self.differences else shown


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes that the picture tells; the same for all towers."""

    inputs: tuple[TowerInput, ...]
    chip_px: int
    patch_px: int
    width: int
    depth: int
    heads: int
    shared: int
    """Dimensions of the space in which the towers are to agree."""
    parameters: int
    convolutions: int = 0
    """Before the transformer, which then is read out over all its tokens."""

    @property
    def n_patches(self) -> int:
        return (self.chip_px // self.patch_px) ** 2


def model_diagram(shape: ModelShape) -> Figure:
    """A row a tower, from left to right; at the end all meet on one sphere and in one loss."""
    height = HEAD + FOOT + ROW * max(len(shape.inputs), LEAST_ROWS)
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    middle = FOOT + (height - HEAD - FOOT) / 2
    rows = [middle + ROW * ((len(shape.inputs) - 1) / 2 - number) for number in range(len(shape.inputs))]
    _headings(axes, height - HEAD + 0.28, shape)
    meeting = _sphere(axes, middle, len(rows))
    for number, (y, seen) in enumerate(zip(rows, shape.inputs, strict=True)):
        _input(axes, y, seen, _ground(number), COLOURS[number % len(COLOURS)])
        _tower(axes, y, shape, COLOURS[number % len(COLOURS)])
        _arrow(axes, (PROJECTION + 0.34, y), meeting[number])
    _loss(axes, middle, shape)
    # Last, because images would set limits of their own.
    axes.set(xlim=(0, WIDTH), ylim=(0, height), aspect="auto")
    return figure


def _headings(axes: Axes, y: float, shape: ModelShape) -> None:
    for x, text in (
        (CHIP, f"{_drawn(shape)},\n{shape.chip_px} × {shape.chip_px} px"),
        (PATCHES, f"{shape.n_patches} patches\nof {shape.patch_px} × {shape.patch_px} px"),
        (
            TOWER,
            f"{len(shape.inputs)} towers, each with its own weights:\n{shape.parameters / 1e6:,.1f} million parameters",
        ),
        (PROJECTION, "mean, spread,\ntwo layers" if shape.convolutions else "linear\nprojection"),
        (SPHERE, f"unit sphere in\n{shape.shared} dimensions"),
        (LOSS, "contrastive\nloss"),
    ):
        axes.text(x, y, text, ha="center", va="center", fontsize=8.5, color=BLACK)


def _drawn(shape: ModelShape) -> str:
    views = max(seen.views for seen in shape.inputs)
    return "a random channel" if views == 1 else f"{views} random channels"


def _ground(number: int) -> Float64[np.ndarray, "H W"]:
    """Grey hills, others for each tower; 32 px a side."""
    rng = np.random.default_rng(number)
    row, col = np.mgrid[0:32, 0:32] / 32
    waves = rng.uniform(-9, 9, (6, 2)), rng.uniform(0, 2 * np.pi, 6)
    return np.sum([np.sin(y * row + x * col + phase) for (y, x), phase in zip(*waves, strict=True)], axis=0)


def _input(axes: Axes, y: float, seen: TowerInput, ground: Float64[np.ndarray, "H W"], colour: str) -> None:
    """What a tower looks at: its name, a stack of channels with the one in front shown, and that one's patches."""
    lines = [line for part in seen.title.replace(" (", "\n(").split("\n") for line in textwrap.wrap(part, 24)]
    axes.text(0.1, y, "\n".join([*lines[:3], seen.channels]), ha="left", va="center", fontsize=8)
    for place in (2, 1, 0):
        corner = (CHIP - SIDE / 2 + 0.06 * (place - 1), y - SIDE / 2 + 0.06 * (place - 1))
        axes.add_patch(Rectangle(corner, SIDE, SIDE, fc=LIGHT, ec=colour, lw=1.2, zorder=2 - 0.1 * place))
    _image(axes, ground, ground, (CHIP - SIDE / 2 - 0.04, y - SIDE / 2 - 0.04), SIDE - 0.04)
    _arrow(axes, (CHIP + SIDE / 2 + 0.12, y), (PATCHES - PATCHES_SIDE / 2 - 0.06, y))
    _patches(axes, y, ground)
    _arrow(axes, (PATCHES + PATCHES_SIDE / 2 + 0.06, y), (TOWER - TOWER_WIDTH / 2 - 0.02, y))


def _patches(axes: Axes, y: float, ground: Float64[np.ndarray, "H W"]) -> None:
    """Four a side, whatever their number."""
    step, size = PATCHES_SIDE / 4, len(ground) // 4
    for row in range(4):
        for col in range(4):
            part = ground[row * size : (row + 1) * size, col * size : (col + 1) * size]
            corner = PATCHES - PATCHES_SIDE / 2 + col * step, y + PATCHES_SIDE / 2 - (row + 1) * step
            _image(axes, part, ground, corner, 0.85 * step)


def _image(
    axes: Axes,
    part: Float64[np.ndarray, "h w"],
    whole: Float64[np.ndarray, "H W"],
    corner: tuple[float, float],
    side: float,
) -> None:
    """A part in the greys of the whole."""
    left, bottom = corner
    axes.imshow(
        part,
        cmap="gray",
        vmin=whole.min(),
        vmax=whole.max(),
        extent=(left, left + side, bottom, bottom + side),
        zorder=3,
    )


def _tower(axes: Axes, y: float, shape: ModelShape, colour: str) -> None:
    box = Rectangle((TOWER - TOWER_WIDTH / 2, y - 0.3), TOWER_WIDTH, 0.6, fc=LIGHT, ec=colour, lw=1.4)
    axes.add_patch(box)
    axes.text(TOWER, y, _tower_text(shape), ha="center", va="center", fontsize=8)
    _arrow(axes, (TOWER + TOWER_WIDTH / 2 + 0.02, y), (PROJECTION - 0.34, y))
    _trapezium(axes, y, colour)
    axes.text(
        PROJECTION,
        y,
        f"{(2 if shape.convolutions else 1) * shape.width}\n→ {shape.shared}",
        ha="center",
        va="center",
        fontsize=7,
    )


def _tower_text(shape: ModelShape) -> str:
    size = f"transformer, {shape.depth} layers of {shape.width}\n{shape.heads} heads, {shape.n_patches}"
    return f"{shape.convolutions} convolutions,\n{size} tokens" if shape.convolutions else f"{size} + 1 tokens"


def _trapezium(axes: Axes, y: float, colour: str) -> None:
    left, right = PROJECTION - 0.32, PROJECTION + 0.32
    corners = [(left, y - 0.3), (right, y - 0.2), (right, y + 0.2), (left, y + 0.3)]
    axes.add_patch(Polygon(corners, closed=True, fc="white", ec=colour, lw=1.4))


def _sphere(axes: Axes, y: float, count: int) -> Sequence[tuple[float, float]]:
    """Where each tower's arrow ends: one place, seen by all modalities, lies together on the left; other places elsewhere."""
    axes.add_patch(Circle((SPHERE, y), RADIUS, fc="white", ec=BLACK, lw=1.0))
    for turn in np.radians([35, -20, 80, -75]):
        centre = SPHERE + RADIUS * np.cos(turn), y + RADIUS * np.sin(turn)
        axes.plot(*centre, ls="", marker="o", ms=4, color=GREY)
    spread = np.radians(np.linspace(-1, 1, count) * min(4 * count, 55))
    ends = [(SPHERE - RADIUS * np.cos(turn), y - RADIUS * np.sin(turn)) for turn in spread]
    for number, (x, height) in enumerate(ends):
        marker, colour = MARKERS[number % len(MARKERS)], COLOURS[number % len(COLOURS)]
        axes.plot(x, height, ls="", marker=marker, ms=5, mfc=colour, mec=BLACK, mew=0.6, zorder=3)
    axes.text(SPHERE, y, "one place,\nall modalities:\ntogether", ha="center", va="center", fontsize=7)
    return [(x - 0.06, height) for x, height in ends]


def _loss(axes: Axes, y: float, shape: ModelShape) -> None:
    """Similarities of two views over a batch: the partners on the diagonal are to stand out."""
    _arrow(axes, (SPHERE + RADIUS + 0.05, y), (LOSS - MATRIX / 2 - 0.06, y))
    step = MATRIX / 5
    for row in range(5):
        for col in range(5):
            corner = (LOSS - MATRIX / 2 + col * step, y + MATRIX / 2 - (row + 1) * step)
            axes.add_patch(Rectangle(corner, step, step, fc=BLACK if row == col else LIGHT, ec="white", lw=0.8))
    count = sum(seen.views for seen in shape.inputs)
    pairs, name = count * (count - 1) // 2, "modalities" if count == len(shape.inputs) else "views"
    of_pairs = f"mean over the {pairs} pairs\nof {name}" if pairs > 1 else f"of the one pair\nof {name}"
    axes.text(LOSS, y - MATRIX / 2 - 0.08, of_pairs, ha="center", va="top", fontsize=7.5)
    axes.text(LOSS, y + MATRIX / 2 + 0.08, "one learnt\ntemperature", ha="center", va="bottom", fontsize=7.5)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, color=BLACK, lw=0.9, shrinkA=0, shrinkB=0)
    )
