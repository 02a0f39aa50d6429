"""Tokens of the user's Google login, for Earth Engine: found where its own tools leave them, shown nowhere.

In this order: the environment variable GOOGLE_OAUTH_ACCESS_TOKEN, a token that was made elsewhere; what `earthengine authenticate`
left; the application default credentials of Google Cloud, a service account's file among them. New tokens are asked for through the
one client of ours.
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Protocol, runtime_checkable

from terrashot.errors import MissingExtraError, NetworkError, UsageError
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Question
from terrashot.remote.persist import persist
from terrashot.remote.thread_client import thread_client

TOKEN_VARIABLE: Final = "GOOGLE_OAUTH_ACCESS_TOKEN"
SCOPES: Final = ("https://www.googleapis.com/auth/earthengine", "https://www.googleapis.com/auth/cloud-platform")
LOGIN_LIMITS: Final = Limits(max_attempts=4, max_requests=12, max_seconds=60.0, max_bytes=4 << 20)
ANSWER_BYTES: Final = 1 << 20
HOW: Final = "log in with: earthengine authenticate"


@runtime_checkable
class Login(Protocol):
    """Gives tokens. Must be picklable, and must not show them."""

    def token(self) -> str:
        """One that holds good, as far as is known."""
        ...

    def renew(self) -> None:
        """Nothing; the next token is a new one."""
        ...


@dataclass(frozen=True, slots=True)
class GoogleLogin:
    """The login of whoever runs this."""

    allowed_hosts: frozenset[str] = frozenset()
    """Hosts that may be asked for a token though they are not public, as inside Google's own machines."""

    def token(self) -> str:
        """
        Raises:
            MissingExtraError: there is no token in the environment, and Google's library is not installed.
            UsageError: nobody is logged in, or the login is refused.
            NetworkError: no token is to be had within the limits.
        """
        return os.environ.get(TOKEN_VARIABLE) or _credentials(os.getpid(), self.allowed_hosts).token()

    def renew(self) -> None:
        if TOKEN_VARIABLE in os.environ:
            raise UsageError(
                f"the token in {TOKEN_VARIABLE} is refused; it holds for an hour: make a new one, or {HOW}"
            )
        _credentials(os.getpid(), self.allowed_hosts).renew()


@dataclass(slots=True)
class Credentials:
    """Google's credentials, of all threads of a process together."""

    held: Any = field(repr=False)
    allowed_hosts: frozenset[str] = frozenset()
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self) -> str:
        """As of `GoogleLogin`."""
        with self.lock:
            if not self.held.valid:
                self._refresh()
            return str(self.held.token)

    def renew(self) -> None:
        """As of `Login`."""
        with self.lock:
            self._refresh()

    def _refresh(self) -> None:
        # In the function, as all that is of Google's here: its import takes a second, and most studies do without.
        from google.auth.exceptions import GoogleAuthError

        try:
            self.held.refresh(OwnTransport(self.allowed_hosts))
        except GoogleAuthError as error:
            # Its text may repeat an answer that names the account; its kind says enough.
            raise UsageError(f"Google refuses the stored login ({type(error).__name__}); {HOW}") from None


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """What `google.auth.transport.Response` asks for."""

    status: int
    headers: Mapping[str, str]
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnTransport:
    """A `google.auth.transport.Request`: asks through the client of ours."""

    allowed_hosts: frozenset[str] = frozenset()

    def __call__(
        self, url: str, method: str = "GET", body: bytes | str | None = None, headers: Mapping[str, str] | None = None,
        timeout: float | None = None, **_: object,
    ) -> OwnAnswer:  # fmt: skip
        """The answer, whatever its status.

        Raises:
            NetworkError: none within the limits.
        """
        content = body.encode() if isinstance(body, str) else body
        if (method == "POST") != (content is not None):
            raise NetworkError(f"Google's login asks by {method}, which is not done here")
        budget, client = Budget(LOGIN_LIMITS), thread_client(self.allowed_hosts)

        def attempt() -> OwnAnswer:
            with client.ask(Question(url, secrets=headers or {}, body=content, follow=False), budget) as answer:
                return OwnAnswer(answer.status, dict(answer.headers), answer.take_all(ANSWER_BYTES))

        return persist("Google's login", budget, attempt)


@cache
def _credentials(process: int, allowed_hosts: frozenset[str]) -> Credentials:
    """Found once a process."""
    try:
        import google.auth
        from ee import oauth
        from google.auth.exceptions import DefaultCredentialsError
        from google.oauth2.credentials import Credentials as UserCredentials
    except ImportError:
        raise MissingExtraError('Earth Engine needs: pip install "terrashot[earthengine]"') from None
    try:
        stored = oauth.get_credentials_arguments()
        if stored.get("refresh_token"):
            return Credentials(UserCredentials(None, **stored), allowed_hosts)
    except (OSError, ValueError):
        pass  # nobody logged in with Earth Engine's own command
    try:
        found, _ = google.auth.default(scopes=list(SCOPES), request=OwnTransport(allowed_hosts))
    except DefaultCredentialsError:
        raise UsageError(f"nobody is logged in to Google; {HOW}") from None
    return Credentials(found, allowed_hosts)


_: type[Login] = GoogleLogin
