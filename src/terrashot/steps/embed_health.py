"""The health card beside a table that was just embedded, and what its number type lost."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from terrashot.domain.health import HealthCard
from terrashot.domain.tables import Embeddings, Presence
from terrashot.embed.embed import RawVectors
from terrashot.embed.probe import probe_embedding
from terrashot.embed.stand_in import Groups
from terrashot.health.card import card_of
from terrashot.health.quantised import LOOK, neighbours_lost
from terrashot.steps.embed_tables import TableJob
from terrashot.steps.health import card_said, channels_there
from terrashot.steps.progress import Said, Work
from terrashot.store.health import health_path, write_health
from terrashot.store.vectors import read_some_embeddings

MOST_CHIPS = 20_000
"""Of more chips a sample is looked at, so that memory does not grow with their number."""
MOST_COMPARED = 2000
"""Chips whose vectors as made are compared with those stored."""


def write_card(path: Path, table: TableJob, made: Groups, presence: Presence, floors: Path | None) -> Work[None]:
    """The card lies beside the table at `path`; its sentence is said, and every loss of more than a point.

    Args:
        made: those of the vectors that were made just now, before they were stored.
        floors: simple features of the same chips, in the same order.
    """
    rows = _sampled(len(table.chips), MOST_CHIPS, table.choices.seed)
    some = read_some_embeddings(path, rows)
    simple = None if floors is None else read_some_embeddings(floors, rows)
    lost = _lost(table, made, path)
    probe = replace(
        probe_embedding(table.job, table.chips.ids), quantised=lost, policy=table.choices.facts["channels"],
        channels_there=channels_there(presence, some.chips),
    )  # fmt: skip
    card = replace(
        card_of(some, floors=simple, probe=probe, seed=table.choices.seed), n_chips=len(table.chips)
    )  # fmt: skip
    write_health(health_path(path), card, path)
    yield from _said(table, card, lost)


def _said(table: TableJob, card: HealthCard, lost: dict[str, float]) -> Iterator[Said]:
    yield from card_said(card)
    for name, points in lost.items():
        if table.choices.dtype == "int8" or points > LOOK:
            warning = "; more than a point: float16 loses less" if points > LOOK else ""
            yield Said(f"{name} as {table.choices.dtype}: {points:.2f} of 100 nearest neighbours are others{warning}")


def _lost(table: TableJob, made: Groups, path: Path) -> dict[str, float]:
    """Of 100 nearest neighbours, how many are lost by the number type, by block; of vectors made earlier it cannot be told."""
    just_made = {chip_id for ids, _ in made() for chip_id in ids}
    rows = _sampled(len(table.chips), MOST_COMPARED, table.choices.seed)
    rows = rows[[table.chips.ids[row] in just_made for row in rows]]
    if table.choices.dtype == "float32" or not len(rows):
        return {}
    stored = read_some_embeddings(path, rows)
    wanted = set(stored.chips.ids)
    found = [_whole(ids, raw, wanted) for ids, raw in made()]
    lost: dict[str, float] = {}
    for name in stored.blocks:
        before = np.concatenate([blocks[name] for blocks in found])
        points = _compared(before, stored, name, table.choices.seed)
        lost |= {} if points is None else {name: points}
    return lost


def _whole(ids: Sequence[str], raw: RawVectors, wanted: set[str]) -> dict[str, np.ndarray]:
    chosen = [row for row, chip_id in enumerate(ids) if chip_id in wanted]
    return {name: parts[chosen].reshape(len(chosen), -1) for name, parts in raw.parts.items()}


def _compared(before: np.ndarray, stored: Embeddings, name: str, seed: int) -> float | None:
    """Of the chips that lack nothing: what stands in was never made of pixels."""
    there = ~np.isnan(before).any(axis=1) & stored.present(name)
    return neighbours_lost(before[there], stored.blocks[name][there].astype(np.float32), seed)


def _sampled(n_chips: int, most: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(n_chips)[:most])
