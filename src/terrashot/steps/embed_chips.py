"""`terrashot embed`: a trained model on other chips."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

import torch

from terrashot.domain.split import SplitRecipe, choose_scheme, make_split
from terrashot.domain.tables import Chips, Embeddings
from terrashot.durable.files import make_folder, remove, sweep_leftovers
from terrashot.durable.lock import sole_writer
from terrashot.embed.embed import embed_chips, statistics_for
from terrashot.engine import available_cores
from terrashot.errors import InputError, IntegrityError, StorageError, UsageError
from terrashot.ingest.folder import open_chip_folder
from terrashot.ingest.harvest import harvest
from terrashot.model.checkpoint import Model, load_model
from terrashot.steps.answer import Answer
from terrashot.steps.embed import all_floors, watched
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.store.chips import ZARR, ChipStore, open_chip_store
from terrashot.store.statistics import measure_channels
from terrashot.store.study import Study
from terrashot.store.tables import read_chips
from terrashot.store.vectors import write_embeddings

POLICIES = ("mean", "random")
STATISTICS = ("model", "chips")
SEED = 0


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """What the command was given."""

    model: Path
    chips: Path
    out: Path
    channels: str
    statistics: str
    floors: Path | None
    overwrite: bool


def embed_files(request: EmbedRequest) -> Work[Answer]:
    """What was written.

    Raises:
        UsageError: an unknown choice, or an output that exists.
        InputError: no model, or no chips.
        IntegrityError: units of the chips are not the model's.
    """
    _check(request)
    torch.set_num_threads(available_cores())
    model = load_model(request.model)
    # What is harvested from a chip folder lies beside the output until it is finished, so that a killed run goes on.
    work_folder = request.out.parent / f".{request.out.name}.work"
    with sole_writer(make_folder(work_folder)):
        chips, store = yield from _open(request.chips, work_folder)
        table, floors = yield from _embed(request, model, chips, store)
        if floors is not None and request.floors is not None:
            write_embeddings(request.floors, floors, "float32")
        write_embeddings(request.out, table, "float16")
    remove(work_folder)
    counts = {name: int(table.present(name).sum()) for name in table.blocks}
    said = ", ".join(f"{count} with {name}" for name, count in counts.items())
    lines = [f"wrote {request.out}: {len(chips)} chips, {said}"]
    lines += [f"wrote {request.floors}"] if request.floors else []
    return Answer(tuple(lines), {"out": str(request.out), "chips": len(chips), "with": counts, "model": model.digest})


def _embed(
    request: EmbedRequest, model: Model, chips: Chips, store: ChipStore
) -> Work[tuple[Embeddings, Embeddings | None]]:
    if not set(store.modalities) & set(model.towers.config.modalities):
        raise IntegrityError(
            f"{request.chips} holds {', '.join(store.modalities)}, the model embeds {', '.join(model.towers.config.modalities)}"
        )
    own = measure_channels(store, chips.ids, SEED)
    stats, notes = statistics_for(model.stats, own, cast(Literal["model", "chips"], request.statistics))
    for note in notes:
        yield Said(note)
    policy = cast(Literal["mean", "random"], request.channels)
    table = yield from watched("embed", embed_chips(model.towers, stats, store, chips, channels=policy, seed=SEED))
    floors = None
    if request.floors is not None:
        floors = yield from all_floors(chips, store, model.towers.config, stats, SEED, policy)
    return replace(table, model=model.digest), floors


def _check(request: EmbedRequest) -> None:
    for name, value, known in (
        ("--channels", request.channels, POLICIES),
        ("--statistics", request.statistics, STATISTICS),
    ):
        if value not in known:
            raise UsageError(f"{name} {value}: no such choice; choices are {', '.join(known)}")
    for path in (request.out, request.floors):
        if path is not None and path.exists() and not request.overwrite:
            raise StorageError(f"{path} exists; name another file, or add --overwrite")
        if path is not None and not path.parent.is_dir():
            raise StorageError(f"{path.parent}: no such folder to write {path.name} into")


def _open(path: Path, work_folder: Path) -> Work[tuple[Chips, ChipStore]]:
    """Chips and store of a study's folder, of its chips.zarr, or of a chip folder that is harvested first."""
    folder = path.parent if path.name == ZARR else path
    if (folder / ZARR).is_dir():
        return read_chips(Study(folder / "study.toml", folder).chips), open_chip_store(folder)
    if not path.is_dir():
        raise InputError(f"{path}: no chip folder, no study and no chip store; docs/files.md tells how they lie")
    opened = open_chip_folder(path)
    for note in opened.notes:
        yield Said(note)
    sweep_leftovers(work_folder)
    work = harvest(opened.sources, opened.chips.ids, work_folder, workers=available_cores())
    harvested = yield from relay(work, lambda done: [Progress("read", done.done, done.total, done.modality)])
    if harvested.failed:
        chip_id, reason = next(iter(harvested.failed.items()))
        raise InputError(
            f"{len(harvested.failed)} chips could not be read, the first {chip_id}: {reason}; mend or remove them"
        )
    scheme, sentence = choose_scheme(opened.chips)
    yield Said(sentence)
    split = make_split(opened.chips, SplitRecipe(scheme))
    return replace(opened.chips, split=split), open_chip_store(work_folder)
