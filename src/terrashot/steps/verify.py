"""`terrashot verify`: the bytes are those that were written, or which are not; with --repair, what is to be redone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from terrashot.durable.backup import digest_path, fits_digest
from terrashot.durable.files import set_aside, sha256_of_file
from terrashot.durable.lock import sole_writer
from terrashot.errors import InputError, IntegrityError, TerrashotError
from terrashot.steps.answer import Answer
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.metrics import damage_of_metrics, repair_metrics
from terrashot.steps.progress import Progress, Said, Work
from terrashot.store import manifest
from terrashot.store.answers import read_answers
from terrashot.store.layout import ZARR
from terrashot.store.parquet import read_table
from terrashot.store.repair import Damage, mark_damage, verify_store
from terrashot.store.study import Study, find_study

SHOWN = 5
"""Damages, and chips of one damage, that a message names; it counts the others."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One damaged part, and what marks it for redoing."""

    file: str
    reason: str
    chips: tuple[str, ...]
    redo: str
    """The step of `run` that makes it again."""
    repair: Callable[[], object]

    @property
    def sentence(self) -> str:
        more = f" and {len(self.chips) - SHOWN} more" if len(self.chips) > SHOWN else ""
        lost = f" (lost: {', '.join(self.chips[:SHOWN])}{more})" if self.chips else ""
        return f"{self.file}: {self.reason}{lost}"


ANSWERS = "answers.json"
Check = tuple[str, Callable[[], Sequence[Finding]]]

REDO = {
    "chips.parquet": "chips", "presence.parquet": "ingest", "labels.parquet": "labels", "embeddings.parquet": "embed",
    "floors.parquet": "embed", "results.parquet": "fewshot", "block_scores.parquet": "fewshot",
    "timings.parquet": "fewshot", "leakage.parquet": "fewshot", "transfer.parquet": "fewshot", "curves.parquet": "fewshot",
    ANSWERS: "fewshot", "metrics.jsonl": "pretrain", "report.html": "report", "figures": "report",
    "embeddings.zarr": "embed", "embeddings.parquet.health.json": "embed",
    "missing.parquet": "missing", "projection.parquet": "report",
}  # fmt: skip


def verify_path(path: Path, *, repair: bool) -> Work[Answer]:
    """What was checked, and with `repair` what was marked to be redone by the next `terrashot run`.

    Raises:
        IntegrityError: something is damaged and was not marked; names each file, its chips, and what to run.
        InputError: nothing to check there.
        LockedError: with `repair`, another process is at work there.
    """
    checks = list(_checks(path))
    if not checks:
        raise InputError(f"{path}: no study, chip store, model folder or table; nothing to verify")
    findings: list[Finding] = []
    for done, (name, check) in enumerate(checks, start=1):
        findings += check()
        yield Progress("verify", done, len(checks), name)
    names = [name for name, _ in checks]
    facts = {
        "checked": names,
        "damaged": [{"file": f.file, "reason": f.reason, "chips": f.chips, "step": f.redo} for f in findings],
    }
    if not findings:
        return Answer((f"{len(names)} artefacts are whole: {', '.join(names)}",), facts)
    for finding in findings:
        yield Said(finding.sentence)
    if not repair:
        raise IntegrityError(
            f"{len(findings)} damaged: {'; '.join(finding.sentence for finding in findings[:SHOWN])}; "
            f"run: terrashot verify --repair {path}, then terrashot run"
        )
    with sole_writer(path.parent if path.is_file() and path.suffix != ".toml" else _folder(path)):
        for finding in findings:
            finding.repair()
    steps = list(dict.fromkeys(finding.redo for finding in findings if finding.redo))
    lines = (f"{len(findings)} damaged parts are marked; the next `terrashot run` redoes them: {', '.join(steps)}",)
    return Answer(lines, facts)


def _folder(path: Path) -> Path:
    if path.suffix == ".toml" or (path / "study.toml").is_file():
        return find_study(path).folder
    return path.parent if path.name.endswith(".zarr") else path


def _checks(path: Path) -> Iterator[Check]:
    if path.suffix == ".parquet" or path.name == ANSWERS:
        yield path.name, lambda: _table(path)
    elif (path / "model.json").is_file() or (path / "weights.safetensors").is_file():
        yield path.name, lambda: _model(path)
    elif path.name == ZARR and path.is_dir():
        yield path.name, lambda: _store(path.parent)
    elif (path / "study.toml").is_file() or path.suffix == ".toml":
        yield from _study(find_study(path))


def _study(study: Study) -> Iterator[Check]:
    recorded, damaged = _recorded_digests(study)
    if study.manifest.is_file() or damaged:
        yield study.manifest.name, lambda: damaged
    tables = [*sorted(study.folder.glob("*.parquet")), *([study.answers] if study.answers.is_file() else [])]
    for path in tables:
        yield path.name, lambda path=path: _table(path)  # type: ignore[misc]
    if study.ledger.is_file() or study.store.is_dir():
        yield study.store.name, lambda: _store(study.folder)
    if study.model.is_dir():
        yield study.model.name, lambda: _model(study.model)
    if study.metrics.name in recorded and study.metrics.exists():
        yield study.metrics.name, lambda: _metrics(study)
    for path in (study.report, study.figures, study.embeddings_zarr, study.health):
        if path.name in recorded and path.exists():
            yield path.name, lambda path=path: _recorded(path, recorded[path.name])  # type: ignore[misc]


def _recorded_digests(study: Study) -> tuple[dict[str, str], list[Finding]]:
    """Digests that the manifest records, by file name, and what is wrong with the manifest itself."""
    try:
        manifest.verify(study.manifest)
    except IntegrityError as error:
        return {}, [Finding("manifest.jsonl", str(error), (), "", lambda: manifest.repair(study.manifest))]
    lines = manifest.read(study.manifest)
    return {name: digest for line in lines.values() for name, digest in line.outputs.items()}, []


def _table(path: Path) -> list[Finding]:
    reason = None
    if not digest_path(path).is_file():
        reason = f"{digest_path(path).name} is missing"
    elif not fits_digest(path):
        reason = "its bytes are not those that were written"
    else:
        reason = _said(lambda: read_answers(path) if path.name == ANSWERS else read_table(path))
    return [] if reason is None else [_file_finding(path, reason)]


def _file_finding(path: Path, reason: str) -> Finding:
    return Finding(path.name, reason, (), REDO.get(path.name, ""), lambda: set_aside(path))


def _model(path: Path) -> list[Finding]:
    from terrashot.model.checkpoint import load_model, read_summary  # late: torch is needed for models alone

    reason = _said(lambda: load_model(path))
    if reason is not None:
        return [Finding(path.name, reason, (), "pretrain", lambda: set_aside(path))]
    last = path / "last.safetensors"
    if last.is_file() and sha256_of_file(last) != read_summary(path).get("last_sha256"):
        # Nothing reads it but a person who wants the last epoch's weights: not worth a training.
        return [Finding(f"{path.name}/{last.name}", "not the bytes written", (), "", lambda: set_aside(last))]
    return []


def _store(folder: Path) -> list[Finding]:
    return [_store_finding(folder, damage) for damage in verify_store(folder) if damage is not None]


def _store_finding(folder: Path, damage: Damage) -> Finding:
    return Finding(damage.file, damage.reason, damage.chips, "ingest", lambda: mark_damage(folder, damage))


def _metrics(study: Study) -> list[Finding]:
    reason = damage_of_metrics(study)
    if reason is None:
        return []
    return [Finding(study.metrics.name, reason, (), REDO[study.metrics.name], lambda: repair_metrics(study))]


def _recorded(path: Path, digest: str) -> list[Finding]:
    if digest_of_artefact(path) == digest:
        return []
    return [_file_finding(path, "its bytes are not those that the manifest records")]


def _said(check: Callable[[], object]) -> str | None:
    """What is wrong, in words; None where nothing is."""
    try:
        check()
    except TerrashotError as error:
        return str(error)
    return None
