"""A file server on loopback that misbehaves as its script says: one fault a request, by the request's number."""

import functools
import gzip
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from terrashot.remote.address import AddressRules

Script = Callable[[int], str]
"""The fault of a request, given its number from 0 on; an empty name is none."""
LOOPBACK = "127.0.0.1"
NEVER_S = 30.0
"""A hang; ends at once when the server is closed."""
TRICKLE_S = 0.02
"""Between two bytes: as one a second, for a client whose patience is as much shorter."""
ASKED_S = 2
"""In Retry-After."""
BOMB_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    path: str
    """With its query."""
    headers: Mapping[str, str]

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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    faulty: FaultServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.faulty
        fault = server.script(server.take_number(Seen(self.path, dict(self.headers.items()))))
        parts = urlsplit(self.path)
        if server.good_signature and parse_qs(parts.query).get("sig") != [server.good_signature]:
            return self.say(403)
        content = server.files.get(parts.path)
        if content is None:
            return self.say(404)
        return FAULTS[fault](self, content) if fault else self.part(content)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer."""
        self.begin(status, len(body), **headers)
        self.wfile.write(body)

    def begin(self, status: int, length: int, **headers: str) -> None:
        """Status and headers of an answer whose body is so long."""
        self.send_response(status)
        for name, value in ({"Content_Length": str(length)} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def asked(self, content: bytes) -> tuple[int, int]:
        """The range asked for, cut at the file's end."""
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        return int(first), min(int(last) + 1, len(content))

    def part(self, content: bytes, **changed: str) -> None:
        """The part asked for, as it should be but for some headers."""
        start, stop = self.asked(content)
        if start >= len(content):
            return self.say(416, Content_Range=f"bytes */{len(content)}")
        self.begin_part(content, start, stop, **changed)
        self.wfile.write(content[start:stop])
        return None

    def begin_part(self, content: bytes, start: int, stop: int, **changed: str) -> None:
        place = f"bytes {start}-{stop - 1}/{len(content)}"
        headers = {"Content_Range": place, "ETag": '"one"', "Content_Type": "image/tiff"} | changed
        self.begin(206, stop - start, **headers)


def _status(status: int, **headers: str) -> Callable[[_Handler, bytes], None]:
    return lambda handler, content: handler.say(status, b"busy", **headers)


def _later_as_date(handler: _Handler, content: bytes) -> None:
    until = datetime.now(UTC) + timedelta(seconds=ASKED_S)
    handler.say(429, Retry_After=format_datetime(until, usegmt=True))


def _refused(handler: _Handler, content: bytes) -> None:
    """Leads to a port of this very host at which nobody listens any more, as a host that is down is met."""
    with socket.socket() as once:
        once.bind((LOOPBACK, 0))
        port = once.getsockname()[1]
    handler.say(302, Location=f"http://{LOOPBACK}:{port}{handler.path}")


def _reset(handler: _Handler, content: bytes) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def _short_body(handler: _Handler, content: bytes) -> None:
    start, stop = handler.asked(content)
    handler.begin_part(content, start, stop)
    handler.wfile.write(content[start : start + (stop - start) // 2])
    handler.close_connection = True


def _wrong_range(handler: _Handler, content: bytes) -> None:
    start, stop = handler.asked(content)
    moved = start + 1 if stop < len(content) else max(0, start - 1)
    handler.begin_part(content, moved, min(len(content), moved + stop - start))
    handler.wfile.write(content[moved : moved + stop - start])


def _whole(handler: _Handler, content: bytes) -> None:
    handler.say(200, content, ETag='"one"', Content_Type="image/tiff")


def _trickle(handler: _Handler, content: bytes) -> None:
    start, stop = handler.asked(content)
    handler.begin_part(content, start, stop)
    for at in range(start, stop):
        handler.wfile.write(content[at : at + 1])
        if handler.faulty.closing.wait(TRICKLE_S):
            break
    handler.close_connection = True


def _hang_before(handler: _Handler, content: bytes) -> None:
    handler.faulty.closing.wait(NEVER_S)
    handler.close_connection = True


def _hang_in_body(handler: _Handler, content: bytes) -> None:
    start, stop = handler.asked(content)
    handler.begin_part(content, start, stop)
    handler.wfile.write(content[start : start + (stop - start) // 2])
    _hang_before(handler, content)


def _loop(handler: _Handler, content: bytes) -> None:
    handler.say(302, Location=handler.path)


def _private(handler: _Handler, content: bytes) -> None:
    """Leads to loopback under a name that the rules do not allow: as private as an address can be, and not another machine."""
    handler.say(302, Location=f"https://localhost:{handler.faulty.port}{handler.path}")


def _elsewhere(handler: _Handler, content: bytes) -> None:
    handler.say(302, Location=f"{handler.faulty.elsewhere}{urlsplit(handler.path).path}")


def _page(handler: _Handler, content: bytes) -> None:
    handler.say(200, b"<!DOCTYPE html><title>Log in</title>" + b" " * 5000, Content_Type="text/html; charset=utf-8")


def _disguised_page(handler: _Handler, content: bytes) -> None:
    page = b"\n<HTML><title>Busy</title>".ljust(len(content))
    handler.say(200, page, ETag='"one"', Content_Type="application/octet-stream")


def _wrong_length(handler: _Handler, content: bytes) -> None:
    start, stop = handler.asked(content)
    handler.part(content, Content_Length=str(stop - start + 7))
    handler.close_connection = True


@functools.cache
def _packed() -> bytes:
    return gzip.compress(bytes(BOMB_BYTES), 1)


def _bomb(handler: _Handler, content: bytes) -> None:
    start, stop = handler.asked(content)
    place = f"bytes {start}-{stop - 1}/{len(content)}"
    handler.say(206, _packed(), Content_Encoding="gzip", Content_Range=place)


def _endless_headers(handler: _Handler, content: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 206 Partial Content\r\n" + b"X: " + b"x" * (1 << 20))
    handler.close_connection = True


def _replaced(handler: _Handler, content: bytes) -> None:
    handler.part(content[::-1], ETag='"two"')


FAULTS: Mapping[str, Callable[[_Handler, bytes], None]] = {
    "429 in seconds": _status(429, Retry_After=str(ASKED_S)), "429 as a date": _later_as_date,
    "429 for an hour": _status(429, Retry_After="3600"),
    "500": _status(500), "502": _status(502), "503": _status(503), "504": _status(504), "408": _status(408),
    "refused": _refused, "reset": _reset, "short body": _short_body, "wrong range": _wrong_range, "200 for 206": _whole,
    "a byte now and then": _trickle, "hang before": _hang_before, "hang in the body": _hang_in_body,
    "redirect loop": _loop, "redirect to a private address": _private, "redirect elsewhere": _elsewhere,
    "expired signature": _status(403), "web page with 200": _page, "disguised web page": _disguised_page,
    "wrong length": _wrong_length, "gzip bomb": _bomb, "endless headers": _endless_headers, "replaced file": _replaced,
}  # fmt: skip


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
