"""How long and how often a catalogue is asked before we give up: limits, a clock, and urllib3's Retry kept within them."""

import email.utils
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from urllib3 import BaseHTTPResponse, Retry

ASK_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that another try may better."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the code is given it, so that tests need not wait for it."""

    seconds: Callable[[], float] = time.monotonic
    unix_s: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    """From 0 to 1, to cut waits by, so that many who were turned away together do not come back together."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one search, or one login, may cost. Beyond any of them it is given up, and nothing of it is used."""

    seconds: float = 300.0
    """In all, waiting included."""
    attempts: int = 6
    """For one page."""
    all_attempts: int = 400
    """For all pages."""
    pages: int = 200
    items: int = 20_000
    page_bytes: int = 64 << 20
    """Of one page when unpacked; a hundred items of Sentinel-2 are some 4 MB."""
    silence_s: float = 30.0
    """Longest time without a byte."""
    backoff_s: float = 1.0
    """First wait where the catalogue names none; doubled each time, cut at random by up to a half."""


@dataclass(slots=True)
class Spent:
    """What a search has cost so far."""

    limits: Limits
    clock: Clock
    began_s: float = field(init=False)
    attempts: int = 0

    def __post_init__(self) -> None:
        self.began_s = self.clock.seconds()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self.clock.seconds() - self.began_s

    @property
    def left_s(self) -> float:
        """Seconds still to spend; below 0 when overdrawn."""
        return self.limits.seconds - self.seconds


class PatientRetry(Retry):
    """Retry that waits by a clock that it is given, for as long as `Retry-After` says or, doubling, of itself.

    urllib3's own sleeps by the machine's clock, forgets `retry_after_max` after one try, and raises on a header it cannot read.
    """

    def __init__(self, *args: Any, clock: Clock = Clock(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock = clock

    def new(self, **kw: Any) -> Self:
        """A copy with changes, which keeps the clock."""
        return super().new(clock=self.clock, retry_after_max=self.retry_after_max, **kw)

    def wait_s(self, response: BaseHTTPResponse | None) -> float:
        """Seconds until the next try."""
        asked = (
            response.headers.get("Retry-After") if response is not None and self.respect_retry_after_header else None
        )
        stated_s = retry_after_s(asked, self.clock.unix_s()) if asked else None
        if stated_s is not None:
            return min(stated_s, float(self.retry_after_max))
        whole_s = min(float(self.backoff_max), self.backoff_factor * 2.0 ** (len(self.history) - 1))
        return whole_s * (1 - self.clock.chance() / 2)


def patient_retry(limits: Limits, clock: Clock) -> PatientRetry:
    """The retries of one page: every kind of setback counts against the same number of attempts."""
    return PatientRetry(
        total=limits.attempts - 1,
        status_forcelist=ASK_AGAIN,
        allowed_methods=None,  # a search by POST changes nothing, so it may be repeated as a GET may
        backoff_factor=limits.backoff_s,
        backoff_max=60.0,
        clock=clock,
    )


def retry_after_s(header: str, unix_s: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, as a number or as a date; None for one that is neither."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - unix_s)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
