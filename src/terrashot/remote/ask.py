"""One question to a service that answers in JSON, asked again within a budget until the answer is whole.

No redirect is followed: an answer that sends us elsewhere is an error, since what we were asked to ask is named in the profile.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, NoReturn
from urllib.parse import urlencode

from terrashot.errors import NetworkError, one_line
from terrashot.remote.address import shown
from terrashot.remote.budget import Budget
from terrashot.remote.client import Answer, Client, Question
from terrashot.remote.headers import refuse_disguise
from terrashot.remote.persist import PASSING, PassingError, given_up, persist
from terrashot.remote.retry_after import retry_after_s

ADVICE = "try again later, ask for a smaller area or a shorter time, or take another catalogue"
SAID_BYTES = 160
"""Of a refusal, to be told."""

Method = Literal["GET", "POST"]
Check = Callable[[dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one service through a client, all within one budget. Of one thread, as the client is."""

    service: str
    """As people call it, for messages."""
    client: Client
    budget: Budget
    answer_bytes: int
    """The most of one answer."""

    def answer(
        self, method: Method, url: str, payload: Mapping[str, object] | None = None, *, check: Check = lambda _: None
    ) -> str:
        """The text of a JSON object with which `check` finds no fault.

        Args:
            payload: sent as JSON by POST, as a query by GET.
            check: raises PassingError for an answer that should be asked for again.

        Raises:
            NetworkError: refused, or not whole within the budget; names the service, what came, and what to do.
        """
        attempt = partial(self._once, _question(method, url, payload), check)
        return persist(self.service, self.budget, attempt, advice=ADVICE)

    def _once(self, question: Question, check: Check) -> str:
        with self.client.ask(question, self.budget) as answer:
            if answer.status in PASSING:
                wait_s = retry_after_s(answer.headers, self.budget.clock.today())
                raise PassingError(f"status {answer.status}", wait_s)
            if answer.status != 200:
                raise self._refusal(question, answer)
            refuse_disguise(answer.headers)
            text = _text(answer.take_all(self.answer_bytes))
        check(object_in(text))
        return text

    def _refusal(self, question: Question, answer: Answer) -> NetworkError:
        if moved := answer.headers.get("Location"):
            said = f"sends us to another address, {str(moved)[:100]!r}, which we do not follow"
        else:
            said = f"says {answer.take_up_to(SAID_BYTES).decode('utf-8', 'replace')!r}"
        where = f"{question.method} {shown(question.url)}"
        return NetworkError(
            f"{self.service}: {where} was answered with status {answer.status} and {said}; another try would not help. "
            "See whether it still has this collection at this address, or take another catalogue"
        )

    def give_up(self, why: str) -> NoReturn:
        """Raises what is said when more is needed than we go after."""
        raise given_up(self.service, self.budget, why, advice=ADVICE)


def _question(method: Method, url: str, payload: Mapping[str, object] | None) -> Question:
    if method == "POST":
        body = json.dumps(payload or {}).encode("ascii")
        return Question(url, {"Content-Type": "application/json"}, body=body, follow=False)
    query = urlencode(payload or {})
    return Question(f"{url}{'&' if '?' in url else '?'}{query}" if query else url, follow=False)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise PassingError("an answer that is no text") from None


def object_in(text: str) -> dict[str, object]:
    """The JSON object that a text is.

    Raises:
        PassingError: it is none, is nested too deep, or holds a NaN, which JSON has not. Its text is not told: it may hold a token.
    """
    try:
        found = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise PassingError("JSON nested too deep") from None
    except ValueError as error:
        raise PassingError(f"no JSON ({one_line(error, 80)})") from None
    if not isinstance(found, dict):
        raise PassingError(f"JSON that is a {type(found).__name__} and no object")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
