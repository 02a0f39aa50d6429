"""Figures of the embeddings: maps, two chips located in one, chips that are most similar."""

from collections.abc import Iterator, Mapping

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
