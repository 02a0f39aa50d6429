"""What long work tells while it runs."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Progress:
    """So much of a job is done."""

    job: str
    done: float
    total: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that the person must see."""

    text: str


Event = Progress | Said
Inner = TypeVar("Inner")
Outcome = TypeVar("Outcome")
Work = Generator[Event, None, Outcome]
"""Yields events and returns its outcome."""


def relay(work: Generator[Inner, None, Outcome], tell: Callable[[Inner], Iterable[Event]]) -> Work[Outcome]:
    """The outcome of a stage's work, each of its own events told as events of ours."""
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            return stop.value
        yield from tell(event)


def finish(work: Generator[object, None, Outcome]) -> Outcome:
    """The outcome of some work, its events unheard."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value
