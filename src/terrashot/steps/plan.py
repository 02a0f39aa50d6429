"""Which steps of a study must run, and why."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from terrashot.config import StudyConfig
from terrashot.errors import UsageError
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.progress import Work
from terrashot.steps.ranks import ONE_PROCESS, Ranks
from terrashot.store.manifest import Line, digest_of
from terrashot.store.study import Study

LONG_SECONDS = 30 * 60.0
SETTINGS, OUTDATED = "settings", "outdated"
"""Causes of staleness that are no artefact."""
PIXELS = ("source", "grid")
"""Sections of the study file that decide what every chip shows."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every step is given."""

    study: Study
    config: StudyConfig
    workers: int
    ranks: Ranks = ONE_PROCESS


@dataclass(frozen=True, slots=True)
class Step:
    """One job of `run`: what it reads, what it writes, how it is done."""

    name: str
    sections: tuple[str, ...]
    """Sections of the study file whose change makes it stale."""
    inputs: Callable[[Context], Mapping[str, str]]
    """Digests, by name, of what it reads now."""
    outputs: Callable[[Context], Sequence[Path]]
    work: Callable[[Context], Work[None]]
    outdated: Callable[[Context], str | None] = lambda context: None
    """A further reason to run again, in words."""
    redo_removes: Callable[[Study], Sequence[Path]] = lambda study: ()
    """What must not be taken up again when the step is redone from the start."""
    takes_up: frozenset[str] = frozenset()
    """Causes after which the work goes on from what lies there, so that no `--redo` is needed however long it took."""
    scratch: Callable[[Study], Sequence[Path]] = lambda study: ()
    """What a killed run of the step goes on from; of no use once its line is in the manifest."""


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
    if redo or line is None:
        return Decision(step.name, True, "asked for with --redo" if redo else "not done yet")
    reasons = list(_reasons(step, context, line))
    if not reasons:
        return Decision(step.name, False, "done, and nothing it depends on has changed")
    from_scratch = [text for cause, text in reasons if cause not in step.takes_up]
    if from_scratch and line.seconds > LONG_SECONDS:
        raise UsageError(
            f"step '{step.name}' is stale ({from_scratch[0]}) and took {line.seconds / 60:.0f} minutes last time; "
            f"to run it again add: --redo {step.name}"
        )
    return Decision(step.name, True, (from_scratch or [reasons[0][1]])[0])


def _reasons(step: Step, context: Context, line: Line) -> Iterator[tuple[str, str]]:
    """Why the step must run again: the artefact that causes it, or `settings`; and the sentence."""
    if line.config != config_digest(step.sections, context.config):
        names = dict.fromkeys(name.partition(".")[0] for name in step.sections)
        yield SETTINGS, f"its settings changed ({', '.join(f'[{name}]' for name in names)})"
    now = step.inputs(context)
    for name in {**line.inputs, **now}:
        if line.inputs.get(name) != now.get(name):
            yield name, f"{name} changed"
    if (own := step.outdated(context)) is not None:
        yield OUTDATED, own
    for path in step.outputs(context):
        digest = digest_of_artefact(path)
        if digest is None:
            yield path.name, f"{path.name} is missing"
        elif digest != line.outputs.get(path.name):
            # Else what a killed run left, after settings were changed and changed back, would pass for this step's.
            yield path.name, f"{path.name} is not what this step wrote"


def _at(content: Mapping[str, object], dotted: str) -> object:
    value: object = content
    for part in dotted.split("."):
        value = value[part] if isinstance(value, Mapping) else None
    return value
