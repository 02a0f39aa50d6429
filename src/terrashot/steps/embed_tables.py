"""Tables of vectors, written group by group: what the step `embed` and the command `embed` share."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Bool

from terrashot.domain.absence import AbsenceStrategy
from terrashot.domain.normalize import ChannelStats
from terrashot.domain.tables import Chips, Embeddings
from terrashot.durable.parts import Parts
from terrashot.embed.channels import BlockPlan, ChannelPolicy, plan_blocks
from terrashot.embed.embed import EmbedDone, EmbedJob, EmbedPrecision, shared_modalities, shown_modalities
from terrashot.embed.floors import FloorsProgress, KeptFloors, make_floors
from terrashot.embed.in_parts import embed_in_parts
from terrashot.embed.stand_in import Groups, has_gaps, possible_strategy, with_stand_ins
from terrashot.model.towers import Towers, make_towers
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.store.chips import ChipStore
from terrashot.store.differences import with_differences
from terrashot.store.geoparquet import hilbert_order
from terrashot.store.statistics import measure_channels
from terrashot.store.write_vectors import TableForm, VectorType, write_embedding_groups

Event = TypeVar("Event", EmbedDone, FloorsProgress)
Made = TypeVar("Made")
UNTRAINED = "untrained"
UNTRAINED_SEED_OFFSET = 100_003
"""The untrained floor is a fresh draw, not the weights that training started from."""


@dataclass(frozen=True, slots=True)
class EmbedChoices:
    """How chips are embedded."""

    channels: ChannelPolicy
    absent: AbsenceStrategy
    dtype: VectorType
    precision: EmbedPrecision
    seed: int
    workers: int

    @property
    def facts(self) -> dict[str, str]:
        """What the table's footer tells of them."""
        channels = self.channels if isinstance(self.channels, str) else ",".join(self.channels)
        return {"channels": channels, "absent": self.absent, "precision": self.precision}


@dataclass(frozen=True, eq=False)
class TableJob:
    """Chips in the order of their table, and all that is needed to make it."""

    job: EmbedJob
    chips: Chips
    choices: EmbedChoices
    parts: Parts
    plain: ChipStore
    """The channels alone, which is what floors see: differences are the model's own doing."""
    unseen: tuple[str, ...] = ()
    """Modalities of which no chip has a valid pixel: they get no vectors."""

    @cached_property
    def is_train(self) -> Bool[np.ndarray, " N"]:
        """Which are the training chips; all where none is one."""
        found = np.zeros(len(self.chips), dtype=bool)
        found[self.chips.rows_in("train")] = True
        return found if found.any() else ~found

    @property
    def train_ids(self) -> list[str]:
        """Their ids."""
        return list(compress(self.chips.ids, self.is_train))

    def stand_ins(self, groups: Groups) -> Iterator[Embeddings]:
        """Tables of consecutive chips, with something in the place of an absent part."""
        return with_stand_ins(groups, self.job.plans, self.chips, self.is_train, self.choices.absent)


def table_job(
    towers: Towers, stats: ChannelStats, store: ChipStore, chips: Chips, choices: EmbedChoices, parts: Parts
) -> TableJob:
    """The chips along a Hilbert curve, and what their vectors are to be made of.

    Raises:
        InputError: no chip has a valid pixel of any modality that the model knows.
    """
    ordered, seen = chips.take(hilbert_order(chips)), with_differences(store, stats)
    shared = shared_modalities(towers, store)
    shown = shown_modalities(store, shared, ordered.ids)
    unseen = tuple(name for name in shared if name not in shown)
    made = TableJob(EmbedJob(towers, stats, seen, (), choices.seed), ordered, choices, parts, store, unseen)
    plans = plan_blocks(seen, shown, choices.channels, train_ids=made.train_ids, stats=stats)
    workers = to_device(towers, choices.workers)
    return replace(made, job=EmbedJob(towers, stats, seen, plans, choices.seed, choices.precision, workers))


def to_device(towers: Towers, workers: int) -> int:
    """How many workers to use, after the towers are on the GPU, which one is enough for; all asked for where there is none."""
    if not torch.cuda.is_available():
        return workers
    towers.to(torch.device("cuda"))
    return 1


KEPT_DTYPE = "float32"
"""In which vectors are kept on the way to a table, so that what the table's type loses can be told."""


def with_possible_stand_in(table: TableJob, groups: Groups) -> Work[TableJob]:
    """The job with what can stand in on these chips, which is said where it is not what was asked for, as is what has no vectors."""
    for name in table.unseen:
        yield Said(f"{name}: no chip has a valid pixel; it gets no vectors")
    if not kinds_of(table.job.plans) or not has_gaps(groups):
        return table
    strategy, note = possible_strategy(groups, table.is_train, table.choices.absent)
    if note is not None:
        yield Said(note)
    return replace(table, choices=replace(table.choices, absent=strategy))


def write_vectors(path: Path, table: TableJob, groups: Groups, model: str) -> dict[str, int]:
    """An embedding table from vectors that are there; how many chips have a vector, by modality."""
    kinds, shared = kinds_of(table.job.plans), shared_of(table.job)
    form = TableForm(table.choices.dtype, model, kinds, table.choices.facts, shared)
    counts = dict.fromkeys((plan.modality for plan in table.job.plans), 0)
    write_embedding_groups(path, table.chips, _counted(table.stand_ins(_as_stored(groups, form.dtype)), counts), form)
    return counts


def _as_stored(groups: Groups, dtype: VectorType) -> Groups:
    """The vectors as float16 has them, where that is asked for: what is learnt of a table comes from what it holds."""
    if dtype != "float16":
        return groups
    return lambda: (
        (ids, replace(raw, parts={name: parts.astype(np.float16) for name, parts in raw.parts.items()}))
        for ids, raw in groups()
    )


def _counted(tables: Iterator[Embeddings], counts: dict[str, int]) -> Iterator[Embeddings]:
    """The tables as they pass, while their vectors are counted."""
    for table in tables:
        for name in table.blocks:
            counts[name] += int(table.present(name).sum())
        yield table


def write_floors(path: Path, table: TableJob) -> Work[None]:
    """Image statistics, random convolutions and untrained towers of every chip; learnt from training chips alone."""
    ids, seed = table.chips.ids, table.choices.seed
    own = measure_channels(table.plain, table.train_ids, seed)
    simple = yield from watched(
        "floors",
        make_floors(
            table.plain, ids, stats=own, train_ids=table.train_ids, seed=seed, parts=table.parts
        ),
    )  # fmt: skip
    fresh = make_towers(table.job.towers.config, seed + UNTRAINED_SEED_OFFSET).to(table.job.towers.log_scale.device)
    work = embed_in_parts(replace(table.job, towers=fresh), ids, table.parts, name=UNTRAINED, dtype="float32")
    plain = yield from watched(UNTRAINED, work)
    kinds = {f"{UNTRAINED}:{name}": parts for name, parts in kinds_of(table.job.plans).items()}
    shared = {f"{UNTRAINED}:{name}": length for name, length in shared_of(table.job).items()}
    groups = _side_by_side(simple, table.stand_ins(plain.groups))
    write_embedding_groups(path, table.chips, groups, TableForm("float32", None, kinds, table.choices.facts, shared))


def kinds_of(plans: Sequence[BlockPlan]) -> dict[str, tuple[str, ...]]:
    """Names of the parts of each block that has some."""
    return {plan.modality: plan.kinds for plan in plans if plan.kinds}


def shared_of(job: EmbedJob) -> dict[str, int]:
    """How many numbers of a vector modalities share, by block; nothing where they share all."""
    config = job.towers.config
    return {plan.modality: config.shared for plan in job.plans if config.shared < config.embedding}


def watched(job: str, work: Generator[Event, None, Made]) -> Work[Made]:
    """What some work makes, its own events told as progress of `job`."""
    return relay(work, lambda event: [Progress(job, event.done, event.total, getattr(event, "modality", ""))])


def _side_by_side(simple: KeptFloors, plain: Iterator[Embeddings]) -> Iterator[Embeddings]:
    """Tables of the same consecutive chips joined."""
    for (_, blocks), table in zip(simple.groups(), plain, strict=True):
        untrained: Mapping[str, np.ndarray] = {f"{UNTRAINED}:{name}": block for name, block in table.blocks.items()}
        yield Embeddings(table.chips, {**blocks, **untrained})
