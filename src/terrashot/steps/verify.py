"""`terrashot verify`: the bytes are those that were written, or which are not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from terrashot.errors import InputError, IntegrityError, TerrashotError
from terrashot.steps.answer import Answer
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.progress import Progress, Work
from terrashot.store import manifest
from terrashot.store.chips import verify_store
from terrashot.store.parquet import digest_path, read_table
from terrashot.store.study import Study, find_study


@dataclass(frozen=True, slots=True)
class Finding:
    """One damaged artefact."""

    what: str
    reason: str


Check = tuple[str, Callable[[], Sequence[Finding]]]


def verify_path(path: Path) -> Work[Answer]:
    """What was checked.

    Raises:
        IntegrityError: something is damaged; names each part and what to run.
        InputError: nothing to check there.
    """
    checks = list(_checks(path))
    if not checks:
        raise InputError(f"{path}: no study, chip store, model folder or table; nothing to verify")
    findings: list[Finding] = []
    for done, (name, check) in enumerate(checks, start=1):
        findings += check()
        yield Progress("verify", done, len(checks), name)
    if findings:
        parts = "; ".join(f"{finding.what}: {finding.reason}" for finding in findings[:5])
        raise IntegrityError(f"{len(findings)} damaged: {parts}; redo the step that made it: terrashot run --redo STEP")
    names = [name for name, _ in checks]
    return Answer((f"{len(names)} artefacts are whole: {', '.join(names)}",), {"checked": names, "damaged": []})


def _checks(path: Path) -> Iterator[Check]:
    if path.suffix == ".parquet":
        yield path.name, lambda: _table(path)
    elif (path / "model.json").is_file():
        yield path.name, lambda: _model(path)
    elif path.name.endswith(".zarr") and path.is_dir():
        yield path.name, lambda: _store(path.parent)
    elif (path / "study.toml").is_file() or path.suffix == ".toml":
        yield from _study(find_study(path))


def _study(study: Study) -> Iterator[Check]:
    lines = manifest.read(study.manifest)
    yield study.manifest.name, lambda: []  # reading it has checked every line
    for path in sorted(study.folder.glob("*.parquet")):
        yield path.name, lambda path=path: _table(path)  # type: ignore[misc]
    if study.ledger.is_file():
        yield study.store.name, lambda: _store(study.folder)
    if study.model.is_dir():
        yield study.model.name, lambda: _model(study.model)
    recorded = {name: digest for line in lines.values() for name, digest in line.outputs.items()}
    for path in (study.metrics, study.report, study.figures):
        if path.name in recorded:
            yield path.name, lambda path=path: _recorded(path, recorded[path.name])  # type: ignore[misc]


def _table(path: Path) -> list[Finding]:
    if not digest_path(path).is_file():
        return [Finding(path.name, f"{digest_path(path).name} is missing")]
    return _tried(path.name, lambda: read_table(path))


def _model(path: Path) -> list[Finding]:
    from terrashot.model.checkpoint import load_model  # late: torch is needed for models alone

    return _tried(path.name, lambda: load_model(path))


def _store(folder: Path) -> list[Finding]:
    return [
        Finding("chips.zarr", " ".join(str(value) for value in asdict(damage).values()))
        for damage in verify_store(folder)
    ]


def _recorded(path: Path, digest: str) -> list[Finding]:
    return (
        []
        if digest_of_artefact(path) == digest
        else [Finding(path.name, "its bytes are not those that the manifest records")]
    )


def _tried(what: str, check: Callable[[], object]) -> list[Finding]:
    try:
        check()
    except TerrashotError as error:
        return [Finding(what, str(error))]
    return []
