"""`terrashot missing`: what each absence costs, of a model on any chips and labels."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, cast

import torch

from terrashot.domain.absence_scores import AbsenceReport
from terrashot.domain.channel_vectors import PartPolicy
from terrashot.domain.split import choose_scheme
from terrashot.durable.files import make_folder, remove
from terrashot.durable.lock import sole_writer
from terrashot.engine import available_cores
from terrashot.errors import InputError, UsageError
from terrashot.evaluate.absence.measure import AbsenceSettings
from terrashot.evaluate.absence.sentences import absence_sentences
from terrashot.model.box import model_folder
from terrashot.model.checkpoint import load_model
from terrashot.report.absence import absence_figures
from terrashot.report.figures import write_recipes
from terrashot.steps.answer import Answer
from terrashot.steps.chip_scales import SEED, scales_for
from terrashot.steps.embed_chips import STATISTICS
from terrashot.steps.given_chips import open_chips
from terrashot.steps.missing import AbsenceJob, absence_report
from terrashot.steps.out_folder import OutFolder
from terrashot.steps.progress import Work
from terrashot.store.label_table import read_labels
from terrashot.store.missing import write_missing

CHANNELS = ("mean", "each", "each-date")
TABLE, WORK = "missing.parquet", "work"


@dataclass(frozen=True, slots=True)
class MissingRequest:
    """What the command was given."""

    model: Path
    chips: Path
    labels: Path
    out: Path
    channels: str
    statistics: str
    overwrite: bool


def missing_files(request: MissingRequest) -> Work[Answer]:
    """What each absence costs, in sentences; the table and figures are in the folder.

    Raises:
        UsageError: an unknown choice.
        StorageError: `out` holds something.
        InputError, IntegrityError, MisalignedError: model, chips and labels cannot be used together.
    """
    _check_choices(request)
    out = _out_folder(request)
    if not request.overwrite:
        out.refuse_if_taken()
    torch.set_num_threads(available_cores())
    with sole_writer(make_folder(request.out)):
        out.begin()
        report = yield from _report(request)
        write_recipes(absence_figures(report.scores), request.out, is_simulated=False)
        remove(request.out / WORK)
        write_missing(request.out / TABLE, report)
    sentences = absence_sentences(report.scores)
    facts = {"out": str(request.out), "scores": [asdict(row) for row in report.scores], "notes": report.notes}
    return Answer((*sentences, f"wrote {request.out / TABLE}"), facts)


def _report(request: MissingRequest) -> Work[AbsenceReport]:
    model = load_model(model_folder(request.model))
    chips, store = yield from open_chips(request.chips, make_folder(request.out / WORK))
    stats = yield from scales_for(model, store, chips.ids, cast(Literal["model", "chips"], request.statistics))
    job = AbsenceJob(
        replace(model, stats=stats), store, chips, SEED, available_cores(), request.out / WORK / "channels"
    )
    settings = AbsenceSettings(cast(PartPolicy, request.channels))
    return (yield from absence_report(job, read_labels(request.labels), settings, choose_scheme(chips)[0]))


def _out_folder(request: MissingRequest) -> OutFolder:
    card = request.model / "model.json"
    if not card.is_file():
        raise InputError(f"{request.model}: no model.json in it; name a model folder, as `terrashot run` leaves it")
    chosen = {"chips": str(request.chips), "channels": request.channels, "statistics": request.statistics}
    return OutFolder(request.out, {"model": card, "labels": request.labels}, TABLE, chosen)


def _check_choices(request: MissingRequest) -> None:
    for name, value, known in (
        ("--channels", request.channels, CHANNELS),
        ("--statistics", request.statistics, STATISTICS),
    ):
        if value not in known:
            raise UsageError(f"{name} {value}: no such choice; choices are {', '.join(known)}")
