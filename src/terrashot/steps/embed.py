"""Step `embed`: vectors of every chip, and the simple features that they must beat."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from terrashot.config import EmbedSection
from terrashot.domain.tables import Embeddings
from terrashot.durable.parts import DiskParts
from terrashot.embed.in_parts import embed_in_parts
from terrashot.embed.joined import JoinedVectors, unchanged_chips
from terrashot.engine import available_cores
from terrashot.model.checkpoint import Model, load_model
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.embed_health import write_card
from terrashot.steps.embed_loss import JUDGED_BY_LABELS, LabelledTasks
from terrashot.steps.embed_tables import (
    KEPT_DTYPE,
    EmbedChoices,
    TableJob,
    kinds_of,
    table_job,
    watched,
    with_possible_stand_in,
    write_floors,
    write_vectors,
)
from terrashot.steps.plan import PIXELS, Context, config_digest
from terrashot.steps.progress import Said, Work
from terrashot.steps.task_rules import rules_of
from terrashot.store import manifest
from terrashot.store.chips import open_chip_store
from terrashot.store.manifest import digest_of
from terrashot.store.tables import read_chips, read_own_labels
from terrashot.store.vectors import read_embeddings
from terrashot.store.zarr_copy import write_zarr_copy

EMBED_SECTIONS = ("study.seed", "embed", *PIXELS)


def make_embeddings(context: Context) -> Work[None]:
    """Writes embeddings.parquet and floors.parquet; chips already embedded with this model are not embedded again."""
    # Of the cores, not of the workers asked for: sums over threads round by their number.
    torch.set_num_threads(available_cores())
    study, section = context.study, context.config.embed
    model = load_model(study.model)
    choices = _choices(context)
    old = _known(context, model)
    parts = DiskParts(study.embed_parts, digest_of([_made_from(context), sorted(old.chips.ids) if old else []]))
    table = table_job(model.towers, model.stats, open_chip_store(study.folder), read_chips(study.chips), choices, parts)
    known = old if old is not None and _has_same_parts(old, table) else None
    there = set() if known is None else unchanged_chips(table.job, known)
    new = [chip_id for chip_id in table.chips.ids if chip_id not in there]
    work = embed_in_parts(table.job, new, parts, name="embed", dtype=KEPT_DTYPE)
    made = yield from watched("embed", work)
    if known is not None:
        yield Said(
            f"{len(there & set(table.chips.ids))} chips were embedded with this model before; {len(new)} are new or changed"
        )
    vectors = made if known is None else JoinedVectors(table.chips.ids, made, known)
    table = yield from with_possible_stand_in(table, vectors.groups)
    if section.floors and not _is_as_recorded(context, study.floors):
        yield from write_floors(study.floors, table)
    write_vectors(study.embeddings, table, vectors.groups, model.digest)
    floors = study.floors if section.floors else None
    # A card that is there and of these very tables stays: what a number type lost can only be told as vectors are made.
    if not all(_is_as_recorded(context, path) for path in (study.health, study.embeddings, floors) if path):
        yield from write_card(study.embeddings, table, made.groups, floors, _tasks(context))
    if section.zarr:
        write_zarr_copy(study.embeddings_zarr, study.embeddings, table.job.store.chip_px)


def _tasks(context: Context) -> LabelledTasks | None:
    """The study's labels as they are now, if they are there: `embed` does not depend on them."""
    if context.config.embed.dtype not in JUDGED_BY_LABELS or not context.study.labels.is_file():
        return None
    labels = read_own_labels(context.study.labels)
    return LabelledTasks(labels, rules_of(context.config, labels.targets))


def _choices(context: Context) -> EmbedChoices:
    section: EmbedSection = context.config.embed
    return EmbedChoices(
        section.channels, section.absent, section.dtype, section.precision, context.config.study.seed, context.workers
    )


def embed_outputs(context: Context) -> Sequence[Path]:
    """The tables that the step leaves."""
    study, section = context.study, context.config.embed
    copy = [study.embeddings_zarr] if section.zarr else []
    return [study.embeddings, study.health, *copy, *([study.floors] if section.floors else [])]


def embed_inputs(context: Context) -> Mapping[str, str]:
    """Digests of chips, pixels and model."""
    found = {
        path.name: digest_of_artefact(path)
        for path in (context.study.chips, context.study.presence, context.study.model)
    }
    return {name: digest for name, digest in found.items() if digest is not None}


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
    if context.config.embed.dtype == "int8":
        return None  # whole steps of what was whole steps would be others
    table = read_embeddings(path)
    return table if table.model == model.digest else None


def _has_same_parts(known: Embeddings, table: TableJob) -> bool:
    """The vectors that are there are made of the parts that those to come will be made of."""
    wanted = kinds_of(table.job.plans)
    return all(known.kinds.get(name, ()) == wanted.get(name, ()) for name in known.blocks)
