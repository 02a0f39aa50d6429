"""Step `fewshot`: the whole few-label protocol on a study's embeddings and floors."""

from terrashot.domain.results import BlockScore, Result, Timing
from terrashot.domain.split import choose_scheme
from terrashot.domain.tables import Chips, Embeddings, Labels
from terrashot.durable.parts import DiskParts, Parts
from terrashot.evaluate.feature_sets import feature_sets
from terrashot.evaluate.fewshot import FewshotSettings, FewshotTables, run_fewshot
from terrashot.heads.pool import HeadSettings
from terrashot.ingest.folder import read_chip_table
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.plan import Context, config_digest
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.steps.sources import folder_path
from terrashot.store.manifest import digest_of
from terrashot.store.parquet import write_rows
from terrashot.store.study import Study
from terrashot.store.tables import read_chips, read_own_labels
from terrashot.store.vectors import read_embeddings

FEWSHOT_SECTIONS = ("study.seed", "labels.threshold", "fewshot")


def make_results(context: Context) -> Work[None]:
    """Writes results.parquet, block_scores.parquet and timings.parquet."""
    study, section = context.study, context.config.fewshot
    settings = FewshotSettings(
        sizes=section.sizes,
        repeats=section.repeats,
        heads=section.heads,
        head=HeadSettings(section.trees, section.depth),
        rule=context.config.labels.threshold,
        seed=context.config.study.seed,
    )
    embeddings = read_embeddings(study.embeddings)
    floors = read_embeddings(study.floors) if context.config.embed.floors else None
    tables = yield from score_features(
        embeddings, floors, read_chips(study.chips), read_own_labels(study.labels), settings,
        scheme=split_scheme(context), workers=context.workers, parts=DiskParts(study.fewshot_parts, _made_from(context)),
    )  # fmt: skip
    write_tables(study, tables)


def _made_from(context: Context) -> str:
    """Digest of all that the tables follow from."""
    study = context.study
    inputs = [digest_of_artefact(path) for path in (study.chips, study.embeddings, study.floors, study.labels)]
    return digest_of([config_digest(FEWSHOT_SECTIONS, context.config), split_scheme(context), inputs])


def split_scheme(context: Context) -> str:
    """The scheme of the study's split; where the study file leaves it open, what `chips` chose."""
    if context.config.split.scheme != "auto":
        return context.config.split.scheme
    if context.config.source.kind != "folder":
        return "bands"
    return choose_scheme(read_chip_table(folder_path(context) / "chips.csv"))[0]


def score_features(
    embeddings: Embeddings,
    floors: Embeddings | None,
    chips: Chips,
    labels: Labels,
    settings: FewshotSettings,
    *,
    scheme: str,
    workers: int,
    parts: Parts,
) -> Work[FewshotTables]:
    """The protocol's tables; split, area and group are those of `chips`, in the embeddings' order."""
    sets = feature_sets(embeddings, floors)
    work = run_fewshot(sets, chips, labels, settings, split_scheme=scheme, workers=workers, parts=parts)
    tables = yield from relay(
        work, lambda done: [Progress("fewshot", done.done, done.total, f"{done.area}: {done.features}")]
    )
    for note in tables.notes:
        yield Said(note)
    return tables


def write_tables(study: Study, tables: FewshotTables) -> None:
    """The three tables of results, in a study's folder or another of the same names."""
    write_rows(study.timings, tables.timings, Timing)
    write_rows(study.block_scores, tables.blocks, BlockScore)
    write_rows(study.results, tables.results, Result)
