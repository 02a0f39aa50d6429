"""A chip's most similar chips as pictures: in another modality, where its own image is the one to find, or in the same one.

Lengths are in inches on the page, x to the right and y upward.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jaxtyping import Float32
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from terrashot.domain.modality import MODALITIES
from terrashot.plots.chip_plates import chip_panel
from terrashot.plots.style import VERMILION, new_figure

Image = Float32[ndarray, "_ H W"] | None
SIDE, GAP, AISLE, EDGE = 1.15, 0.1, 0.3, 0.25
HEAD, UNDER = 0.42, 0.24
"""Above the first row of a search, and under every image."""
TOP, FRAME = 0.2, 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """A chip that was found."""

    image: Image
    similarity: float
    is_own: bool
    """Whether it is the query's own chip, seen by the other modality."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One chip that is looked up, and what was found."""

    caption: str
    image: Image
    hits: Sequence[Hit]
    """The most similar first."""
    own: Image = None
    own_rank: int | None = None
    """Where its own image in the other modality comes, 1 the first; None in a search within one modality."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Chips of one modality, looked up among all chips of one."""

    asking: str
    """The queries' modality."""
    among: str
    """Another modality, or the same."""
    n_searched: int
    queries: Sequence[Query]
    recall: Mapping[int, float] = field(default_factory=dict)
    """How often, over all chips searched, a chip's own image is among the k most similar, by k."""

    @property
    def is_across(self) -> bool:
        """Whether it leads from one modality to another."""
        return self.asking != self.among


def nearest_plates(searches: Sequence[Search]) -> Figure:
    """A row a query, the names of a search above its first row."""
    n_hits = max(len(query.hits) for search in searches for query in search.queries)
    n_rows = sum(len(search.queries) for search in searches)
    has_own = any(search.is_across for search in searches)
    width = EDGE + SIDE + AISLE + n_hits * (SIDE + GAP) - GAP + (AISLE + SIDE if has_own else 0) + EDGE
    figure = new_figure(width, TOP + n_rows * (SIDE + UNDER) + len(searches) * HEAD)
    figure.set_layout_engine("none")
    top = figure.get_figheight() - TOP
    for search in searches:
        _head(figure, search, top, n_hits)
        top -= HEAD
        for query in search.queries:
            _row(figure, query, top - SIDE, n_hits)
            top -= SIDE + UNDER
    return figure


def _head(figure: Figure, search: Search, top: float, n_hits: int) -> None:
    """Over the first row of a search: the query, what is searched, what should be found."""
    asking, among = (MODALITIES[name].title.partition(" (")[0] for name in (search.asking, search.among))
    words = {EDGE: f"query: {asking}", EDGE + SIDE + AISLE: f"most similar {among} images of {search.n_searched:,}"}
    if search.is_across:
        words[_own_left(n_hits)] = f"its own {among}\nimage"
    width, height = figure.get_size_inches()
    for left, text in words.items():
        figure.text(left / width, (top - HEAD + 0.06) / height, text, fontsize=8.5, fontweight="bold", va="bottom")


def _row(figure: Figure, query: Query, bottom: float, n_hits: int) -> None:
    _panel(figure, EDGE, bottom, query.image, query.caption)
    for number, hit in enumerate(query.hits):
        left = EDGE + SIDE + AISLE + number * (SIDE + GAP)
        ax = _panel(
            figure, left, bottom, hit.image, f"{number + 1}: {hit.similarity:.3f}{' (its own)' if hit.is_own else ''}"
        )
        if hit.is_own:
            _framed(ax)
    if query.own_rank is not None:
        _framed(_panel(figure, _own_left(n_hits), bottom, query.own, f"comes {_ordinal(query.own_rank)}"))


def _own_left(n_hits: int) -> float:
    return EDGE + SIDE + AISLE + n_hits * (SIDE + GAP) - GAP + AISLE


def _panel(figure: Figure, left: float, bottom: float, image: Image, words: str) -> Axes:
    width, height = figure.get_size_inches()
    ax = figure.add_axes((left / width, bottom / height, SIDE / width, SIDE / height))
    chip_panel(ax, image)
    ax.set_xlabel(words, fontsize=7.5, labelpad=2.5)
    return ax


def _framed(ax: Axes) -> None:
    """A thick frame, which shows without colour too."""
    ax.spines[:].set(visible=True, color=VERMILION, linewidth=FRAME)
    ax.xaxis.label.set(fontweight="bold")


def _ordinal(number: int) -> str:
    end = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{end}"
