"""Progress for a person: a bar on a terminal, a line now and then otherwise; always on standard error."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from terrashot.steps.progress import Event, Outcome, Said, Work
from terrashot.steps.progress import Progress as Step

SECONDS_BETWEEN_LINES = 5.0


def show(work: Work[Outcome]) -> Outcome:
    """The outcome of some work, after showing its events as they come."""
    if sys.stderr.isatty():
        with _Bars() as bars:
            return _drain(work, bars.tell)
    return _drain(work, _Lines().tell)


def _drain(work: Work[Outcome], tell: Callable[[Event], None]) -> Outcome:
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            return stop.value
        tell(event)


class _Bars:
    """A bar a job, with the time that is left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description:<9}"), BarColumn(30), TextColumn("{task.percentage:>3.0f} %"))
        self._progress = Progress(
            *columns, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"), console=self._console,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, event: Event) -> None:
        if isinstance(event, Said):
            self._console.print(event.text, markup=False, highlight=False)
            return
        if event.job not in self._tasks:
            self._tasks[event.job] = self._progress.add_task(event.job, total=event.total, detail="")
        self._progress.update(self._tasks[event.job], completed=event.done, total=event.total, detail=event.detail)


@dataclass(slots=True)
class _Lines:
    """A line when a job ends, and now and then while it runs."""

    started: dict[str, float] = field(default_factory=dict)
    last: float = 0.0

    def tell(self, event: Event) -> None:
        if isinstance(event, Said):
            print(event.text, file=sys.stderr, flush=True)
            return
        now = time.monotonic()
        began = self.started.setdefault(event.job, now)
        if event.done < event.total and now - self.last < SECONDS_BETWEEN_LINES:
            return
        self.last = now
        print(
            f"{event.job}: {_share(event)}{_left(event, now - began)} {event.detail}".rstrip(),
            file=sys.stderr,
            flush=True,
        )


def _share(step: Step) -> str:
    return f"{100 * step.done / step.total:.0f} %" if step.total else "100 %"


def _left(step: Step, elapsed_s: float) -> str:
    if not 0 < step.done < step.total or elapsed_s < 1:
        return ""
    return f", {elapsed_s * (step.total - step.done) / step.done:.0f} s left;"
