"""Work that may take so many seconds of this process and no more."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class TooSlowError(BaseException):
    """The seconds are over; no error of ours, and nothing that the work itself may catch."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Inside, TooSlowError after so many seconds of this process: another one on the same core accuses nobody."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlowError(f"over {seconds} s")

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
