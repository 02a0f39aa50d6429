"""Where a harvest's seconds go, by part of the work; and how many pixels it read, so that nobody reads fewer than the other."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from terrashot.durable.spool import Spool
from terrashot.ingest import delivery, harvest, scene_source
from terrashot.remote.ranges import RemoteRanges

PARTS: dict[str, list[tuple[Any, str]]] = {
    "read and unpack": [(delivery, "read_window")],
    "fetch": [(RemoteRanges, "read")],
    "kept on disk": [(Spool, "get"), (Spool, "put")],
    "into values": [(delivery, "quantity")],
    "mask": [(delivery, "_is_clear"), (delivery, "hide")],
    "onto the chip": [(delivery, "onto")],
    "composite": [(scene_source, "make_composite"), (scene_source, "to_db")],
    "pack and write": [(harvest, "pack_chip"), (harvest, "write_shard")],
}
"""The functions that do the work, as their callers know them. What one of them calls of another part counts there alone."""


class Clock:
    """Seconds by part, of one thread."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.pixels = 0
        self._running = ["the rest"]
        self._since = time.perf_counter()

    def enter(self, part: str) -> None:
        """From now on the time is that part's."""
        self._pass_time()
        self._running.append(part)

    def leave(self) -> None:
        """From now on it is again that of whoever called the part."""
        self._pass_time()
        self._running.pop()

    def _pass_time(self) -> None:
        now = time.perf_counter()
        self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def watched(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function; its time is the part's."""

        def call(*arguments: Any, **named: Any) -> Any:
            self.enter(part)
            try:
                found = function(*arguments, **named)
            finally:
                self.leave()
            if part == "read and unpack":
                self.pixels += found.stored.size
            return found

        return call


@contextmanager
def watching() -> Iterator[Clock]:
    """Inside, the seconds of this process's harvests are told apart; for one reader, since they are of one thread."""
    clock, before = Clock(), []
    for part, places in PARTS.items():
        for owner, name in places:
            before.append((owner, name, getattr(owner, name)))
            setattr(owner, name, clock.watched(part, getattr(owner, name)))
    try:
        yield clock
        clock.leave()
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)
