"""What the report shows of single chips: where two lie on the map, and which are most similar."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float32, Int64

from terrashot.domain.retrieval import nearest, one_vector, partner_ranks
from terrashot.domain.tables import Chips, Embeddings, Labels
from terrashot.domain.tasks import task_of
from terrashot.embed.projection import complete
from terrashot.plots.chip_plates import Plate, shrunk
from terrashot.plots.located_chips import LocatedChips
from terrashot.plots.nearest_plates import Hit, Query, Search
from terrashot.plots.tsne import Layout
from terrashot.steps.plates import chip_image, label_text
from terrashot.store.chips import ChipStore

QUERIES, HITS, KS = 2, 5, (1, 5, 10)
MOST_SEARCHED = 20_000
"""Test chips that are searched; of more, a random sample."""
MOST_PX = 160
"""Side of the small images: as many pixels as they have on the page."""
SHOWN_MAP = "s1grdm"
"""The paper's figure 6 shows the radar's map."""
LOW, HIGH = 0.05, 0.95
"""Quantiles of the label of the two chips that are located."""


def locate_chips(store: ChipStore, chips: Chips, labels: Labels, layouts: Mapping[str, Layout]) -> LocatedChips | None:
    """Two chips of clearly different label, on one map; None where there are no two such chips that every modality sees.

    Of a numeric target the chips at its 5 % and 95 % quantiles; of classes the first chips of the two commonest.
    """
    modalities = [name for name in layouts if name in store.modalities]
    if not modalities or not labels.targets:
        return None
    target = next(
        (name for name, values in labels.targets.items() if values.dtype != object), next(iter(labels.targets))
    )
    values, shown = labels.targets[target], np.all([layouts[name].shown for name in modalities], axis=0)
    rows = _unlike(values, np.flatnonzero(shown))
    if rows is None:
        return None
    modality = SHOWN_MAP if SHOWN_MAP in modalities else modalities[0]
    plates = [
        _plate(store, chips, f"{task_of(target).title} {label_text(values[row])} ({chips.area[row]})", row)
        for row in rows
    ]
    return LocatedChips(modality, layouts[modality], target, values, rows, (plates[0], plates[1]))


def _unlike(values: np.ndarray, rows: Int64[np.ndarray, " n"]) -> tuple[int, int] | None:
    """Two of the rows whose values differ clearly."""
    if values.dtype == object:
        names, first, counts = np.unique(values[rows].astype(str), return_index=True, return_counts=True)
        known = np.array([name != "None" for name in names], dtype=bool)
        commonest = first[known][np.argsort(-counts[known], kind="stable")][:2]
        return (int(rows[commonest[0]]), int(rows[commonest[1]])) if len(commonest) == 2 else None
    known_rows = rows[~np.isnan(values[rows])]
    ordered = known_rows[np.argsort(values[known_rows], kind="stable")]
    if len(ordered) < 2:
        return None
    low, high = (int(ordered[round(share * (len(ordered) - 1))]) for share in (LOW, HIGH))
    return (low, high) if values[low] < values[high] else None


def _plate(store: ChipStore, chips: Chips, caption: str, row: int) -> Plate:
    return Plate(chips.ids[row], caption, {name: _image(store, chips.ids[row], name) for name in store.modalities})


def search_chips(store: ChipStore, embeddings: Embeddings, chips: Chips, *, seed: int) -> list[Search]:
    """A few random test chips and the most similar ones: across each pair of modalities both ways, then within each.

    Args:
        chips: in the rows of the embeddings, with their split.
    """
    names = [name for name in embeddings.blocks if name in store.modalities]
    found: list[Search] = []
    for pair in combinations(names, 2):
        rows = _pool(embeddings, chips, pair, seed)
        views = {name: one_vector(embeddings.shared_parts(name)[rows]) for name in pair}
        if len(rows) > HITS and len({view.shape[1] for view in views.values()}) == 1:
            found += [_across(store, chips.take(rows), views, way) for way in (pair, pair[::-1])]
    for name in names:
        rows = _pool(embeddings, chips, (name,), seed)
        if len(rows) > HITS:
            # All parts side by side as one: their direction.
            whole = embeddings.shared_parts(name)[rows].reshape(len(rows), 1, -1)
            found.append(_within(store, chips.take(rows), one_vector(whole), name))
    return found


def _pool(embeddings: Embeddings, chips: Chips, names: Sequence[str], seed: int) -> Int64[np.ndarray, " n"]:
    """Test chips that have these modalities, in random order."""
    test = chips.rows_in("test")
    whole = np.all([complete(embeddings.blocks[name][test]) for name in names], axis=0)
    return np.random.default_rng(seed).permutation(test[whole])[:MOST_SEARCHED]


def _queries(chips: Chips) -> list[int]:
    """Rows of the chips that are looked up: the first of each area, then the next ones."""
    first_of_area = {area: row for row, area in reversed(list(enumerate(chips.area)))}
    rows = [*sorted(first_of_area.values()), *range(len(chips))]
    return list(dict.fromkeys(rows))[:QUERIES]


def _across(
    store: ChipStore, chips: Chips, views: Mapping[str, Float32[np.ndarray, "N D"]], way: Sequence[str]
) -> Search:
    asking, among = way
    ranks = partner_ranks(views[asking], views[among])
    rows = _queries(chips)
    found = nearest(views[asking][rows], views[among], HITS)
    queries = [
        Query(
            chips.area[row], _image(store, chips.ids[row], asking), list(_hits(store, chips, among, hits, row)),
            _image(store, chips.ids[row], among), int(ranks[row]) + 1,
        )
        for row, *hits in zip(rows, *found, strict=True)
    ]  # fmt: skip
    return Search(asking, among, len(chips), queries, {k: float((ranks < k).mean()) for k in KS})


def _within(store: ChipStore, chips: Chips, vectors: Float32[np.ndarray, "N D"], name: str) -> Search:
    rows = _queries(chips)
    found = nearest(vectors[rows], vectors, HITS, own=np.array(rows))
    queries = [
        Query(chips.area[row], _image(store, chips.ids[row], name), list(_hits(store, chips, name, hits, None)))
        for row, *hits in zip(rows, *found, strict=True)
    ]
    return Search(name, name, len(chips), queries)


def _hits(store: ChipStore, chips: Chips, modality: str, hits: Sequence[np.ndarray], own: int | None) -> Iterator[Hit]:
    for row, similarity in zip(*hits, strict=True):
        yield Hit(_image(store, chips.ids[row], modality), float(similarity), bool(row == own))


def _image(store: ChipStore, chip_id: str, modality: str) -> Float32[np.ndarray, "C H W"] | None:
    image = chip_image(store, chip_id, modality)
    return None if image is None else shrunk(image, MOST_PX)
