"""Tries again what may pass, within a budget."""

import http.client
import ssl
from collections.abc import Callable
from typing import TypeVar

from terrashot.errors import NetworkError, TerrashotError
from terrashot.remote.budget import Budget, SpentError

Got = TypeVar("Got")

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of an answer that the next attempt may better."""


class PassingError(Exception):
    """A fault that may be over at the next attempt; its text says what was found."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        """
        Args:
            wait_s: as long as the server asks to wait.
        """
        super().__init__(reason)
        self.wait_s = wait_s


def persist(name: str, budget: Budget, attempt: Callable[[], Got], *, advice: str = "run again later") -> Got:
    """What the first attempt that succeeds returns; after each fault that may pass comes a wait.

    Args:
        name: of the asset, for people.
        advice: what to do when it was all in vain.

    Raises:
        NetworkError: attempts, requests, seconds or bytes are spent; names the asset and the last fault.
    """
    found, failures = "", 0
    try:
        while True:
            try:
                return attempt()
            except TerrashotError:
                raise  # a NetworkError is an OSError too, and final
            except (PassingError, http.client.HTTPException, OSError) as error:
                fault = _passing(name, error)
            found, failures = f": {fault}", failures + 1
            if failures >= budget.limits.max_attempts:
                raise SpentError(f"all {failures} attempts failed")
            budget.back_off(failures, fault.wait_s)
    except SpentError as spent:
        raise given_up(name, budget, f"{spent}{found}", advice=advice) from None


def given_up(name: str, budget: Budget, why: str, *, advice: str) -> NetworkError:
    """The error, to be raised, of what a limit does not allow; tells what was spent on it."""
    cost = f"{budget.requests} requests and {budget.spent_s:.0f} s"
    return NetworkError(f"{name}: gave up after {cost}: {why}; {advice}")


def _passing(name: str, error: Exception) -> PassingError:
    """The fault in words of ours: those of the libraries may hold a whole URL."""
    if isinstance(error, PassingError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        told = f"its certificate is not trusted ({error.verify_message})"
        raise NetworkError(f"{name}: {told}; check the address and this machine's date") from None
    if isinstance(error, http.client.HTTPException):
        return PassingError(f"no proper answer ({type(error).__name__})")
    if isinstance(error, TimeoutError):
        return PassingError("no answer in time")
    reason = error.strerror if isinstance(error, OSError) else None
    return PassingError(reason or type(error).__name__)
