"""Step `embed`: vectors of every chip, and the simple features that they must beat."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from terrashot.domain.normalize import ChannelStats
from terrashot.domain.tables import Chips, Embeddings
from terrashot.durable.parts import DiskParts, Parts
from terrashot.embed.embed import ChannelPolicy, EmbedDone
from terrashot.embed.floors import FloorsProgress, make_floors
from terrashot.embed.in_parts import embed_in_parts
from terrashot.engine import available_cores
from terrashot.model.checkpoint import Model, load_model
from terrashot.model.towers import TowersConfig, make_towers
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.plan import PIXELS, Context, config_digest
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.store import manifest
from terrashot.store.chips import ChipStore, open_chip_store
from terrashot.store.manifest import digest_of
from terrashot.store.statistics import measure_channels
from terrashot.store.tables import read_chips
from terrashot.store.vectors import read_embeddings, write_embeddings

Counted = TypeVar("Counted", EmbedDone, FloorsProgress)
EMBED_SECTIONS = ("study.seed", "embed", *PIXELS)
UNTRAINED_SEED_OFFSET = 100_003
"""The untrained floor is a fresh draw, not the weights that training started from."""


def make_embeddings(context: Context) -> Work[None]:
    """Writes embeddings.parquet and floors.parquet; chips already embedded with this model are not embedded again."""
    # Of the cores, not of the workers asked for: sums over threads round by their number.
    torch.set_num_threads(available_cores())
    study, section, seed = context.study, context.config.embed, context.config.study.seed
    chips, store, model = read_chips(study.chips), open_chip_store(study.folder), load_model(study.model)
    known = _known(context, model)
    parts = DiskParts(study.embed_parts, digest_of([_made_from(context), sorted(known.chips.ids) if known else []]))
    there = set() if known is None else set(known.chips.ids)
    new = chips.take([row for row, chip_id in enumerate(chips.ids) if chip_id not in there])
    work = embed_in_parts(
        model.towers, model.stats, store, new, channels=section.channels, seed=seed, parts=parts, name="embed"
    )
    made = yield from watched("embed", work)
    if known is not None:
        yield Said(f"{len(chips) - len(new)} chips were embedded with this model before; {len(new)} are new")
    if section.floors and not _is_as_recorded(context, study.floors):
        floors = yield from all_floors(
            chips, store, model.towers.config, model.stats, seed=seed, channels=section.channels, parts=parts
        )
        write_embeddings(study.floors, floors, "float32")
    write_embeddings(study.embeddings, replace(_joined(chips, made, known), model=model.digest), section.dtype)


def embed_outputs(context: Context) -> Sequence[Path]:
    """The tables that the step leaves."""
    return [context.study.embeddings, *([context.study.floors] if context.config.embed.floors else [])]


def embed_inputs(context: Context) -> Mapping[str, str]:
    """Digests of chips, pixels and model."""
    found = {
        path.name: digest_of_artefact(path)
        for path in (context.study.chips, context.study.presence, context.study.model)
    }
    return {name: digest for name, digest in found.items() if digest is not None}


def all_floors(
    chips: Chips,
    store: ChipStore,
    towers: TowersConfig,
    stats: ChannelStats,
    *,
    seed: int,
    channels: ChannelPolicy,
    parts: Parts,
) -> Work[Embeddings]:
    """Image statistics, random convolutions and untrained towers of every chip; learnt from training chips alone."""
    train_rows = chips.rows_in("train")
    if len(train_rows) == 0:
        train_rows = np.arange(len(chips))
    own = measure_channels(store, [chips.ids[row] for row in train_rows], seed)
    simple = yield from watched(
        "floors", make_floors(store, chips, stats=own, train_rows=train_rows, seed=seed, parts=parts)
    )
    fresh = make_towers(towers, seed + UNTRAINED_SEED_OFFSET)
    work = embed_in_parts(fresh, stats, store, chips, channels=channels, seed=seed, parts=parts, name="untrained")
    plain = yield from watched("untrained", work)
    return Embeddings(chips, {**simple.blocks, **{f"untrained:{name}": block for name, block in plain.blocks.items()}})


def watched(job: str, work: Generator[Counted, None, Embeddings]) -> Work[Embeddings]:
    """The table that some work makes, its own events told as progress of `job`."""
    return relay(work, lambda event: [Progress(job, event.done, event.total, getattr(event, "modality", ""))])


def _made_from(context: Context) -> dict[str, Any]:
    """All that the tables follow from, of the study as it is now."""
    return {"config": config_digest(EMBED_SECTIONS, context.config), "inputs": dict(embed_inputs(context))}


def _is_as_recorded(context: Context, path: Path) -> bool:
    """The table is the one that an earlier run made from the same inputs."""
    line = manifest.read(context.study.manifest).get("embed")
    if line is None or {"config": line.config, "inputs": dict(line.inputs)} != _made_from(context):
        return False
    return path.is_file() and line.outputs.get(path.name) == digest_of_artefact(path)


def _known(context: Context, model: Model) -> Embeddings | None:
    """The table of an earlier run, if the same model made it under the same settings."""
    line = manifest.read(context.study.manifest).get("embed")
    path = context.study.embeddings
    if line is None or not path.is_file() or line.outputs.get(path.name) != digest_of_artefact(path):
        return None
    if line.config != config_digest(EMBED_SECTIONS, context.config):
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
