"""A file server on loopback that misbehaves as its script says: one fault a request, by the request's number."""

import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from faults.answers import FAULTS, LOOPBACK, Answering
from terrashot.remote.address import AddressRules

Script = Callable[[int], str]
"""The fault of a request, given its number from 0 on; an empty name is none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    path: str
    """With its query."""
    headers: Mapping[str, str]
    port: int
    """Of the client: tells its lines apart."""

    @property
    def text(self) -> str:
        """All of it, to look for secrets in."""
        return f"{self.path} {dict(self.headers)}"


@dataclass
class FaultServer:
    """Serves files by path, with ranges; to be used in a `with`. Never on another address than loopback."""

    files: Mapping[str, bytes]
    script: Script = lambda number: ""
    elsewhere: str = ""
    """Base URL of another server, for the fault that leads there."""
    good_signature: str = ""
    """If given, what the query's `sig` must be; others are answered with 403."""
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.closing = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"faulty": self})
        self._http = _Server((LOOPBACK, 0), handler)
        if self.tls is not None:
            self._http.socket = self.tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True)

    def __enter__(self) -> "FaultServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def rules(self) -> AddressRules:
        """Those under which it may be asked; loopback under another name may not."""
        return AddressRules(frozenset({LOOPBACK}))

    def url(self, path: str) -> str:
        """Where a file lies."""
        return f"http://{LOOPBACK}:{self.port}{path}"

    def take_number(self, seen: Seen) -> int:
        """The number of a request that has come."""
        with self._lock:
            self.seen.append(seen)
            return len(self.seen) - 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that leaves in the middle is what many faults are for."""


class _Handler(Answering):
    faulty: "FaultServer"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.faulty
        fault = server.script(server.take_number(Seen(self.path, dict(self.headers.items()), self.client_address[1])))
        parts = urlsplit(self.path)
        if server.good_signature and parse_qs(parts.query).get("sig") != [server.good_signature]:
            return self.say(403)
        content = server.files.get(parts.path)
        if content is None:
            return self.say(404)
        return FAULTS[fault](self, content) if fault else self.part(content)


@dataclass
class SkippingClock:
    """This machine's time, but that a wait is over at once."""

    skipped_s: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return time.monotonic() + self.skipped_s

    def sleep(self, seconds: float) -> None:
        self.skipped_s += seconds
        self.waits.append(seconds)

    def today(self) -> datetime:
        return datetime.now(UTC)


def script_of(fault: str, hits: frozenset[int] | None) -> Script:
    """The fault at these requests; at all of them for None."""
    return lambda number: fault if hits is None or number in hits else ""


def drawn_hits(rng: random.Random, first: int) -> frozenset[int] | None:
    """One or two of the first requests; or, in a third of the cases, all there will ever be."""
    if rng.random() < 1 / 3:
        return None
    return frozenset(rng.sample(range(first), rng.choice((1, 2))))
