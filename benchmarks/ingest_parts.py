"""Where a harvest's CPU time goes, by part of the work; and how many pixels it read, so that nobody reads fewer than the other."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from terrashot.durable.spool import Spool
from terrashot.ingest import delivery, harvest, scene_source
from terrashot.remote.ranges import RemoteRanges
from terrashot.store.write import NewShard

PARTS: dict[str, list[tuple[Any, str]]] = {
    "read and unpack": [(delivery, "read_window")],
    "fetch": [(RemoteRanges, "read_into")],
    "kept on disk": [(Spool, "get"), (Spool, "put")],
    "into values": [(delivery, "quantity")],
    "mask": [(delivery, "_is_clear"), (delivery, "hide")],
    "onto the chip": [(delivery, "lay_onto")],
    "composite": [(scene_source, "make_composite"), (scene_source, "to_db_into")],
    "pack and write": [(harvest, "pack_chip"), (NewShard, "add"), (NewShard, "finish")],
}
"""The functions that do the work, as their callers know them. What one of them calls of another part counts there alone."""


class Clock:
    """CPU seconds by part, over all threads: what they wait for is no work of theirs."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.pixels = 0
        self._lock = threading.Lock()
        self._own = threading.local()
        self._began = time.process_time()

    def stop(self) -> None:
        """What no part accounts for is the rest."""
        self.seconds["the rest"] = time.process_time() - self._began - sum(self.seconds.values())

    def watched(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function; its time is the part's, but for that of the parts it calls."""

        def call(*arguments: Any, **named: Any) -> Any:
            before, self._own.inner = getattr(self._own, "inner", 0.0), 0.0
            began = time.thread_time()
            try:
                found = function(*arguments, **named)
            finally:
                spent = time.thread_time() - began
                with self._lock:
                    self.seconds[part] += spent - self._own.inner
                self._own.inner = before + spent
            if part == "read and unpack":
                with self._lock:
                    self.pixels += found.stored.size
            return found

        return call


@contextmanager
def watching() -> Iterator[Clock]:
    """Inside, the seconds of this process's harvests are told apart."""
    clock, before = Clock(), []
    for part, places in PARTS.items():
        for owner, name in places:
            before.append((owner, name, getattr(owner, name)))
            setattr(owner, name, clock.watched(part, getattr(owner, name)))
    try:
        yield clock
        clock.stop()
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)
