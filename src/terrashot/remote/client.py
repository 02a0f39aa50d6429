"""Asks hosts within the address rules: lines kept open, redirects followed here, credentials kept at home."""

import functools
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import urljoin

from terrashot.errors import NetworkError
from terrashot.remote.address import (
    AddressRules,
    Origin,
    Resolve,
    Target,
    checked_addresses,
    shown,
    system_resolve,
    target_of,
)
from terrashot.remote.budget import Budget, SpentError
from terrashot.remote.line import Line, Request, connect
from terrashot.remote.persist import PassingError

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
DRAINED_BYTES = 16 << 10
"""The rest of an answer up to which reading it costs less than a new line."""
OURS: dict[str, str] = {
    "User-Agent": "terrashot", "Accept": "*/*",
    # What is unpacked on the way cannot be counted, and ranges are those of the packed form.
    "Accept-Encoding": "identity",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers for the URL's own origin and no other."""
    body: bytes | None = field(default=None, repr=False)
    """Sent by POST; None asks by GET. Its Content-Type stands among the headers."""
    follow: bool = True
    """Whether redirects are followed; where there is a body they never are, and the answer is the redirect itself."""

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    def request(self, target: Target, headers: Mapping[str, str]) -> Request:
        """The question as it goes to one target."""
        length = {} if self.body is None else {"Content-Length": str(len(self.body))}
        return Request(self.method, target.request, {**headers, **length}, self.body or b"")


class Answer:
    """Status and headers, and a body to be taken piece by piece; to be used in a `with`."""

    def __init__(self, response: http.client.HTTPResponse, line: Line, client: "Client") -> None:
        self.status = response.status
        self.headers: Message = response.headers
        self._response, self._line, self._client = response, line, client

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.leave()
        else:
            self._line.close()

    @property
    def length(self) -> int | None:
        """Bytes of the body that are still to come, as the headers say."""
        return self._response.length

    def take_up_to(self, n_bytes: int) -> bytes:
        """At most so many bytes of the body; fewer only where it ends."""
        return self._response.read(n_bytes)

    def take(self, n_bytes: int) -> bytes:
        """So many bytes of the body.

        Raises:
            PassingError: it ends before.
        """
        got = self.take_up_to(n_bytes)
        if len(got) < n_bytes:
            raise PassingError(f"the answer ended {n_bytes - len(got)} bytes too early")
        return got

    def take_into(self, room: memoryview) -> None:
        """Nothing; as many bytes of the body as there is room for stand in it.

        Raises:
            PassingError: it ends before.
        """
        got = self._response.readinto(room)
        if got < len(room):
            raise PassingError(f"the answer ended {len(room) - got} bytes too early")

    def take_all(self, most: int) -> bytes:
        """The whole body.

        Raises:
            PassingError: it ends before the end that is announced.
            SpentError: it has more than `most` bytes.
        """
        if self.length is not None and self.length <= most:
            return self.take(self.length)
        got = self.take_up_to(most + 1) if self.length is None else None
        if got is None or len(got) > most:
            raise SpentError(f"an answer is larger than {most} bytes")
        return got

    def leave(self) -> None:
        """Nothing; the line is kept for the next question where the answer is at its end, or near it."""
        length = self._response.length
        try:
            if length is not None and length <= DRAINED_BYTES:
                self._response.read()
        except (OSError, http.client.HTTPException, SpentError):
            self._line.close()  # what was wanted of the answer was had before
            return
        if self._response.isclosed() and not self._response.will_close:
            self._client.keep(self._line)
        else:
            self._line.close()


class Client:
    """Open lines, at most one an origin. Of one thread; a forked process makes its own."""

    def __init__(
        self,
        rules: AddressRules = AddressRules(),
        resolve: Resolve = system_resolve,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.rules = rules
        self._resolve = resolve
        self._trust = trust
        self._idle: dict[Origin, Line] = {}

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing; all idle lines are closed."""
        while self._idle:
            self._idle.popitem()[1].close()

    def keep(self, line: Line) -> None:
        """Nothing; the line serves the next question to its origin."""
        before = self._idle.get(line.origin)
        if before is not None and before is not line:
            before.close()
        self._idle[line.origin] = line

    def ask(self, question: Question, budget: Budget) -> Answer:
        """The answer, after at most five redirects where they are followed, each of them checked as the first address was.

        Raises:
            NetworkError: an address that the rules refuse, or a redirect too many.
            OSError, http.client.HTTPException, PassingError: what may be over at the next attempt.
            SpentError: the budget is.
        """
        name = shown(question.url)
        try:
            return self._follow(question, budget)
        except NetworkError as error:
            if str(error).startswith(name):
                raise
            raise NetworkError(f"{name}: {error}") from None

    def _follow(self, question: Question, budget: Budget) -> Answer:
        url, headers = question.url, {**OURS, **question.headers, **question.secrets}
        target = target_of(url, self.rules)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask_one(target, question.request(target, headers), budget)
            if answer.status not in REDIRECTS or not question.follow or question.body is not None:
                return answer
            with answer:
                url = urljoin(url, _location(answer))
            before, target = target, target_of(url, self.rules)
            if target.origin != before.origin:
                # Not given again to an origin that leads back here: it has seen where we come from, not more.
                headers = {**OURS, **question.headers}
        raise NetworkError(f"{shown(question.url)}: more than {MOST_REDIRECTS} redirects; check the address")

    def _ask_one(self, target: Target, request: Request, budget: Budget) -> Answer:
        kept = self._idle.pop(target.origin, None)
        if kept is not None:
            try:
                return self._on(kept, request, budget)
            except (ConnectionError, http.client.RemoteDisconnected):
                pass  # closed while it was idle, as servers do after some seconds: no failure, but news
        addresses = checked_addresses(target.origin, self.rules, self._resolve)
        trust = None if target.origin.scheme == "http" else self._trust or system_trust()
        return self._on(connect(target.origin, addresses, trust, budget), request, budget)

    def _on(self, line: Line, request: Request, budget: Budget) -> Answer:
        try:
            budget.begin_request()
            return Answer(line.ask(request, budget), line, self)
        except BaseException:
            line.close()
            raise


@functools.cache
def system_trust() -> ssl.SSLContext:
    """The certificates that this machine trusts; read once, since that takes some ten milliseconds."""
    return ssl.create_default_context()


def _location(answer: Answer) -> str:
    location = answer.headers.get("Location", "")
    if not location:
        raise PassingError(f"a redirect ({answer.status}) to nowhere")
    return str(location)
