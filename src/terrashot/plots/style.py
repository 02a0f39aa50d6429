"""One look for all figures, and figures whose bytes repeat."""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito 2008, "Color Universal Design": told apart with any colour vision.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW, BLACK, GREY = "#E69F00", "#56B4E9", "#F0E442", "#000000", "#777777"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, YELLOW)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.dpi": 110,
    # A class may be called by any signs; none of them is a formula.
    "text.parse_math": False,
    "svg.fonttype": "path",
    # A fixed salt: matplotlib's own is random, and the same figure must give the same bytes.
    "svg.hashsalt": "terrashot",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Inside, figures are drawn in our style."""
    with mpl.rc_context(SETTINGS):  # type: ignore[arg-type]
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure with a layout that keeps labels apart; no global state of pyplot."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def named_lines(axes: Iterable[Axes]) -> dict[str, Artist]:
    """Each name once, whichever panels have it."""
    return {name: line for ax in axes for line, name in zip(*ax.get_legend_handles_labels(), strict=True)}


def legend_below(figure: Figure, lines: Mapping[str, Artist]) -> None:
    """One legend for all panels, under them; as many columns as the names leave room for."""
    # About 5.5 points a letter at this size and 45 a line, so that the legend of a single panel is not cut off.
    widest = max((len(name) for name in lines), default=0) * 5.5 + 45
    columns = max(1, min(5, len(lines), int(figure.get_figwidth() * 72 / widest)))
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=columns)


def fix_layout(figure: Figure) -> None:
    """Puts everything in its place once; a figure that is written twice would be laid out twice, half of the time it takes."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")


def rendered(figure: Figure, kind: Literal["png", "svg"]) -> bytes:
    """The figure as `png` or `svg`, without a date in it."""
    buffer = io.BytesIO()
    # Printed by the canvas itself: `savefig` draws all of it twice.
    if kind == "png":
        FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})  # type: ignore[no-untyped-call]
    else:
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def in_few_colours(png: bytes) -> bytes:
    """The same picture in 256 colours, a third to a quarter of the bytes; a drawing looks no different, a photograph would."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    # Maximum coverage keeps every colour within about 16 of 255; the median cut, the default, lets thin lines go 50 astray.
    few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, "png", optimize=True)
    return buffer.getvalue()
