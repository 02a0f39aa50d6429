"""Addresses of files with what a catalogue wants added before it hands them out.

Planetary Computer gives anybody a token for a container of files, good for about an hour. Its own package was not taken: it reads a
file in the user's home, keeps no limit of seconds or bytes, and sleeps by the machine's clock.

Source: https://planetarycomputer.microsoft.com/docs/concepts/sas/, and the package planetary-computer 1.0, `sas.py`.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from terrashot.remote.address import AddressRules
from terrashot.remote.ask import Asker, object_in
from terrashot.remote.budget import Budget, Clock, Limits, SystemClock
from terrashot.remote.client import Client
from terrashot.remote.persist import PassingError

Sign = Callable[[str], str]

TOKENS = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
ACCOUNT_HOST = re.compile(r"([a-z0-9]{3,24})\.blob\.core\.windows\.net", re.ASCII)
CONTAINER = re.compile(r"[a-z0-9$-]{3,63}", re.ASCII)
TOKEN = re.compile(r"[!\"$-~]{1,4096}", re.ASCII)
"""What may stand in the query of an address: print without spaces, no #."""
PUBLIC = ("ai4edatasetspublicassets",)
"""Accounts whose files need no token."""
SPARE = timedelta(minutes=2)
"""A token is replaced so long before it ends: a read that has begun must come to its end with it."""
ANSWER_BYTES = 1 << 16
"""The most of an answer with a token."""
LOGIN_LIMITS = Limits(
    max_requests=12, max_seconds=60.0, max_bytes=1 << 20, stall_s=30.0, first_wait_s=1.0, longest_wait_s=60.0
)
"""Of the fetching of one token."""


def unsigned(url: str) -> str:
    """The address as it is, of a catalogue that wants nothing added."""
    return url


@dataclass(frozen=True, slots=True)
class _Token:
    query: str = field(repr=False)
    """Never shown: whoever has it can read the files."""
    ends: datetime


@dataclass(slots=True)
class PlanetaryComputerSigner:
    """Adds Planetary Computer's token to an address in its storage, and to no other; one a container until shortly before its end."""

    tokens_url: str = TOKENS
    rules: AddressRules = field(default_factory=AddressRules)
    """And no client: threads share the signer, and each token is fetched over a line of its own."""
    limits: Limits = LOGIN_LIMITS
    clock: Clock = field(default_factory=SystemClock)
    _tokens: dict[tuple[str, str], _Token] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, url: str) -> str:
        """The address with a token, by https; unchanged where none is needed or there is one already.

        Raises:
            NetworkError: no token was to be had within the limits.
        """
        try:
            parts = urlsplit(url)
        except ValueError:  # no address at all; who reads it will say so
            return url
        account, container = ACCOUNT_HOST.fullmatch(parts.netloc), parts.path.split("/")[1:2]
        if account is None or account[1] in PUBLIC or parts.scheme != "https" or not container:
            return url
        if parse_qs(parts.query).keys() & {"sig", "st", "se", "sp"} or not CONTAINER.fullmatch(container[0]):
            return url
        with self._lock:  # readers in several threads share one token, and ask for it once
            token = self._tokens.get((account[1], container[0]))
            if token is None or token.ends - self.clock.today() < SPARE:
                token = self._tokens[account[1], container[0]] = self._fetch(account[1], container[0])
        joined = "&".join(filter(None, [parts.query, token.query]))
        return parts._replace(query=joined).geturl()

    def renew(self, url: str) -> str:
        """The address with a token that was fetched just now: for whoever was refused with the one before.

        Raises:
            NetworkError: no token was to be had within the limits.
        """
        with self._lock:
            self._tokens.clear()
        return self(url)

    def _fetch(self, account: str, container: str) -> _Token:
        with Client(self.rules) as client:
            asker = Asker("Planetary Computer", client, Budget(self.limits, self.clock), ANSWER_BYTES)
            text = asker.answer("GET", f"{self.tokens_url}/{account}/{container}", check=_has_token)
        return _token(object_in(text))


def _has_token(answer: dict[str, object]) -> None:
    _token(answer)


def _token(answer: dict[str, object]) -> _Token:
    token, ends = answer.get("token"), answer.get("msft:expiry")
    try:
        if isinstance(token, str) and isinstance(ends, str) and TOKEN.fullmatch(token):
            moment = datetime.fromisoformat(ends)
            # The service writes UTC with a Z; a time without a zone is UTC too.
            return _Token(token, moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        pass
    raise PassingError("an answer without a token and its end")
