"""Files that stay open from chip to chip, so that no header is read anew and a block unpacked for one chip serves the next."""

import atexit
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, Protocol, TypeVar

MOST_OPEN: Final = 400
"""Of this process. A year of two sensors over a chip is some 400 files; a system lets a process open 1024 at once, and one that is
read at two levels is open twice."""


class Closable(Protocol):
    """What is to be closed."""

    def close(self) -> None: ...


File = TypeVar("File", bound=Closable)


class KeptOpen(Generic[File]):
    """Open files by key; each is lent to one thread at a time, and those not lent for longest are closed first."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._idle: OrderedDict[Hashable, File] = OrderedDict()
        self._lock = threading.Lock()
        # GDAL calls back into Python when a far file is closed, which must be while there still is one.
        atexit.register(self.close)

    @contextmanager
    def lent(self, key: Hashable, open_new: Callable[[], File]) -> Iterator[File]:
        """The file of that key, opened where none is idle; after an error it is closed, and opened anew the next time."""
        # A forked process must not read through files of its parent.
        own = os.getpid(), key
        with self._lock:
            found = self._idle.pop(own, None)
        file = open_new() if found is None else found
        try:
            yield file
        except BaseException:
            file.close()
            raise
        self._take_back(own, file)

    def close(self) -> None:
        """Nothing; no idle file is open any more."""
        with self._lock:
            while self._idle:
                self._idle.popitem()[1].close()

    def _take_back(self, own: Hashable, file: File) -> None:
        with self._lock:
            surplus = [self._idle.pop(own)] if own in self._idle else []
            self._idle[own] = file
            while len(self._idle) > self._most:
                surplus.append(self._idle.popitem(last=False)[1])
        for one in surplus:
            one.close()
