"""Long embedding in parts: groups of chips, each kept once it is embedded, so that a killed run goes on from there."""

from collections.abc import Generator, Sequence

import numpy as np

from terrashot.domain.normalize import ChannelStats
from terrashot.domain.tables import Chips, Embeddings
from terrashot.durable.parts import Parts, read_part
from terrashot.embed.embed import ChannelPolicy, EmbedDone, embed_chips
from terrashot.engine import cut
from terrashot.model.towers import Towers
from terrashot.store.arrays import arrays_as_bytes, arrays_of_bytes
from terrashot.store.chips import ChipStore

PART_PIXELS = 1 << 26
"""334 chips of 448 px: minutes of work on one core, and a matrix product's batch is still far smaller."""


def chips_a_part(chip_px: int) -> int:
    """Chips embedded between two parts; of their size alone, so that parts do not depend on where a run was killed."""
    return max(1, PART_PIXELS // chip_px**2)


def embed_in_parts(
    towers: Towers,
    stats: ChannelStats,
    store: ChipStore,
    chips: Chips,
    *,
    channels: ChannelPolicy,
    seed: int,
    parts: Parts,
    name: str,
) -> Generator[EmbedDone, None, Embeddings]:
    """As `embed_chips`, group by group in the order of the ids; the same bytes whether or not it was interrupted.

    Args:
        name: of these vectors among the parts.
    """
    order = sorted(range(len(chips)), key=chips.ids.__getitem__)
    groups = list(cut(order, chips_a_part(store.chip_px))) or [[]]
    names = [modality for modality in towers.config.modalities if modality in store.modalities]
    made: list[list[np.ndarray]] = []
    for number, rows in enumerate(groups):
        arrays = read_part(parts, f"{name}-{number}", arrays_of_bytes)
        if arrays is None:
            work = embed_chips(towers, stats, store, chips.take(rows), channels=channels, seed=seed)
            before = sum(map(len, groups[:number]))
            table = yield from _counted(work, len(names), before=before, here=len(rows), total=len(chips))
            arrays = _arrays(table)
            parts.put(f"{name}-{number}", arrays_as_bytes(arrays))
        made.append(arrays)
    return _joined(chips, names, order, made)


def _counted(
    work: Generator[EmbedDone, None, Embeddings], n_modalities: int, *, before: int, here: int, total: int
) -> Generator[EmbedDone, None, Embeddings]:
    """The same work, its progress told in chips of the whole."""
    seen: list[str] = []
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            return stop.value
        seen += [] if event.modality in seen else [event.modality]
        share = (len(seen) - 1 + event.done / event.total) / n_modalities
        yield EmbedDone(event.modality, before + int(here * share), total)


def _arrays(table: Embeddings) -> list[np.ndarray]:
    return [array for name in table.blocks for array in (table.blocks[name], table.n_channels[name])]


def _joined(
    chips: Chips, names: Sequence[str], order: Sequence[int], made: Sequence[Sequence[np.ndarray]]
) -> Embeddings:
    columns = [np.concatenate(column) for column in zip(*made, strict=True)]
    back = np.argsort(np.asarray(order, dtype=np.int64))
    blocks = {name: columns[2 * index][back] for index, name in enumerate(names)}
    counts = {name: columns[2 * index + 1][back] for index, name in enumerate(names)}
    return Embeddings(chips, blocks, counts)
