"""`terrashot status`: what is done, what is stale, what is missing in the data."""

from collections import Counter

from terrashot.domain.tables import count_absences
from terrashot.errors import TerrashotError
from terrashot.steps.all_steps import STEPS
from terrashot.steps.answer import Answer
from terrashot.steps.pair_counts import pair_counts, told_pairs
from terrashot.steps.plan import Context, decide
from terrashot.steps.run import make_context
from terrashot.store import manifest
from terrashot.store.study import Study
from terrashot.store.tables import read_chips, read_presence


def study_status(study: Study) -> Answer:
    """One line a step, then what is absent in the data, by modality and reason, and how many pairs of coherence chips have."""
    context = make_context(study)
    steps = _steps(context)
    presence = read_presence(study.presence) if study.presence.is_file() else None
    absent = [] if presence is None else count_absences(presence)
    lines = [f"{name:<9} {state}" for name, state in steps.items()]
    unknown = (
        "nothing is missing in the data"
        if presence is not None
        else "nothing is known of the data yet; run the study first"
    )
    lines += ["", "missing in the data:" if absent else unknown]
    lines += [f"  {modality:<7} {status:<8} {reason}: {count} channels" for modality, status, reason, count in absent]
    chips = read_chips(study.chips) if study.chips.is_file() else None
    pairs = {} if chips is None or presence is None else pair_counts(chips, presence)
    lines += told_pairs(pairs)
    facts = {
        "steps": steps,
        "absent": [list(row) for row in absent],
        "chips": {} if chips is None else dict(Counter(str(name) for name in chips.split)),
        "pairs": {area: found.as_facts() for area, found in pairs.items()},
    }
    return Answer(tuple(lines), facts)


def _steps(context: Context) -> dict[str, str]:
    done = manifest.read(context.study.manifest)
    states = {}
    for step in STEPS:
        line = done.get(step.name)
        try:
            decision = decide(step, context, line, redo=False)
            state = (
                ("stale: " if line else "missing: ") + decision.why
                if decision.runs
                else f"done {line and line.finished}"
            )
        except TerrashotError as error:
            state = f"stale: {error}"
        states[step.name] = state
    return states
