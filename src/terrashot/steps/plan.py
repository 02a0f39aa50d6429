"""Which steps of a study must run, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from terrashot.config import StudyConfig
from terrashot.errors import UsageError
from terrashot.steps.progress import Work
from terrashot.store.manifest import Line, digest_of
from terrashot.store.study import Study

LONG_SECONDS = 30 * 60.0


@dataclass(frozen=True, slots=True)
class Context:
    """What every step is given."""

    study: Study
    config: StudyConfig
    workers: int


@dataclass(frozen=True, slots=True)
class Step:
    """One job of `run`: what it reads, what it writes, how it is done."""

    name: str
    sections: tuple[str, ...]
    """Sections of the study file whose change makes it stale."""
    inputs: Callable[[Context], Mapping[str, str]]
    """Digests, by name, of what it reads now."""
    outputs: Callable[[Study], Sequence[Path]]
    work: Callable[[Context], Work[None]]
    outdated: Callable[[Context], str | None] = lambda context: None
    """A further reason to run again, in words."""
    redo_removes: Callable[[Study], Sequence[Path]] = lambda study: ()
    """What must not be taken up again when the step is redone from the start."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a step runs, and why or why not."""

    step: str
    runs: bool
    why: str


def config_digest(sections: Sequence[str], config: StudyConfig) -> str:
    """Digest of these sections, or `section.key`s, of the study file."""
    whole = config.model_dump(mode="json")
    return digest_of({name: _at(whole, name) for name in sections})


def decide(step: Step, context: Context, line: Line | None, *, redo: bool) -> Decision:
    """Whether `step` must run now that the steps before it have."""
    why = _why_it_runs(step, context, line, redo)
    if why is None:
        return Decision(step.name, False, "done, and nothing it depends on has changed")
    if line is not None and line.seconds > LONG_SECONDS and not redo:
        raise UsageError(
            f"step '{step.name}' is stale ({why}) and took {line.seconds / 60:.0f} minutes last time; "
            f"to run it again add: --redo {step.name}"
        )
    return Decision(step.name, True, why)


def _why_it_runs(step: Step, context: Context, line: Line | None, redo: bool) -> str | None:
    if redo:
        return "asked for with --redo"
    if line is None:
        return "not done yet"
    missing = [path.name for path in step.outputs(context.study) if not path.exists()]
    if missing:
        return f"{missing[0]} is missing"
    if line.config != config_digest(step.sections, context.config):
        return f"its settings changed ({', '.join(f'[{name}]' for name in step.sections)})"
    now = step.inputs(context)
    changed = [name for name in {**line.inputs, **now} if line.inputs.get(name) != now.get(name)]
    if changed:
        return f"{changed[0]} changed"
    return step.outdated(context)


def _at(content: Mapping[str, object], dotted: str) -> object:
    value: object = content
    for part in dotted.split("."):
        value = value[part] if isinstance(value, Mapping) else None
    return value
