"""`terrashot fewshot`: the whole protocol on any embedding table and any labels."""

from dataclasses import dataclass, replace
from pathlib import Path

from terrashot.domain.health import HealthCard
from terrashot.domain.split import SplitRecipe, choose_scheme, make_split
from terrashot.domain.tables import Chips, Embeddings, Labels, shared_rows
from terrashot.durable.files import make_folder, sha256_of_file
from terrashot.durable.lock import sole_writer
from terrashot.engine import available_cores
from terrashot.evaluate.protocol.feature_sets import feature_sets
from terrashot.evaluate.protocol.fewshot import FewshotSettings
from terrashot.evaluate.protocol.fitting import Workshop
from terrashot.health.card import card_of
from terrashot.steps.answer import Answer
from terrashot.steps.fewshot import kept_fits, score_features, write_tables
from terrashot.steps.given_tables import EXAMPLES, described
from terrashot.steps.out_folder import OutFolder
from terrashot.steps.progress import Said, Work
from terrashot.steps.projection import layouts, sampled_maps
from terrashot.steps.report import aligned, content_of, write_all
from terrashot.steps.results import said
from terrashot.store.answers import read_answers
from terrashot.store.label_table import read_labels
from terrashot.store.study import Study
from terrashot.store.vectors import read_embeddings

MOST_LAID_OUT = 20_000


@dataclass(frozen=True, slots=True)
class FewshotRequest:
    """What the command was given."""

    embeddings: Path
    labels: Path
    out: Path
    floors: Path | None
    chips: Path | None
    overwrite: bool


def fewshot_files(request: FewshotRequest) -> Work[Answer]:
    """What was written and what it says.

    Raises:
        StorageError: `out` holds something.
        InputError, MisalignedError: the tables cannot be used, or share no chip.
    """
    out = _out_folder(request)
    if not request.overwrite:
        out.refuse_if_taken()
    table, labels = read_embeddings(request.embeddings), read_labels(request.labels)
    floors = read_embeddings(request.floors) if request.floors else None
    yield from _say_unmatched(table.chips, labels)
    chips, scheme, notes = _split(described(table.chips, request.chips))
    for note in notes:
        yield Said(note)
    study = Study(request.out / "study.toml", request.out)
    with sole_writer(make_folder(request.out)):
        out.begin()
        with kept_fits(study) as parts:
            tables = yield from score_features(
                feature_sets(replace(table, chips=chips), floors), chips, labels, _settings(),
                scheme=scheme, workshop=Workshop(available_cores(), parts),
            )  # fmt: skip
        write_tables(study, tables, chips, labels, 0)
        card = card_of(replace(table, chips=chips), floors=floors)
        yield Said(card.sentence)
        yield from _report(request, study, replace(table, chips=chips), labels, notes, card)
    lines, facts = said(read_answers(study.answers))
    return Answer((*lines, f"report: {study.report}"), {"out": str(request.out), **facts, "report": str(study.report)})


def _out_folder(request: FewshotRequest) -> OutFolder:
    read = {
        "embeddings": request.embeddings, "labels": request.labels, "floors": request.floors, "chips": request.chips,
    }  # fmt: skip
    return OutFolder(request.out, read, "report.html")


def _settings() -> FewshotSettings:
    return FewshotSettings()


def _report(
    request: FewshotRequest, study: Study, table: Embeddings, labels: Labels, notes: list[str], card: HealthCard
) -> Work[None]:
    maps = yield from sampled_maps(table, seed=0, most=MOST_LAID_OUT)
    by_tsne, by_components = layouts(maps, table, seed=0, most=MOST_LAID_OUT)
    read = [path for path in (request.embeddings, request.labels, request.floors, request.chips) if path]
    facts = {"remake": "terrashot fewshot", **{path.name: f"sha256 {sha256_of_file(path)}" for path in read}}
    content = content_of(
        study, table.chips, aligned(table.chips, labels), by_tsne,
        components=by_components, title=request.embeddings.stem, simulated=False, facts=facts, notes=notes, health=card,
    )  # fmt: skip
    write_all(content, study)


def _say_unmatched(chips: Chips, labels: Labels) -> Work[None]:
    shared_rows(chips.ids, labels.chip_ids)
    ours, theirs = set(chips.ids) - set(labels.chip_ids), set(labels.chip_ids) - set(chips.ids)
    for name, lost in (("vectors without a label", ours), ("labels without a vector", theirs)):
        if lost:
            yield Said(f"{len(lost)} {name}, such as {', '.join(sorted(lost)[:EXAMPLES])}")


def _split(chips: Chips) -> tuple[Chips, str, list[str]]:
    scheme, sentence = choose_scheme(chips)
    return replace(chips, split=make_split(chips, SplitRecipe(scheme))), scheme, [sentence]
