"""`terrashot embed`: a trained model on other chips."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

import torch

from terrashot.domain.absence import AbsenceStrategy
from terrashot.domain.tables import Chips
from terrashot.domain.tasks import TaskRule
from terrashot.durable.files import make_folder, remove, write_bytes
from terrashot.durable.lock import sole_writer
from terrashot.durable.parts import DiskParts
from terrashot.embed.channels import POLICIES, ChannelPolicy
from terrashot.embed.embed import EmbedPrecision
from terrashot.embed.in_parts import embed_in_parts
from terrashot.engine import available_cores
from terrashot.errors import InputError, IntegrityError, StorageError, UsageError
from terrashot.model.box import model_folder
from terrashot.model.checkpoint import Model, load_model
from terrashot.steps.answer import Answer
from terrashot.steps.chip_scales import SEED, scales_for
from terrashot.steps.embed_health import write_card
from terrashot.steps.embed_loss import JUDGED_BY_LABELS, LabelledTasks
from terrashot.steps.embed_tables import (
    KEPT_DTYPE,
    EmbedChoices,
    table_job,
    watched,
    with_possible_stand_in,
    write_floors,
    write_vectors,
)
from terrashot.steps.given_chips import labels_beside, open_chips
from terrashot.steps.progress import Said, Work
from terrashot.store.chips import ZarrChipStore
from terrashot.store.manifest import digest_of
from terrashot.store.write_vectors import VectorType
from terrashot.store.zarr_copy import write_zarr_copy

STATISTICS = ("model", "chips")
ABSENT = ("training-mean", "ridge")
DTYPES = ("float16", "float32", "int8")
PRECISIONS = ("float32", "bfloat16")
REQUEST = "request"


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """What the command was given."""

    model: Path
    chips: Path
    out: Path
    statistics: str
    floors: Path | None
    overwrite: bool
    choices: EmbedChoices
    zarr: Path | None = None


def embed_files(request: EmbedRequest) -> Work[Answer]:
    """What was written.

    Raises:
        UsageError: an unknown choice, or an output that exists.
        InputError: no model, or no chips.
        IntegrityError: units of the chips are not the model's.
    """
    _check_choices(request)
    torch.set_num_threads(available_cores())
    model = load_model(model_folder(request.model))
    # What is harvested and embedded lies beside the output until all is finished, so that a killed run goes on.
    work_folder = request.out.parent / f".{request.out.name}.work"
    _check_outputs(request, work_folder, model)
    with sole_writer(make_folder(work_folder)):
        write_bytes(work_folder / REQUEST, _identity(request, model))
        chips, store = yield from open_chips(request.chips, work_folder)
        counts = yield from _write(request, model, chips, store, work_folder)
    remove(work_folder)
    said = ", ".join(f"{count} with {name}" for name, count in counts.items())
    lines = [f"wrote {request.out}: {len(chips)} chips, {said}"]
    lines += [f"wrote {path}" for path in (request.floors, request.zarr) if path is not None]
    return Answer(tuple(lines), {"out": str(request.out), "chips": len(chips), "with": counts, "model": model.digest})


def _write(
    request: EmbedRequest, model: Model, chips: Chips, store: ZarrChipStore, work_folder: Path
) -> Work[dict[str, int]]:
    """How many chips have a vector, by modality, once the table, its card, and what was asked for beside, are written."""
    if not set(store.modalities) & set(model.towers.config.modalities):
        raise IntegrityError(
            f"{request.chips} holds {', '.join(store.modalities)}, the model embeds {', '.join(model.towers.config.modalities)}"
        )
    stats = yield from scales_for(model, store, chips.ids, cast(Literal["model", "chips"], request.statistics))
    made_from = [
        model.digest,
        request.choices.facts,
        request.choices.dtype,
        request.statistics,
        store.digest(),
        chips.ids,
    ]
    parts = DiskParts(work_folder / "parts", digest_of(made_from))
    table = table_job(model.towers, stats, store, chips, request.choices, parts)
    work = embed_in_parts(table.job, table.chips.ids, parts, name="embed", dtype=KEPT_DTYPE)
    made = yield from watched("embed", work)
    table = yield from with_possible_stand_in(table, made.groups)
    if request.floors is not None:
        yield from write_floors(request.floors, table)
    counts = write_vectors(request.out, table, made.groups, model.digest)
    tasks = yield from _tasks(request, chips)
    yield from write_card(request.out, table, made.groups, request.floors, tasks)
    if request.zarr is not None:
        write_zarr_copy(request.zarr, request.out, store.chip_px)
    return counts


def _tasks(request: EmbedRequest, chips: Chips) -> Work[LabelledTasks | None]:
    """The labels beside the chips, if there are some, and if they matter; bad ones stop nothing here."""
    if request.choices.dtype not in JUDGED_BY_LABELS:
        return None
    try:
        labels = labels_beside(request.chips, chips)
    except InputError as error:
        yield Said(f"{error}; so what {request.choices.dtype} costs in accuracy is not told")
        return None
    return None if labels is None else LabelledTasks(labels, dict.fromkeys(labels.targets, TaskRule()))


def _identity(request: EmbedRequest, model: Model) -> bytes:
    """The request, as far as two runs of it must agree for the second to go on from the first."""
    return digest_of([model.digest, *(str(value) for value in asdict(request).values())]).encode()


def _check_outputs(request: EmbedRequest, work_folder: Path, model: Model) -> None:
    """Nothing, if no output exists yet, or an unfinished run of the same request left it."""
    begun = work_folder / REQUEST
    is_unfinished = begun.is_file() and begun.read_bytes() == _identity(request, model)
    for path in (request.out, request.floors, request.zarr):
        if path is not None and path.exists() and not request.overwrite and not is_unfinished:
            raise StorageError(f"{path} exists; name another file, or add --overwrite")
        if path is not None and not path.parent.is_dir():
            raise StorageError(f"{path.parent}: no such folder to write {path.name} into")


def _check_choices(request: EmbedRequest) -> None:
    for name, value, known in (
        ("--statistics", request.statistics, STATISTICS),
        ("--absent", request.choices.absent, ABSENT),
        ("--dtype", request.choices.dtype, DTYPES),
        ("--precision", request.choices.precision, PRECISIONS),
    ):
        if value not in known:
            raise UsageError(f"{name} {value}: no such choice; choices are {', '.join(known)}")


def embed_choices(channels: str, absent: str, dtype: str, precision: str) -> EmbedChoices:
    """The choices of the command line; `channels` is the name of a policy, or names of channels between commas."""
    policy = channels if channels in POLICIES else tuple(name for name in channels.split(",") if name)
    return EmbedChoices(
        cast(ChannelPolicy, policy), cast(AbsenceStrategy, absent), cast(VectorType, dtype),
        cast(EmbedPrecision, precision), SEED, available_cores(),
    )  # fmt: skip
