"""One question to a service that answers in JSON, asked again within limits until the answer is whole.

No redirect is followed: an answer that sends us elsewhere is an error, since what we were asked to ask is named in the profile.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import requests
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError

from terrashot.errors import NetworkError, one_line
from terrashot.remote.patience import ASK_AGAIN, Clock, Limits, PatientRetry, Spent, patient_retry

AT_ONCE = 1 << 16
DAMAGE = (requests.RequestException, HTTPError, OSError, EOFError)
"""What a broken connection or body raises below us."""

Payload = Mapping[str, object] | None
Check = Callable[[dict[str, object]], None]


def open_session() -> requests.Session:
    """A session that sends no login: requests would take one from the user's .netrc, whose `default` is for every host."""
    session = requests.Session()
    session.auth = _as_it_is
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class NotWholeError(ValueError):
    """An answer that is not what was asked for, or none; another try may bring the right one."""

    def __init__(self, what: str, response: BaseHTTPResponse | None = None) -> None:
        super().__init__(what)
        self.response = response
        """What may say when to ask again."""


@dataclass(slots=True)
class Asker:
    """Asks one service; counts what it cost. One for a search, not to be shared by threads."""

    service: str
    """As people call it, for messages."""
    session: requests.Session
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=Clock)
    spent: Spent = field(init=False)

    def __post_init__(self) -> None:
        self.spent = Spent(self.limits, self.clock)

    def answer(self, method: str, url: str, payload: Payload = None, *, check: Check = lambda _: None) -> str:
        """The text of a JSON object with which `check` finds no fault.

        Args:
            payload: sent as JSON by POST, as a query by GET.
            check: raises NotWholeError for an answer that should be asked for again.

        Raises:
            NetworkError: refused, or not whole within the limits; names the service, what came, and what to do.
        """
        retry = patient_retry(self.limits, self.clock)
        while True:
            try:
                return self._once(method, url, payload, check)
            except NotWholeError as setback:
                retry = self._next_try(retry, setback, method, url)

    def _once(self, method: str, url: str, payload: Payload, check: Check) -> str:
        try:
            with self._send(method, url, payload) as response:
                if response.status_code in ASK_AGAIN:
                    raise NotWholeError(f"status {response.status_code}", response.raw)
                if response.status_code != 200:
                    self._refused(response, method, url)
                text = self._body(response)
        except NetworkError:
            raise
        except DAMAGE as error:
            raise NotWholeError(f"{type(error).__name__}: {one_line(error, 160)}") from None
        check(object_in(text))
        return text

    def _send(self, method: str, url: str, payload: Payload) -> requests.Response:
        if self.spent.attempts >= self.limits.all_attempts or self.spent.left_s <= 0:
            self.give_up("its budget is spent")
        self.spent.attempts += 1
        silence_s = min(self.limits.silence_s, self.spent.left_s)
        body: dict[str, Any] = {"json": payload} if method == "POST" else {"params": payload}
        return self.session.request(method, url, stream=True, allow_redirects=False, timeout=silence_s, **body)

    def _body(self, response: requests.Response) -> str:
        """The unpacked body, read as it comes, so that neither its size nor its slowness goes beyond the limits."""
        pieces, size = [], 0
        while piece := response.raw.read1(AT_ONCE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > self.limits.page_bytes:
                self.give_up(f"an answer is larger than {self.limits.page_bytes} bytes")
            if self.spent.left_s <= 0:
                self.give_up("an answer comes too slowly")
        try:
            return b"".join(pieces).decode("utf-8")
        except UnicodeDecodeError:
            raise NotWholeError("an answer that is no text") from None

    def _next_try(self, retry: PatientRetry, setback: NotWholeError, method: str, url: str) -> PatientRetry:
        error = None if setback.response is not None else ProtocolError(str(setback))
        try:
            retry = retry.increment(method, url, response=setback.response, error=error)
        except MaxRetryError:
            self.give_up(str(setback))
        wait_s = retry.wait_s(setback.response)
        if wait_s > self.spent.left_s:
            self.give_up(f"{setback}, and it wants {wait_s:.0f} s more")
        self.clock.sleep(wait_s)
        return retry

    def _refused(self, response: requests.Response, method: str, url: str) -> NoReturn:
        if moved := response.headers.get("Location"):
            said = f"sends us to another address, {moved[:100]!r}, which we do not follow"
        else:
            said = f"says {response.raw.read1(160, decode_content=True).decode('utf-8', 'replace')!r}"
        where = f"{method} {url.partition('?')[0]}"
        raise NetworkError(
            f"{self.service}: {where} was answered with status {response.status_code} and {said}; another try would not help. "
            "See whether it still has this collection at this address, or take another catalogue"
        )

    def give_up(self, why: str) -> NoReturn:
        """Raises what is said when a limit is reached."""
        raise NetworkError(
            f"{self.service}: gave up after {self.spent.attempts} requests in {self.spent.seconds:.0f} s: {why}; try again later, "
            "ask for a smaller area or a shorter time, or take another catalogue"
        )


def object_in(text: str) -> dict[str, object]:
    """The JSON object that a text is.

    Raises:
        NotWholeError: it is none, is nested too deep, or holds a NaN, which JSON has not.
    """
    try:
        found = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise NotWholeError("JSON nested too deep") from None
    except ValueError:
        raise NotWholeError(f"no JSON: {one_line(ValueError(repr(text[:60])), 80)}") from None
    if not isinstance(found, dict):
        raise NotWholeError(f"JSON that is a {type(found).__name__} and no object")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
