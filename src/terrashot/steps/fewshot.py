"""Step `fewshot`: the whole few-label protocol on a study's embeddings and floors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

from terrashot.config import StudyConfig
from terrashot.domain.label_summary import Suspect
from terrashot.domain.results import Point, Result, Timing
from terrashot.domain.split import choose_scheme
from terrashot.domain.tables import Chips, Embeddings, Labels, in_order_of
from terrashot.durable.kept import SqliteParts
from terrashot.evaluate.answers.answers import make_answers
from terrashot.evaluate.mapping.suspects import suspects
from terrashot.evaluate.protocol.comparison import DrawSettings
from terrashot.evaluate.protocol.feature_sets import CONCATENATED, FeatureSet, feature_sets
from terrashot.evaluate.protocol.fewshot import FewshotSettings, FewshotTables, run_fewshot
from terrashot.evaluate.protocol.fitting import FitSettings, Workshop
from terrashot.steps.listed_chips import listed_chips
from terrashot.steps.plan import Context
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.steps.task_rules import rules_of, task_rules
from terrashot.store.answers import write_answers
from terrashot.store.block_scores import write_block_scores
from terrashot.store.parquet import write_rows
from terrashot.store.study import Study
from terrashot.store.tables import read_chips, read_own_labels
from terrashot.store.vectors import read_embeddings

FEWSHOT_SECTIONS = ("study.seed", "labels.threshold", "tasks", "fewshot")


def make_results(context: Context) -> Work[None]:
    """Writes the tables of results, and what they say."""
    study = context.study
    embeddings = read_embeddings(study.embeddings)
    floors = read_embeddings(study.floors) if context.config.embed.floors else None
    chips = in_order_of(embeddings.chips.ids, read_chips(study.chips))
    labels = read_own_labels(study.labels)
    with kept_fits(study) as parts:
        tables = yield from score_features(
            feature_sets(embeddings, floors), chips, labels, fewshot_settings(context.config),
            scheme=split_scheme(context), workshop=Workshop(context.workers, parts),
        )  # fmt: skip
    write_tables(study, tables, chips, labels, context.config.study.seed)
    yield from _write_suspects(context, embeddings, chips, labels)


def _write_suspects(context: Context, embeddings: Embeddings, chips: Chips, labels: Labels) -> Work[None]:
    sets, config = feature_sets(embeddings, None), context.config
    whole = sets[CONCATENATED] if CONCATENATED in sets else next(iter(sets.values()))
    rules = rules_of(config, labels.targets)
    with threadpool_limits(1):
        found = list(suspects(whole, chips, labels, rules, config.study.seed))
    if found:
        yield Said(
            f"{len(found):,} labels are contradicted by heads from other places; they stand in {context.study.suspects.name}"
        )
    write_rows(context.study.suspects, found, Suspect)


def results_of(study: Study) -> list[Path]:
    """What the step writes."""
    return [
        study.results, study.block_scores, study.timings, study.leakage, study.transfer, study.curves, study.answers,
        study.suspects,
    ]  # fmt: skip


def fewshot_settings(config: StudyConfig) -> FewshotSettings:
    """The protocol as the study file asks for it."""
    section, seed = config.fewshot, config.study.seed
    return FewshotSettings(
        DrawSettings(section.sizes, section.repeats, config.labels.threshold, task_rules(config), section.pooled, seed),
        FitSettings(section.heads, section.all_trees, section.all_depths, seed),
        section.most_repeats,
        section.leakage,
        section.transfer,
    )


@contextmanager
def kept_fits(study: Study) -> Iterator[SqliteParts]:
    """The study's file of fits, closed in the end whatever happens."""
    parts = SqliteParts(study.fits)
    try:
        yield parts
    finally:
        parts.close()


def split_scheme(context: Context) -> str:
    """The scheme of the study's split; where the study file leaves it open, what `chips` chose."""
    if context.config.split.scheme != "auto":
        return context.config.split.scheme
    listed = listed_chips(context)
    return "bands" if listed is None else choose_scheme(listed)[0]


def score_features(
    features: Mapping[str, FeatureSet],
    chips: Chips,
    labels: Labels,
    settings: FewshotSettings,
    *,
    scheme: str,
    workshop: Workshop,
) -> Work[FewshotTables]:
    """The protocol's tables; split, area and group are those of `chips`, in whose rows the features are."""
    work = run_fewshot(features, chips, labels, settings, split_scheme=scheme, workshop=workshop)
    tables = yield from relay(
        work, lambda done: [Progress("fewshot", done.done, done.total, f"{done.area}: {done.features}")]
    )
    for note in tables.notes:
        yield Said(note)
    if isinstance(workshop.parts, SqliteParts):
        workshop.parts.keep_only(workshop.used)
    return tables


def write_tables(study: Study, tables: FewshotTables, chips: Chips, labels: Labels, seed: int) -> None:
    """The tables of results and what they say, in a study's folder or another of the same names."""
    points, answers = make_answers(tables, chips, labels, seed)
    write_rows(study.timings, tables.fitted.timings, Timing)
    write_block_scores(study.block_scores, tables.fitted.blocks)
    write_rows(study.leakage, tables.leakage.results, Result)
    write_rows(study.transfer, tables.transfer.results, Result)
    write_rows(study.curves, points, Point)
    write_answers(study.answers, answers)
    write_rows(study.results, tables.fitted.results, Result)
