"""`terrashot health`: whether an embedding table can be trusted."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from terrashot.domain.health import EmbeddingProbe, HealthCard, Measure
from terrashot.domain.tables import Chips, Embeddings
from terrashot.errors import StorageError
from terrashot.health.card import card_of
from terrashot.steps.answer import Answer
from terrashot.steps.given_tables import described
from terrashot.steps.progress import Said, Work
from terrashot.store.health import health_path, told_channel_policy, write_health
from terrashot.store.presence_states import read_channel_states
from terrashot.store.vectors import read_embeddings

PRESENCE = "presence.parquet"
NOT_MEASURED = "-"


@dataclass(frozen=True, slots=True)
class HealthRequest:
    """What the command was given."""

    embeddings: Path
    floors: Path | None = None
    chips: Path | None = None
    out: Path | None = None
    overwrite: bool = False


def health_files(request: HealthRequest) -> Work[Answer]:
    """A line a measure, the worst last; the card is written beside the table, or to `out`.

    Where presence.parquet lies beside a table of ours, as in a study, channels that are there are counted from it.

    Raises:
        StorageError: `out` holds something, or nothing can be written beside the table.
        InputError, MisalignedError: the tables cannot be used, or share no chip.
    """
    out = _out(request)
    table = read_embeddings(request.embeddings)
    table = replace(table, chips=described(table.chips, request.chips))
    floors = read_embeddings(request.floors) if request.floors else None
    if floors is not None and not any(name.startswith("image_stats:") for name in floors.blocks):
        yield Said(f"{request.floors}: no image statistics in it; nothing to compare with")
    card = card_of(table, floors=floors, probe=_told(request.embeddings, table))
    write_health(out, card, request.embeddings)
    return Answer((*health_lines(card), card.sentence, f"card: {out}"), {"out": str(out), **health_facts(card)})


def health_lines(card: HealthCard) -> tuple[str, ...]:
    """A line a measure: the worst last, where a person at a terminal looks."""
    ordered = [*card.having(None), *card.having("good"), *card.having("look"), *card.having("bad")]
    return tuple(_line(measure) for measure in ordered)


def card_said(card: HealthCard) -> Iterator[Said]:
    """The card's sentence, and each measure that is bad."""
    yield Said(card.sentence)
    for measure in card.having("bad"):
        yield Said(f"bad: {measure.name} {measure.block}: {measure.sentence}")


def health_facts(card: HealthCard) -> dict[str, object]:
    """The card for a program."""
    return {"worst": card.worst, **asdict(card)}


def _line(measure: Measure) -> str:
    block = f" {measure.block}" if measure.block else ""
    return f"{measure.verdict or NOT_MEASURED:4}  {measure.name}{block}: {measure.sentence}"


def _told(path: Path, table: Embeddings) -> EmbeddingProbe:
    """What lies in the table's footer and beside it."""
    beside = path.with_name(PRESENCE)
    there = _channels_there(beside, table.chips) if table.model and beside.is_file() else None
    return EmbeddingProbe(policy=told_channel_policy(path), channels_there=there)


def _channels_there(presence: Path, chips: Chips) -> dict[str, np.ndarray]:
    """By modality, how many channels each chip has, in the chips' order."""
    found = read_channel_states(presence, chips.ids)
    counts = {}
    for modality in dict.fromkeys(state.modality for state in found.states):
        is_there = np.array([state.modality == modality and state.status == "ok" for state in found.states])
        counts[modality] = np.bincount(found.chip[is_there[found.state]], minlength=len(chips))
    return counts


def _out(request: HealthRequest) -> Path:
    """Where the card goes; asked before anything is measured."""
    out = request.out or health_path(request.embeddings)
    if request.out is None and not os.access(out.parent, os.W_OK):
        raise StorageError(f"{out}: nothing can be written beside the table; name a file with --out")
    if request.out is not None and out.exists() and not request.overwrite:
        raise StorageError(f"{out} exists; name another file, or add --overwrite")
    return out
