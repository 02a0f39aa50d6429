"""The maps of a study's embeddings: made once, kept while the vectors stay, new chips placed into them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Int64

from terrashot.domain.projection import Projection, VectorMap
from terrashot.domain.tables import Embeddings, shared_rows
from terrashot.embed.projection import complete
from terrashot.embed.vector_map import extend_map, map_vectors
from terrashot.plots.tsne import Layout
from terrashot.steps.progress import Progress, Said, Work
from terrashot.store.projection import read_projection, write_projection
from terrashot.store.study import Study

PREVIEW_ITERATIONS = 500


def study_projection(study: Study, embeddings: Embeddings, *, seed: int, most: int) -> Work[Projection]:
    """projection.parquet, after it holds every chip: those that it held stay where they were, if their vectors have.

    Args:
        most: chips to lay out; of more, a random sample, and the rest is placed into its map.
    """
    old = read_projection(study.projection) if study.projection.is_file() else None
    made = yield from project(embeddings, old, seed=seed, most=most)
    write_projection(study.projection, made)
    return made


def project(embeddings: Embeddings, old: Projection | None, *, seed: int, most: int) -> Work[Projection]:
    """The map of every block, from the old one where that was made in the same way from the same vectors."""
    made = Projection(embeddings.chips.ids, {}, embeddings.model, seed, most)
    usable = _in_our_rows(old, made.chip_ids) if old is not None and made.is_like(old) else {}
    maps = {}
    for done, (name, vectors) in enumerate(embeddings.blocks.items(), start=1):
        extended = extend_map(vectors, usable[name]) if name in usable else None
        sample = drawn(complete(vectors), seed, most)
        maps[name] = extended or map_vectors(vectors, sample, seed=seed, iterations=PREVIEW_ITERATIONS)
        if old is not None and extended is None:
            yield Said(f"the map of {name} is laid out anew: the one before does not fit these vectors and settings")
        yield Progress("report", done, len(embeddings.blocks) + 2, f"map of {name}")
    return Projection(made.chip_ids, maps, made.model, seed, most)


def sampled_maps(embeddings: Embeddings, *, seed: int, most: int) -> Work[dict[str, VectorMap]]:
    """Maps of at most `most` chips, to look at only: no other chip has a place."""
    maps = {}
    for done, (name, vectors) in enumerate(embeddings.blocks.items(), start=1):
        rows = np.sort(drawn(complete(vectors), seed, most))
        small = map_vectors(vectors[rows], np.arange(len(rows)), seed=seed, iterations=PREVIEW_ITERATIONS)
        maps[name] = small.spread(rows, len(vectors))
        yield Progress("report", done, len(embeddings.blocks) + 2, f"map of {name}")
    return maps


def drawn(is_known: Bool[np.ndarray, " N"], seed: int, most: int) -> Int64[np.ndarray, " n"]:
    """At most so many rows that have a vector: the same chips in every block that has them."""
    order = np.random.default_rng(seed).permutation(len(is_known))
    return order[is_known[order]][:most]


def layouts(
    maps: Mapping[str, VectorMap], embeddings: Embeddings, *, seed: int, most: int
) -> tuple[dict[str, Layout], dict[str, Layout]]:
    """What is drawn of the maps: at most so many chips by t-SNE, and the same ones by principal components."""
    by_tsne, by_components = {}, {}
    for name, made in maps.items():
        is_known = complete(embeddings.blocks[name])
        rows, n_known = drawn(is_known, seed, most), int(is_known.sum())
        shown = made.take(rows).spread(rows, len(is_known))
        by_tsne[name] = Layout(shown.places, n_known, int((~made.is_laid_out[rows]).sum()))
        by_components[name] = Layout(shown.components, n_known, variance=made.variance)
    return by_tsne, by_components


def _in_our_rows(old: Projection, ids: tuple[str, ...]) -> dict[str, VectorMap]:
    if not set(ids) & set(old.chip_ids):
        return {}
    ours, theirs = shared_rows(ids, old.chip_ids)
    return {name: made.take(theirs).spread(ours, len(ids)) for name, made in old.maps.items()}
