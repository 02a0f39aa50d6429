"""What one asset, search or token may cost, and what it has cost so far.

Time, sleep and chance are arguments, so that a test of an hour's waiting takes no time.
"""

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Time, as far as a budget needs it."""

    def now(self) -> float:
        """Seconds that only grow."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def today(self) -> datetime:
        """The date and time, with its zone."""
        ...


class SystemClock:
    """This machine's time."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def today(self) -> datetime:
        return datetime.now(UTC)


_: type[Clock] = SystemClock


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one asset, search or token may cost."""

    max_attempts: int = 6
    """Of one answer, in a row."""
    max_requests: int = 2000
    """In all: redirects and repeated ones count."""
    max_seconds: float = 300.0
    """In all, from the budget's making on: waiting, connecting and reading."""
    max_bytes: int = 512 << 20
    """In all, as they come from the network: headers and refused answers count."""
    stall_s: float = 20.0
    """Longest wait for the next byte."""
    first_wait_s: float = 0.5
    """Bound of the wait after the first failure; doubled after each further one."""
    longest_wait_s: float = 30.0
    """Bound of the wait between two attempts, unless the server asks for a longer one."""


class SpentError(Exception):
    """A limit is reached; its text says which. Becomes a NetworkError where the asset's name is known."""


class Budget:
    """The running account of one asset, search or token."""

    def __init__(self, limits: Limits, clock: Clock | None = None, rng: random.Random | None = None) -> None:
        """
        Args:
            rng: source of the jitter between attempts, which changes no result.
        """
        self.limits = limits
        self.clock = clock if clock is not None else SystemClock()
        self.requests = 0
        self.received_bytes = 0
        self._rng = rng
        self._ends = self.clock.now() + limits.max_seconds

    @property
    def spent_s(self) -> float:
        return self.limits.max_seconds - self._ends + self.clock.now()

    @property
    def left_s(self) -> float:
        """Never below 0."""
        return max(0.0, self._ends - self.clock.now())

    @property
    def left_bytes(self) -> int:
        return self.limits.max_bytes - self.received_bytes

    def begin_request(self) -> None:
        """Nothing; one more request is counted.

        Raises:
            SpentError: that would be one too many, or time is up.
        """
        if self.requests >= self.limits.max_requests:
            raise SpentError(f"all {self.limits.max_requests} requests are spent")
        self.patience_s()
        self.requests += 1

    def patience_s(self) -> float:
        """How long to wait for the network's next move.

        Raises:
            SpentError: time is up.
        """
        left = self._ends - self.clock.now()  # looked at before every receipt
        if left <= 0:
            raise SpentError(f"all {self.limits.max_seconds:g} s are spent")
        return min(left, self.limits.stall_s)

    def room(self, wanted: int) -> int:
        """How many of the wanted bytes may be received.

        Raises:
            SpentError: none.
        """
        if self.left_bytes <= 0:
            raise SpentError(f"all {self.limits.max_bytes} bytes are spent")
        return min(wanted, self.left_bytes)

    def receive(self, n_bytes: int) -> None:
        """Nothing; so many bytes more are counted."""
        self.received_bytes += n_bytes

    def back_off(self, failures: int, asked_s: float | None = None) -> None:
        """Nothing, after a wait: exponential with full jitter, on top of what the server asked for.

        Args:
            failures: attempts that failed before this wait, at least 1.

        Raises:
            SpentError: the wait would outlast the time left; none is begun then.

        Source: Brooker 2015, "Exponential Backoff And Jitter", AWS Architecture Blog, "Full Jitter".
        """
        bound = min(self.limits.longest_wait_s, self.limits.first_wait_s * 2.0 ** min(failures - 1, 30))
        if self._rng is None:
            self._rng = random.Random()  # not before: it takes longer to make than most answers to read
        wait = self._rng.uniform(0.0, bound) + (asked_s or 0.0)
        left = self.left_s
        if wait >= left:
            asked = f", the server asks for {asked_s:.0f} s" if asked_s else ""
            raise SpentError(f"{left:.0f} of {self.limits.max_seconds:g} s are left{asked}")
        self.clock.sleep(wait)
