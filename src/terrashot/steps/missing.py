"""Step `missing`: the missing-data report, what each absence costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from terrashot.domain.absence import AbsenceStrategy
from terrashot.domain.absence_scores import AbsenceReport
from terrashot.domain.channel_vectors import ChannelVectors, PartPolicy
from terrashot.domain.tables import Chips, Labels
from terrashot.durable.parts import DiskParts
from terrashot.embed.apart import channel_vectors, plan_apart
from terrashot.embed.channels import ChannelPolicy
from terrashot.embed.embed import EmbedJob, shared_modalities
from terrashot.embed.in_parts import embed_in_parts
from terrashot.engine import available_cores
from terrashot.evaluate.absence.measure import AbsenceSettings, measure_absence, sampled_rows
from terrashot.evaluate.protocol.fewshot import FewshotSettings
from terrashot.model.checkpoint import Model, load_model
from terrashot.steps.embed import EMBED_SECTIONS
from terrashot.steps.embed_tables import to_device, watched
from terrashot.steps.fewshot import FEWSHOT_SECTIONS, fewshot_settings, split_scheme
from terrashot.steps.plan import Context
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.store.chips import ZarrChipStore, open_chip_store
from terrashot.store.differences import with_differences
from terrashot.store.geoparquet import hilbert_order
from terrashot.store.manifest import digest_of
from terrashot.store.missing import write_missing
from terrashot.store.tables import read_chips, read_own_labels

MISSING_SECTIONS = ("missing", *dict.fromkeys((*EMBED_SECTIONS, *FEWSHOT_SECTIONS)))


@dataclass(frozen=True, slots=True, eq=False)
class AbsenceJob:
    """Chips and a model, to be asked what absence costs."""

    model: Model
    store: ZarrChipStore
    chips: Chips
    """All that the study has, with split."""
    seed: int
    workers: int
    parts_folder: Path
    """Keeps the vectors of single channels: other draws and heads need no pixel again."""


def measure_missing_data(context: Context) -> Work[None]:
    """Writes missing.parquet, unless [missing] says that it is not wanted."""
    if not context.config.missing.report:
        return
    torch.set_num_threads(available_cores())
    study, config = context.study, context.config
    model, store, chips = load_model(study.model), open_chip_store(study.folder), read_chips(study.chips)
    job = AbsenceJob(model, store, chips, config.study.seed, context.workers, study.missing_parts)
    settings = absence_settings(config.embed.channels, config.embed.absent, fewshot_settings(config))
    report = yield from absence_report(job, read_own_labels(study.labels), settings, split_scheme(context))
    write_missing(study.missing, report)


def missing_outputs(context: Context) -> Sequence[Path]:
    """The table that the step leaves, if it is wanted."""
    return [context.study.missing] if context.config.missing.report else []


def absence_settings(channels: ChannelPolicy, absent: AbsenceStrategy, fewshot: FewshotSettings) -> AbsenceSettings:
    """The study's own policy, draws and heads; of policies that leave channels out, the mean."""
    policy: PartPolicy = channels if channels == "each" or channels == "each-date" else "mean"
    return AbsenceSettings(policy, absent, fewshot.draws, fewshot.fits)


def absence_report(job: AbsenceJob, labels: Labels, settings: AbsenceSettings, scheme: str) -> Work[AbsenceReport]:
    """What each absence costs, on all chips or a sample of them."""
    ordered = job.chips.take(hilbert_order(job.chips))
    sampled = ordered.take(sampled_rows(len(ordered), job.seed))
    vectors = yield from _vectors(job, sampled)
    work = measure_absence(
        vectors, labels, settings, split_scheme=scheme, n_chips=len(ordered), workers=job.workers
    )  # fmt: skip
    report = yield from relay(
        work, lambda done: [Progress("missing", done.done, done.total, f"{done.area}: {done.features}")]
    )
    for note in report.notes:
        yield Said(note)
    return report


def _vectors(job: AbsenceJob, chips: Chips) -> Work[ChannelVectors]:
    towers, stats = job.model.towers, job.model.stats
    store = with_differences(job.store, stats)
    plans = plan_apart(store, shared_modalities(towers, store), chips.ids, stats)
    parts = DiskParts(job.parts_folder, digest_of([job.model.digest, job.store.digest(), chips.ids]))
    workers = to_device(towers, job.workers)
    embedding = EmbedJob(towers, stats, store, tuple(plan.block for plan in plans), job.seed, workers=workers)
    work = embed_in_parts(embedding, chips.ids, parts, name="apart", dtype="float16")
    kept = yield from watched("missing", work)
    return channel_vectors(kept, plans, chips, shared=towers.config.shared)
