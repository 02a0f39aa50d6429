"""Figures of the embeddings: maps, two chips located in one, chips that are most similar."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from terrashot.domain.modality import MODALITIES
from terrashot.domain.retrieval import chance_recall
from terrashot.domain.tasks import task_of
from terrashot.plots.located_chips import LocatedChips, located_chips
from terrashot.plots.nearest_plates import Search, nearest_plates
from terrashot.plots.tsne import Layout, tsne_grid
from terrashot.report.content import ReportContent
from terrashot.report.recipe import Recipe


def embedding_figures(content: ReportContent) -> Iterator[Recipe]:
    """In the page's order."""
    if content.layouts:
        yield Recipe(
            "tsne", "embeddings", "Embeddings, coloured by label",
            "Rows are tasks, columns modalities. Each dot is a chip, placed by t-SNE so that chips with similar embeddings lie "
            "close. Labels took no part in the places; where colours gather, the embedding has found what the label tells. "
            "Distances between far groups mean nothing. The colour of numbers is logarithmic where they span much; below a "
            f"thousandth of the top, zero among them, it no longer changes.{_placed(content.layouts)}{_sample(content.layouts)}",
            lambda: tsne_grid(content.layouts, content.labels.targets),
        )  # fmt: skip
    if content.components:
        yield Recipe(
            "pca", "embeddings", "Embeddings by principal components",
            "The same chips and colours along the two directions in which the vectors differ most. Unlike in t-SNE, distances mean "
            f"what they seem, but two directions hold only the share of the variance that the axes tell.{_sample(content.components)}",
            lambda: tsne_grid(content.components, content.labels.targets), is_folded=True,
        )  # fmt: skip
    if content.located is not None:
        yield _located(content.located)
    yield from _searches(content.searches)


def _located(located: LocatedChips) -> Recipe:
    target = task_of(located.target)
    return Recipe(
        "located", "embeddings", "Two chips on the map",
        f"Left: the map of the {MODALITIES[located.modality].title} embeddings, coloured by {target.title}; rings mark two chips of "
        "clearly different label. Right: what the sensors see of each. Each image is stretched over its own 2nd to 98th percentile; "
        "hatched parts have no data. After Allen et al. 2023, figure 6.",
        lambda: located_chips(located), is_photo=True,
    )  # fmt: skip


def _searches(searches: Sequence[Search]) -> Iterator[Recipe]:
    across = [search for search in searches if search.is_across]
    within = [search for search in searches if not search.is_across]
    pairs = [across[start : start + 2] for start in range(0, len(across), 2)]
    for number, pair in enumerate(pairs, start=1):
        first, second = (_title(pair[0].asking), _title(pair[0].among))
        yield Recipe(
            f"nearest-{number}", "embeddings", f"Most similar chips across {first} and {second}",
            "A row is one test chip, drawn at random: left, the query; then the five most similar images of the other sensor, with "
            "the cosine of their vectors; right, the chip's own image there, and in which place it comes. Framed: its own image. "
            f"{' '.join(_recalled(search) for search in pair)} Images are stretched over their own 2nd to 98th percentile.",
            partial(nearest_plates, pair), is_folded=number > 1, is_photo=True,
        )  # fmt: skip
    if within:
        yield Recipe(
            "nearest-within", "embeddings", "Most similar chips of each sensor",
            "A row is one test chip, drawn at random, and the five test chips of the same sensor whose vectors are most similar, "
            f"with their cosine; the chip itself left out.{_searched(within)} Images are stretched over their own 2nd to 98th "
            "percentile.",
            partial(nearest_plates, within), is_folded=True, is_photo=True,
        )  # fmt: skip


def _recalled(search: Search) -> str:
    """How often the search finds the chip's own image, beside guessing."""
    shares = ", ".join(f"{100 * share:.1f} %" for share in search.recall.values())
    chances = ", ".join(f"{100 * chance_recall(search.n_searched, k):.1f} %" for k in search.recall)
    *first, last = map(str, search.recall)
    asking, among = _title(search.asking), _title(search.among)
    return (
        f"Of {search.n_searched:,} test chips {asking} finds its own {among} image among the {', '.join(first)} or {last} most "
        f"similar in {shares} of cases; guessing: {chances}."
    )


def _searched(searches: Sequence[Search]) -> str:
    most = max(search.n_searched for search in searches)
    return f" Searched: up to {most:,} test chips."


def _title(modality: str) -> str:
    return MODALITIES[modality].title.partition(" (")[0]


def _sample(layouts: Mapping[str, Layout]) -> str:
    least = min(layouts.values(), key=lambda layout: int(layout.shown.sum()) / max(1, layout.n_chips))
    shown = int(least.shown.sum())
    return f" A random sample of {shown:,} of {least.n_chips:,} chips." if shown < least.n_chips else ""


def _placed(layouts: Mapping[str, Layout]) -> str:
    most = max(layouts.values(), key=lambda layout: layout.n_placed)
    if most.n_placed == 0:
        return ""
    return (
        f" Up to {most.n_placed:,} of the chips shown came after the map was made: each was placed beside those that it resembles, "
        "and moved none."
    )
