"""How a fault can end, and the count of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Outcome(Enum):
    """What a fault led to; the last two must never be."""

    EXACT = "exact"
    """What was asked for, to the last byte, in the end."""
    REFUSED = "refused"
    """One line that says what, where and what to do, with its exit code; nothing lost of what was there."""
    UNDETECTABLE = "undetectable"
    """Something else than was there before, and nothing that could have told: the file is as well formed as it was, and its form has
    no checksum where it was bent."""
    SILENT = "silent"
    """Something else than was asked for, and nobody was told."""
    CRASHED = "crashed"
    """A traceback, a signal, a hang, or a refusal that nothing mends."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one fault ended."""

    outcome: Outcome
    note: str = ""
    """For the last two: what was found."""
    times: int = 1
    """Faults that ended so, where one case injects many."""


@dataclass(frozen=True, slots=True)
class Case:
    """One fault, replayable by its name and the row's seed."""

    name: str
    run: Callable[[Path], Verdict]
    """Given an empty folder of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of fault."""

    name: str
    title: str
    cases: Callable[[bool, int], Iterator[Case]]
    """The cases, given whether to soak, and a seed."""


@dataclass(slots=True)
class Tally:
    """The line of the table that a row ends with."""

    row: str
    seed: int
    counts: Counter[Outcome] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    def add(self, case: Case, verdict: Verdict) -> None:
        self.counts[verdict.outcome] += verdict.times
        if verdict.outcome in (Outcome.SILENT, Outcome.CRASHED):
            self.bad.append(f"{case.name}: {verdict.outcome.value}: {verdict.note}")

    @property
    def injected(self) -> int:
        return self.counts.total()

    @property
    def as_json(self) -> dict[str, object]:
        return {
            "row": self.row, "injected": self.injected, "seed": self.seed, "bad": self.bad,
            **{outcome.value: self.counts[outcome] for outcome in Outcome},
        }  # fmt: skip


def exact() -> Verdict:
    """All is as it should be."""
    return Verdict(Outcome.EXACT)


def refused(times: int = 1) -> Verdict:
    """A clean refusal."""
    return Verdict(Outcome.REFUSED, times=times)


def silent(note: str) -> Verdict:
    """Something was lost or bent, and nobody was told."""
    return Verdict(Outcome.SILENT, note)


def crashed(note: str) -> Verdict:
    """A defect showed itself."""
    return Verdict(Outcome.CRASHED, note)


def table(tallies: Sequence[Tally], titles: Mapping[str, str]) -> str:
    """The tallies as a Markdown table."""
    lines = [
        "| fault | injected | exact | refused cleanly | undetectable | silent | crashed | seed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for tally in tallies:
        numbers = [tally.injected, *(tally.counts[outcome] for outcome in Outcome), tally.seed]
        lines.append(f"| {titles[tally.row]} | {' | '.join(f'{number:,}' for number in numbers)} |")
    return "\n".join(lines)
