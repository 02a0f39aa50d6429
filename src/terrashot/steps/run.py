"""`terrashot run`: the steps that are missing or stale, in order."""

import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from terrashot import __version__
from terrashot.config import read_config
from terrashot.durable.files import make_folder, remove, sweep_leftovers
from terrashot.durable.lock import sole_writer
from terrashot.engine import available_cores
from terrashot.errors import UsageError
from terrashot.steps.all_steps import INGEST, LABELS, PRETRAIN, STEPS
from terrashot.steps.answer import Answer
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.foresee_engine import cost_of_engine
from terrashot.steps.foresee_ingest import cost_of_ingest
from terrashot.steps.foresee_text import cost_of_pretraining
from terrashot.steps.map_labels import maps_to_read
from terrashot.steps.plan import Context, Decision, Step, config_digest, decide
from terrashot.steps.pretrain import help_to_pretrain
from terrashot.steps.progress import Progress, Said, Work
from terrashot.steps.ranks import ONE_PROCESS, Ranks, process_group, ranks_of_torchrun
from terrashot.steps.results import said
from terrashot.store import manifest
from terrashot.store.answers import read_answers
from terrashot.store.study import Study

NAMED_VERSIONS = ("numpy", "scikit-learn", "numba", "torch", "zarr", "pyarrow", "matplotlib", "openTSNE")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asked of a run."""

    only: Sequence[str] = ()
    redo: Sequence[str] = ()
    dry_run: bool = False


def run_and_report(study: Study, wishes: Wishes) -> Work[Answer | None]:
    """What was decided, where the results lie, and what they say in short; None but in the first of several processes."""
    decisions = yield from run_study(study, wishes)
    if not ranks_of_torchrun().is_first:
        return None
    facts: dict[str, Any] = {"study": str(study.folder), "steps": [asdict(decision) for decision in decisions]}
    if wishes.dry_run:
        return (yield from _foretold(study, decisions, facts))
    lines: list[str] = []
    if study.answers.is_file():
        found, answered = said(read_answers(study.answers))
        lines += found
        facts |= answered
    if study.report.is_file():
        lines += [f"pictures: {study.figures}", f"report: {study.report}"]
        facts |= {"report": str(study.report), "figures": str(study.figures)}
    return Answer(tuple(lines), facts)


def _foretold(study: Study, decisions: Sequence[Decision], facts: dict[str, Any]) -> Work[Answer]:
    """What would run, and what the longest of it would cost."""
    told = Answer(tuple(f"{d.step}: {'would run' if d.runs else 'skipped'}: {d.why}" for d in decisions), facts)
    to_run = {decision.step for decision in decisions if decision.runs}
    context = make_context(study, ranks_of_torchrun())
    if INGEST.name in to_run and context.config.source.kind == "scenes":
        told = told.with_more((yield from cost_of_ingest(context)))
    if LABELS.name in to_run and context.config.labels.maps:
        told = told.with_more(maps_to_read(context))
    if context.config.source.earthengine is not None:
        told = told.with_more(cost_of_engine(context, to_run))
    if PRETRAIN.name in to_run:
        told = told.with_more(cost_of_pretraining(context, to_run))
    return told


def make_context(study: Study, ranks: Ranks = ONE_PROCESS) -> Context:
    """The study's configuration and the processes it may use."""
    config = read_config(study.config_path)
    return Context(study, config, config.study.workers or available_cores(), ranks)


def run_study(study: Study, wishes: Wishes) -> Work[list[Decision]]:
    """What was decided for each step, after doing it."""
    _refuse_unknown_steps(wishes)
    ranks = ranks_of_torchrun()
    context = make_context(study, ranks)
    if wishes.dry_run:
        return _foresee(context, wishes)
    with process_group(ranks):
        if not ranks.is_first:
            _join(context)
            return []
        with sole_writer(make_folder(study.folder)):
            sweep_leftovers(study.folder)
            decisions = yield from _run_steps(context, wishes)
        if not any(decision.runs for decision in decisions if decision.step == PRETRAIN.name):
            ranks.dismiss()
        return decisions


def _join(context: Context) -> None:
    """What a process that is not the first does: it waits for the first to train, and helps."""
    if context.ranks.is_called_to_train():
        help_to_pretrain(context)


def _run_steps(context: Context, wishes: Wishes) -> Work[list[Decision]]:
    decisions = []
    for step in _wanted(wishes):
        line = manifest.read(context.study.manifest).get(step.name)
        decision = decide(step, context, line, redo=step.name in wishes.redo)
        decisions.append(decision)
        yield Said(f"{step.name}: {'runs' if decision.runs else 'skipped'}: {decision.why}")
        if step.name in wishes.redo:
            _clear([*step.redo_removes(context.study), *step.scratch(context.study)])
        if decision.runs:
            yield from _do(step, context)
        # Only now, with the line in the manifest: a run killed before it must find its way back.
        _clear(step.scratch(context.study))
    return decisions


def _clear(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.exists():
            remove(path)


def _do(step: Step, context: Context) -> Work[None]:
    started = time.monotonic()
    yield from step.work(context)
    seconds = time.monotonic() - started
    manifest.append(
        context.study.manifest,
        manifest.Line(
            step=step.name,
            config=config_digest(step.sections, context.config),
            inputs=dict(step.inputs(context)),
            outputs={path.name: digest_of_artefact(path) or "" for path in step.outputs(context)},
            versions=_versions(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
        ),
    )
    yield Progress(step.name, 1, 1, f"done in {seconds:.1f} s")


def _foresee(context: Context, wishes: Wishes) -> list[Decision]:
    """What would run. A step below one that runs is taken to run too: its input may come out different."""
    lines = manifest.read(context.study.manifest)
    decisions: list[Decision] = []
    for step in _wanted(wishes):
        above = next((d.step for d in decisions if d.runs), None)
        decision = (
            Decision(step.name, True, f"may run: '{above}' runs before it")
            if above and step.name not in wishes.redo
            else decide(step, context, lines.get(step.name), redo=step.name in wishes.redo)
        )
        decisions.append(decision)
    return decisions


def _wanted(wishes: Wishes) -> list[Step]:
    return [step for step in STEPS if not wishes.only or step.name in wishes.only]


def _refuse_unknown_steps(wishes: Wishes) -> None:
    names = [step.name for step in STEPS]
    for asked in (*wishes.only, *wishes.redo):
        if asked not in names:
            raise UsageError(f"no step '{asked}'; steps are {', '.join(names)}")


def _versions() -> dict[str, str]:
    found = {"terrashot": __version__, "python": platform.python_version()}
    for name in NAMED_VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # an extra that is not installed took no part
    return found
