"""Step `report`: figures and the page, from the study's tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from terrashot.domain.channel_states import count_absent
from terrashot.domain.label_summary import LabelSummary, Suspect
from terrashot.domain.modality import MODALITIES
from terrashot.domain.presence_shares import PresenceShares, presence_shares
from terrashot.domain.results import Point, Result, dots
from terrashot.domain.tables import Chips, Embeddings, Labels, in_order_of, shared_rows
from terrashot.model.checkpoint import read_towers_config
from terrashot.model.cost import count_parameters
from terrashot.model.presets import Preset
from terrashot.plots.model_diagram import ModelShape, TowerInput
from terrashot.plots.tsne import Layout
from terrashot.report.content import ReportContent
from terrashot.report.figures import write_figures
from terrashot.report.page import write_report
from terrashot.steps.label_origin import circular_sentences
from terrashot.steps.looking import locate_chips, search_chips
from terrashot.steps.plan import Context
from terrashot.steps.plates import make_plates
from terrashot.steps.progress import Progress, Work
from terrashot.steps.projection import layouts, study_projection
from terrashot.steps.taught import taught_preset
from terrashot.store import manifest
from terrashot.store.answers import read_answers
from terrashot.store.chips import open_chip_store
from terrashot.store.health import read_health
from terrashot.store.missing import read_missing
from terrashot.store.parquet import read_table, rows_of_table
from terrashot.store.presence_states import read_channel_states
from terrashot.store.study import Study
from terrashot.store.tables import read_chips, read_own_labels
from terrashot.store.vectors import read_embeddings


def make_report(context: Context) -> Work[None]:
    """Writes projection.parquet, figures/ and report.html."""
    study, config = context.study, context.config
    embeddings = read_embeddings(study.embeddings)
    chips = in_order_of(embeddings.chips.ids, read_chips(study.chips))
    labels = aligned(chips, read_own_labels(study.labels))
    states = read_channel_states(study.presence, chips.ids)
    presence = presence_shares(states, chips.area)
    seed, most = config.study.seed, config.report.tsne_chips
    projection = yield from study_projection(study, embeddings, seed=seed, most=most)
    by_tsne, by_components = layouts(projection.maps, embeddings, seed=seed, most=most)
    metrics = [json.loads(line) for line in study.metrics.read_text("utf-8").splitlines()]
    best = min(range(len(metrics)), key=lambda row: metrics[row]["val_loss"])
    store = open_chip_store(study.folder)
    content = content_of(
        study, chips, labels, by_tsne, components=by_components,
        located=locate_chips(store, chips, labels, by_tsne), searches=search_chips(store, embeddings, chips, seed=seed),
        title=config.study.name, simulated=config.source.kind == "simulated", metrics=metrics, best_epoch=best,
        plates=make_plates(store, chips, labels, config.report.plates),
        model=_shape(study, presence, taught_preset(config.pretrain)),
        absent=count_absent(states), presence=presence, facts=_facts(context, chips, embeddings),
        absence=read_missing(study.missing) if config.missing.report and study.missing.is_file() else None,
        label_summaries=_rows_if_there(study.label_summary, LabelSummary), suspects=_rows_if_there(study.suspects, Suspect),
        circular=circular_sentences(config, list(labels.targets)),
        health=read_health(study.health, study.embeddings) if study.health.is_file() else None,
    )  # fmt: skip
    write_all(content, study)
    yield Progress("report", 1, 1)


def content_of(
    study: Study, chips: Chips, labels: Labels, layouts: Mapping[str, Layout], notes: Sequence[str] = (), **more: Any
) -> ReportContent:
    """The report's content: what the study's tables say, and what is given."""
    answers = read_answers(study.answers)
    results = rows_of_table(read_table(study.results), Result)
    points = rows_of_table(read_table(study.curves), Point)
    cuts = {(row.task, row.area): row.threshold for row in results}
    return ReportContent(
        chips=chips, labels=labels, cuts=cuts, points=points, dots=dots(points), answers=answers,
        layouts=layouts, notes=(*notes, *answers.notes), **more,
    )  # fmt: skip


def _rows_if_there(path: Path, row_type: type) -> list[Any]:
    return rows_of_table(read_table(path), row_type) if path.is_file() else []


def write_all(content: ReportContent, study: Study) -> None:
    """figures/ and report.html of a study's folder, or another of the same names."""
    write_report(content, write_figures(content, study.figures), study.report)


def aligned(chips: Chips, labels: Labels) -> Labels:
    """The labels in the chips' order; unknown where a chip has none."""
    ours, theirs = shared_rows(chips.ids, labels.chip_ids)
    targets = {}
    for target, values in labels.targets.items():
        column = np.full(len(chips), None if values.dtype == object else np.nan, dtype=values.dtype)
        column[ours] = values[theirs]
        targets[target] = column
    return Labels(chips.ids, targets)


def _shape(study: Study, presence: PresenceShares, taught: Preset) -> ModelShape:
    """What the picture of the model tells, from the model's own card, and how it was taught."""
    towers = read_towers_config(study.model)
    vit, inputs = towers.vit, [_tower_input(name, presence) for name in towers.modalities]
    return ModelShape(
        inputs=tuple(replace(seen, views=taught.views, differences=towers.differences) for seen in inputs),
        chip_px=vit.chip_px, patch_px=vit.patch_px, width=vit.width, depth=vit.depth, heads=vit.heads,
        shared=towers.shared, parameters=count_parameters(towers),
        convolutions=len(vit.stem) + 1 if vit.stem else 0,
    )  # fmt: skip


def _tower_input(modality: str, presence: PresenceShares) -> TowerInput:
    counts = [own.n_there[own.n_there > 0] for own in presence.modalities if own.modality == modality]
    few, many = (int(counts[0].min()), int(counts[0].max())) if counts and len(counts[0]) else (0, 0)
    return TowerInput(MODALITIES[modality].title, few, many)


def _facts(context: Context, chips: Chips, embeddings: Embeddings) -> dict[str, str]:
    lines = manifest.read(context.study.manifest)
    versions = next((line.versions for line in reversed(lines.values())), {})
    return {
        "remake": f"terrashot run {context.study.config_path.name}",
        "source": context.config.source.kind,
        "chips": f"{len(chips):,}",
        "preset": context.config.pretrain.preset,
        "model": str(embeddings.model),
        "seed": str(context.config.study.seed),
        "sizes, repeats": f"{', '.join(map(str, context.config.fewshot.sizes))}, all; {context.config.fewshot.repeats} draws each",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
