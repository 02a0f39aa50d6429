"""Step `embed`: vectors of every chip, and the simple features that they must beat."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch

from terrashot.domain.normalize import ChannelStats
from terrashot.domain.tables import Chips, Embeddings
from terrashot.embed.embed import EmbedDone, embed_chips
from terrashot.embed.floors import FloorsProgress, make_floors
from terrashot.engine import available_cores
from terrashot.model.checkpoint import Model, load_model
from terrashot.model.towers import TowersConfig, make_towers
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.plan import Context, config_digest
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.store import manifest
from terrashot.store.chips import ChipStore, open_chip_store
from terrashot.store.statistics import measure_channels
from terrashot.store.tables import read_chips
from terrashot.store.vectors import read_embeddings, write_embeddings

Counted = TypeVar("Counted", EmbedDone, FloorsProgress)
UNTRAINED_SEED_OFFSET = 100_003
"""The untrained floor is a fresh draw, not the weights that training started from."""


def make_embeddings(context: Context) -> Work[None]:
    """Writes embeddings.parquet and floors.parquet; chips already embedded with this model are not embedded again."""
    # Of the cores, not of the workers asked for: sums over threads round by their number.
    torch.set_num_threads(available_cores())
    chips, store = read_chips(context.study.chips), open_chip_store(context.study.folder)
    model, section, seed = load_model(context.study.model), context.config.embed, context.config.study.seed
    known = _known(context, model)
    there = set() if known is None else set(known.chips.ids)
    new = chips.take([row for row, chip_id in enumerate(chips.ids) if chip_id not in there])
    made = yield from watched(
        "embed", embed_chips(model.towers, model.stats, store, new, channels=section.channels, seed=seed)
    )
    if known is not None:
        yield Said(f"{len(chips) - len(new)} chips were embedded with this model before; {len(new)} are new")
    table = replace(_joined(chips, made, known), model=model.digest)
    if section.floors:
        floors = yield from all_floors(chips, store, model.towers.config, model.stats, seed, section.channels)
        write_embeddings(context.study.floors, floors, "float32")
    write_embeddings(context.study.embeddings, table, section.dtype)


def embed_inputs(context: Context) -> Mapping[str, str]:
    """Digests of chips, pixels and model."""
    found = {
        path.name: digest_of_artefact(path)
        for path in (context.study.chips, context.study.presence, context.study.model)
    }
    return {name: digest for name, digest in found.items() if digest is not None}


def all_floors(
    chips: Chips, store: ChipStore, towers: TowersConfig, stats: ChannelStats, seed: int, channels: Any
) -> Work[Embeddings]:
    """Image statistics, random convolutions and untrained towers of every chip; learnt from training chips alone."""
    train_rows = chips.rows_in("train")
    if len(train_rows) == 0:
        train_rows = np.arange(len(chips))
    own = measure_channels(store, [chips.ids[row] for row in train_rows], seed)
    simple = yield from watched("floors", make_floors(store, chips, stats=own, train_rows=train_rows, seed=seed))
    fresh = make_towers(towers, seed + UNTRAINED_SEED_OFFSET)
    plain = yield from watched("untrained", embed_chips(fresh, stats, store, chips, channels=channels, seed=seed))
    return Embeddings(chips, {**simple.blocks, **{f"untrained:{name}": block for name, block in plain.blocks.items()}})


def watched(job: str, work: Generator[Counted, None, Embeddings]) -> Work[Embeddings]:
    """The table that some work makes, its own events told as progress of `job`."""
    return relay(work, lambda event: [Progress(job, event.done, event.total, getattr(event, "modality", ""))])


def _known(context: Context, model: Model) -> Embeddings | None:
    """The table of an earlier run, if the same model made it under the same settings."""
    line = manifest.read(context.study.manifest).get("embed")
    path = context.study.embeddings
    if line is None or line.outputs.get(path.name) != digest_of_artefact(path):
        return None
    if line.config != config_digest(("study.seed", "embed"), context.config):
        return None
    table = read_embeddings(path)
    return table if table.model == model.digest else None


def _joined(chips: Chips, made: Embeddings, known: Embeddings | None) -> Embeddings:
    """Vectors of all chips, from the two tables that hold them."""
    if known is None:
        return made
    blocks, n_channels = {}, {}
    for name, block in made.blocks.items():
        old = known.blocks.get(name, np.full((len(known.chips), block.shape[1]), np.nan, np.float32))
        counts = known.n_channels.get(name, np.zeros(len(known.chips), np.int16))
        row_of = {chip_id: row for row, chip_id in enumerate((*known.chips.ids, *made.chips.ids))}
        rows = np.array([row_of[chip_id] for chip_id in chips.ids], dtype=np.int64)
        blocks[name] = np.concatenate([old, block])[rows]
        n_channels[name] = np.concatenate([counts, made.n_channels[name]])[rows]
    return Embeddings(chips, blocks, n_channels)
