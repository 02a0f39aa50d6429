"""Asks Earth Engine over its REST interface, through the one client of ours: within a budget, with a login that is shown nowhere.

Google's own library is not used to ask: it tries again by the machine's clock without a limit of bytes, and loses the status of a
refusal. It is used to find the login (`google_login`). Source: Earth Engine REST API v1, `projects.image.computePixels` and
`projects.value.compute`; header `x-goog-user-project` as earthengine-api 1.7 sends it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from terrashot.errors import InputError, NetworkError, UsageError, one_line
from terrashot.remote.address import shown
from terrashot.remote.ask import object_in
from terrashot.remote.budget import Budget, Clock, Limits
from terrashot.remote.client import Answer, Question
from terrashot.remote.google_login import GoogleLogin, Login
from terrashot.remote.headers import refuse_disguise
from terrashot.remote.persist import PASSING, PassingError, persist
from terrashot.remote.retry_after import retry_after_s
from terrashot.remote.thread_client import thread_client

HIGH_VOLUME: Final = "https://earthengine-highvolume.googleapis.com"
"""The door for programs that ask for much in small pieces."""
ENGINE_LIMITS: Final = Limits(
    max_attempts=8, max_requests=24, max_seconds=1800.0, max_bytes=512 << 20, stall_s=330.0, first_wait_s=1.0, longest_wait_s=60.0
)  # fmt: skip
"""Of one question. A computation may take 5 minutes before its first byte; of what is asked at once beyond the quota (40) the
service refuses some with 429."""
VALUE_BYTES: Final = 16 << 20
SAID_BYTES: Final = 64 << 10
SAID_CHARS: Final = 240
ADVICE: Final = "run again later; fewer [study] workers and [ingest] readers ask for less at once"


@runtime_checkable
class Engine(Protocol):
    """Computes what it is asked. Must be picklable."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def pixels(self, body: Mapping[str, Any], most_bytes: int) -> bytes:
        """The file that `image:computePixels` answers with.

        Raises:
            InputError: it cannot be computed: the reason is the service's.
            UsageError: the project or the login is refused.
            NetworkError: no answer within the limits.
        """
        ...

    def value(self, expression: Mapping[str, Any]) -> object:
        """What `value:compute` answers with; errors as for `pixels`."""
        ...


@dataclass(frozen=True, slots=True)
class EarthEngine:
    """The service itself, at work for one project of the user's."""

    project: str
    service_url: str = HIGH_VOLUME
    allowed_hosts: frozenset[str] = frozenset()
    login: Login = field(default_factory=GoogleLogin)
    limits: Limits = ENGINE_LIMITS
    clock: Clock | None = None
    """None: this machine's."""

    @property
    def name(self) -> str:
        return "Earth Engine"

    def pixels(self, body: Mapping[str, Any], most_bytes: int) -> bytes:
        return self._answer("image:computePixels", body, most_bytes)

    def value(self, expression: Mapping[str, Any]) -> object:
        found = object_in(
            self._answer("value:compute", {"expression": expression}, VALUE_BYTES).decode("utf-8", "replace")
        )
        if "result" not in found:
            raise InputError(
                f"{self.name}: an answer without a result; see whether {shown(self.service_url)} is the service"
            )
        return found["result"]

    def _answer(self, method: str, body: Mapping[str, Any], most_bytes: int) -> bytes:
        url = f"{self.service_url.rstrip('/')}/v1/projects/{self.project}/{method}"
        content = json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")
        attempt = _Attempt(self, url, content, most_bytes, Budget(self.limits, self.clock))
        return persist(self.name, attempt.budget, attempt, advice=ADVICE)


@dataclass(slots=True)
class _Attempt:
    """One question, each time it is put."""

    engine: EarthEngine
    url: str
    content: bytes
    most_bytes: int
    budget: Budget
    is_renewed: bool = False

    def __call__(self) -> bytes:
        client = thread_client(self.engine.allowed_hosts)
        with client.ask(self._question(), self.budget) as answer:
            if answer.status == 401 and not self.is_renewed:
                self.is_renewed = True
                self.engine.login.renew()
                raise PassingError("the login had run out")
            if answer.status in PASSING:
                wait_s = retry_after_s(answer.headers, self.budget.clock.today())
                raise PassingError(f"status {answer.status}: {_said(answer)}", wait_s)
            if answer.status != 200:
                raise self._refusal(answer)
            refuse_disguise(answer.headers)
            return answer.take_all(self.most_bytes)

    def _question(self) -> Question:
        secrets = {"Authorization": f"Bearer {self.engine.login.token()}"}
        headers = {"Content-Type": "application/json", "x-goog-user-project": self.engine.project}
        return Question(self.url, headers, secrets, self.content, follow=False)

    def _refusal(self, answer: Answer) -> InputError | UsageError | NetworkError:
        said, name = _said(answer), self.engine.name
        if answer.status in (401, 403):
            return UsageError(
                f"{name} refuses project '{self.engine.project}' or its login (status {answer.status}): {said}; see "
                "docs/earth-engine.md: the project must be registered, the login its member"
            )
        if answer.status in (400, 404, 413):
            return InputError(f"{name} cannot compute this (status {answer.status}): {said}")
        return NetworkError(
            f"{name}: {shown(self.url)} was answered with status {answer.status}: {said}; see the address"
        )


def _said(answer: Answer) -> str:
    """The service's own reason, in one line."""
    text = answer.take_up_to(SAID_BYTES).decode("utf-8", "replace")
    try:
        told = json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        told = text
    return one_line(ValueError(told), SAID_CHARS) or "no reason given"


_: type[Engine] = EarthEngine
