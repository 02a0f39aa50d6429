"""Lets us in at NASA's Earthdata login, and at nobody else's: a file's address is turned into one that needs no credentials.

Who asks for a file is sent from its host to the login, back to the host with a code, and on to a storage whose address carries a
signature. We walk that road once a product, credentials in hand for those hosts alone, and read from where it ends.

Source: https://urs.earthdata.nasa.gov/documentation (OAuth 2 with HTTP Basic at /oauth/authorize; `Authorization: Bearer` at the hosts
that hand out files). asf_search's own session was not taken: it keeps no limit of seconds, and gives a token to whoever redirects.
"""

import base64
import netrc
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

from terrashot.errors import ConfigError, NetworkError
from terrashot.remote.address import AddressRules, Origin, shown, target_of
from terrashot.remote.budget import Budget, Clock, Limits, SystemClock
from terrashot.remote.client import REDIRECTS, Answer, Client, Question
from terrashot.remote.headers import PAGES
from terrashot.remote.persist import PASSING, PassingError, persist
from terrashot.remote.ranges import Access
from terrashot.remote.retry_after import retry_after_s
from terrashot.remote.signing import LOGIN_LIMITS

LOGIN_HOST: Final = "urs.earthdata.nasa.gov"
FILE_HOSTS: Final = (".asf.alaska.edu", ".asf.earthdatacloud.nasa.gov")
"""Endings of the hosts that hand out GUNW products, and may be shown a token."""
MOST_STEPS: Final = 8
"""From a file's address to its storage; five are usual."""
MOST_COOKIES, COOKIE_BYTES = 16, 8 << 10
HOW: Final = (
    "make a free account at https://urs.earthdata.nasa.gov, then set EARTHDATA_TOKEN, or EARTHDATA_USERNAME and EARTHDATA_PASSWORD, "
    "or write into ~/.netrc: machine urs.earthdata.nasa.gov login NAME password PASSWORD"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens the login, and for whom; never shown."""

    token: str | None = field(default=None, repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    login_host: str = LOGIN_HOST
    """With its port where it is not the usual one."""
    file_hosts: tuple[str, ...] = FILE_HOSTS
    """Hosts that may be shown a token beside the login; one that begins with a dot stands for all that end so."""

    @property
    def is_given(self) -> bool:
        """Whether there is anything to log in with."""
        return self.token is not None or self.user is not None

    def headers_for(self, origin: Origin) -> dict[str, str]:
        """The header that lets us in at this origin; none where it is not the login nor a host of files."""
        if self.token is not None and (self._is_login(origin) or self._hands_out_files(origin)):
            return {"Authorization": f"Bearer {self.token}"}
        if self.user is not None and self._is_login(origin):
            pair = base64.b64encode(f"{self.user}:{self.password or ''}".encode()).decode("ascii")
            return {"Authorization": f"Basic {pair}"}
        return {}

    def _is_login(self, origin: Origin) -> bool:
        return origin.authority == self.login_host

    def _hands_out_files(self, origin: Origin) -> bool:
        return any(
            origin.host.endswith(host) if host.startswith(".") else origin.authority == host for host in self.file_hosts
        )


def find_credentials(environment: Mapping[str, str], home: Path) -> Credentials:
    """What the environment holds, else the netrc file; empty where neither does.

    `EARTHDATA_HOSTS="login.example files.example"` names another login, and hosts that may be shown a token, for a mirror: in the
    environment alone, so that nobody's study file can send credentials anywhere.

    Raises:
        ConfigError: a token or a netrc file that cannot be used; its content is not told.
    """
    login_host, *file_hosts = environment.get("EARTHDATA_HOSTS", "").split() or [LOGIN_HOST, *FILE_HOSTS]
    token, user = environment.get("EARTHDATA_TOKEN", "").strip(), environment.get("EARTHDATA_USERNAME", "")
    password = environment.get("EARTHDATA_PASSWORD", "")
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise ConfigError("EARTHDATA_TOKEN: holds what no token holds (spaces or signs); copy it again")
    if not token and not user:
        user, password = _netrc(Path(environment.get("NETRC") or home / ".netrc"), login_host)
    return Credentials(token or None, user or None, password or None, login_host, tuple(file_hosts))


def _netrc(path: Path, host: str) -> tuple[str, str]:
    if not path.is_file():
        return "", ""
    try:
        found = netrc.netrc(path).hosts.get(host)
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError):
        raise ConfigError(f"{path}: cannot be read as a netrc file; correct it, or set EARTHDATA_TOKEN") from None
    return ("", "") if found is None else (found[0] or "", found[2] or "")


@dataclass(slots=True)
class EarthdataLogin:
    """Turns a file's address into the one by which its storage hands it out. Shared by threads."""

    credentials: Credentials = field(repr=False)
    rules: AddressRules = field(default_factory=AddressRules)
    limits: Limits = LOGIN_LIMITS
    """Of one road from a file's address to its storage."""
    clock: Clock = field(default_factory=SystemClock)
    _cookies: dict[Origin, dict[str, str]] = field(default_factory=dict, repr=False)
    """By the very origin that set them: a session of ours at a host of files, which spares the login for the next file."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def access(self, budget: Budget) -> Access:
        """Lets a file's reader in, in no more time than the file's own budget has left."""
        return Access(sign=partial(self, within=budget), renew=partial(self.renew, within=budget))

    def __call__(self, url: str, *, within: Budget | None = None) -> str:
        """Where the file can be read without credentials.

        Raises:
            NetworkError: no credentials, or they are refused; or the road cannot be walked within the limits.
        """
        most_s = self.limits.max_seconds if within is None else min(self.limits.max_seconds, within.left_s)
        budget = Budget(replace(self.limits, max_seconds=most_s), self.clock)
        with self._lock, Client(self.rules) as client:
            return persist(shown(url), budget, lambda: self._walk(url, client, budget))

    def renew(self, url: str, *, within: Budget | None = None) -> str:
        """The same after a login anew, for whoever was refused with the address before.

        Raises:
            NetworkError: as `__call__`.
        """
        with self._lock:
            self._cookies.clear()
        return self(url, within=within)

    def _walk(self, url: str, client: Client, budget: Budget) -> str:
        here = url
        for _ in range(MOST_STEPS):
            origin = target_of(here, self.rules).origin
            secrets = {**self.credentials.headers_for(origin), **self._cookie_header(origin)}
            with client.ask(Question(here, {"Range": "bytes=0-0"}, secrets, follow=False), budget) as answer:
                self._keep_cookies(origin, answer)
                onward = self._onward(here, origin, answer, budget)
            if onward is None:
                return here
            here = urljoin(here, onward)
        raise NetworkError(f"{shown(url)}: the login leads in a circle; {HOW}")

    def _onward(self, here: str, origin: Origin, answer: Answer, budget: Budget) -> str | None:
        """Where the answer sends us; None where it is the file."""
        is_login, status = origin.authority == self.credentials.login_host, answer.status
        if status in REDIRECTS:
            location = str(answer.headers.get("Location", ""))
            if not location:
                raise PassingError(f"a redirect ({status}) to nowhere")
            return location
        if status in PASSING:
            raise PassingError(f"status {status}", retry_after_s(answer.headers, budget.clock.today()))
        if status in (401, 403) or (is_login and status in (200, 400)):
            raise self._refusal(here, status)
        kind = str(answer.headers.get("Content-Type", "")).split(";")[0].strip().lower()
        if status in (200, 206) and kind in PAGES:
            raise PassingError("a web page instead of data")
        return None  # the file; or what its reader will say better

    def _refusal(self, here: str, status: int) -> NetworkError:
        if not self.credentials.is_given:
            return NetworkError(f"{shown(here)}: needs an Earthdata login, and there is none; {HOW}")
        return NetworkError(
            f"{shown(here)}: the Earthdata login was refused ({status}); check name and password, make a new token (they end after "
            "60 days), and accept the licence of ASF's data once in a browser"
        )

    def _cookie_header(self, origin: Origin) -> dict[str, str]:
        held = self._cookies.get(origin)
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in held.items())} if held else {}

    def _keep_cookies(self, origin: Origin, answer: Answer) -> None:
        """For this origin alone, whatever domain a cookie claims."""
        for text in answer.headers.get_all("Set-Cookie", []):
            try:
                found = SimpleCookie(text[:COOKIE_BYTES])
            except CookieError:
                continue
            held = self._cookies.setdefault(origin, {})
            held.update({name: morsel.coded_value for name, morsel in found.items() if len(held) < MOST_COOKIES})
