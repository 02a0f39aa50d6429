"""The health card beside a table that was just embedded, and what its number type lost."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from terrashot.domain.tables import Chips
from terrashot.embed.probe import probe_embedding
from terrashot.embed.stand_in import Groups
from terrashot.health.card import card_of
from terrashot.steps.embed_loss import LabelledTasks, loss_said, sampled, storing_losses
from terrashot.steps.embed_tables import TableJob
from terrashot.steps.health import card_said
from terrashot.steps.progress import Work
from terrashot.store.health import health_path, write_health
from terrashot.store.vectors import read_some_embeddings

MOST_CHIPS = 20_000
"""Of more chips a sample is looked at, so that memory does not grow with their number."""


def write_card(
    path: Path, table: TableJob, made: Groups, floors: Path | None, tasks: LabelledTasks | None
) -> Work[None]:
    """The card lies beside the table at `path`; its sentence is said, and what the number type lost.

    Args:
        made: those of the vectors that were made just now, before they were stored.
        floors: simple features of the same chips, in the same order.
        tasks: by which the loss is told in points of accuracy; it is said and not kept, since the card follows from vectors alone.
    """
    rows = sampled(np.arange(len(table.chips)), MOST_CHIPS, table.choices.seed)
    some = read_some_embeddings(path, rows)
    simple = None if floors is None else read_some_embeddings(floors, rows)
    losses = storing_losses(path, table, made, tasks)
    probe = replace(
        probe_embedding(table.job, table.chips.ids), policy=table.choices.facts["channels"],
        quantised={name: loss.neighbours for name, loss in losses.items()}, channels_there=_there(table, some.chips),
    )  # fmt: skip
    card = replace(
        card_of(some, floors=simple, probe=probe, seed=table.choices.seed), n_chips=len(table.chips)
    )  # fmt: skip
    write_health(health_path(path), card, path)
    yield from card_said(card)
    yield from loss_said(losses, table.choices.dtype)


def _there(table: TableJob, chips: Chips) -> dict[str, np.ndarray]:
    """By modality, how many channels each chip has: of the sampled chips alone, for presence.parquet has a row a channel of all."""
    names = [plan.modality for plan in table.job.plans]
    return {name: np.array([len(table.plain.channels(chip_id, name)) for chip_id in chips.ids]) for name in names}
