"""A STAC catalogue on loopback that serves given items, and misbehaves at given requests."""

import contextlib
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from terrashot.remote.address import AddressRules
from terrashot.remote.budget import Clock

RULES = AddressRules(frozenset({"127.0.0.1"}))
"""Under which the catalogue may be asked."""
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body; a header Content-Length that is wrong is sent as it is."""
Fault = Callable[[Answer], Answer | None]
"""What becomes of the right answer; None closes the connection without one."""


HOLD = "X-Hold"
SLOWLY = "X-Slowly"


@dataclass
class FakeClock:
    """Time that passes only by sleeping, and a note of each sleep."""

    now_s: float = 1_600_000_000.0
    slept_s: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds

    def now(self) -> float:
        return self.now_s

    def today(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)


class TickingClock(FakeClock):
    """Runs by itself too: a second each time it is read."""

    def now(self) -> float:
        self.now_s += 1.0
        return self.now_s


_: type[Clock] = FakeClock


@dataclass
class Catalogue:
    """What is served, and what was asked."""

    items: list[object] = field(default_factory=list)
    page_items: int = 2
    faults: dict[int, Fault] = field(default_factory=dict)
    """By request number, from 0."""
    every: Fault | None = None
    """Of every request without a fault of its own."""
    documents: dict[str, object] = field(default_factory=dict)
    """Other paths, as collections and tokens."""
    next_by: str = "POST"
    """How the next page is to be had."""
    asked: list[tuple[str, str, dict]] = field(default_factory=list)
    """Method, path with query, body or query as a dictionary."""
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each request."""
    released: threading.Event = field(default_factory=threading.Event)
    """What hangs, hangs until this is set."""
    url: str = ""

    def hanging(self, answer: Answer) -> Answer:
        """No byte until released."""
        self.released.wait(10)
        return answer

    def answer(self, method: str, path: str, body: bytes) -> Answer | None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
        question = json.loads(body) if body else query
        number = len(self.asked)
        self.asked.append((method, path, question))
        document = self.documents.get(urlsplit(path).path)
        content = self.page(question) if document is None else document
        right = (200, {"Content-Type": "application/json"}, json.dumps(content).encode())
        fault = self.faults.get(number, self.every)
        return fault(right) if fault else right

    def page(self, question: dict) -> dict[str, object]:
        start = int(question.get("token", 0))
        stop = start + self.page_items
        links = [{"rel": "self", "href": f"{self.url}/search"}]
        if stop < len(self.items):
            links.append(self.next_link(question, stop))
        return {"type": "FeatureCollection", "features": self.items[start:stop], "links": links}

    def next_link(self, question: dict, start: int) -> dict[str, object]:
        following = {**question, "token": start}
        if self.next_by == "POST":
            return {"rel": "next", "href": f"{self.url}/search", "method": "POST", "body": following}
        if self.next_by == "merge":
            return {
                "rel": "next",
                "href": f"{self.url}/search",
                "method": "POST",
                "body": {"token": start},
                "merge": True,
            }
        return {"rel": "next", "href": f"{self.url}/search?{urlencode(following)}"}


class Handler(BaseHTTPRequestHandler):
    """Speaks for `server.catalogue`."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.server.catalogue.headers.append(dict(self.headers))  # type: ignore[attr-defined]
        answer = self.server.catalogue.answer(self.command, self.path, body)  # type: ignore[attr-defined]
        self.close_connection = True
        if answer is None:
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "Connection": "close", **headers}.items():
            self.send_header(name, value)
        if headers.get(SLOWLY) == "headers":
            self.flush_headers()
        else:
            self.end_headers()
        if SLOWLY in headers:
            self._trickle()
        else:
            self.wfile.write(content)
        if HOLD in headers:
            self.server.catalogue.released.wait(10)  # type: ignore[attr-defined]

    def _trickle(self) -> None:
        """A byte now and then, for as long as anybody listens."""
        with contextlib.suppress(ConnectionError):
            while not self.server.catalogue.released.wait(0.002):  # type: ignore[attr-defined]
                self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        """Silence."""


@contextmanager
def serving(catalogue: Catalogue) -> Iterator[Catalogue]:
    """The catalogue, answering at its `url`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.catalogue = catalogue  # type: ignore[attr-defined]
    catalogue.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield catalogue
    finally:
        catalogue.released.set()
        server.shutdown()
        server.server_close()


def status(code: int, **headers: str) -> Fault:
    """Another status, without a body."""
    return lambda _: (code, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


def body(content: bytes, **headers: str) -> Fault:
    """Status 200 with another body."""
    return lambda _: (200, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def short(answer: Answer) -> Answer:
    """Half of the body, announced whole."""
    return answer[0], {"Content-Length": str(len(answer[2]))}, answer[2][: len(answer[2]) // 2]


def hanging_body(answer: Answer) -> Answer:
    """Half of the body, then nothing until released."""
    return answer[0], {"Content-Length": str(len(answer[2])), HOLD: "1"}, answer[2][: len(answer[2]) // 2]


def slow(part: str) -> Fault:
    """Its "headers" or its "body" come byte by byte and never end."""
    return lambda answer: (answer[0], {"Content-Length": "100000", SLOWLY: part}, answer[2])


def truncated(answer: Answer) -> Answer:
    """Half of the JSON, announced as such."""
    return answer[0], {}, answer[2][: len(answer[2]) // 2]


def packed(answer: Answer) -> Answer:
    """The right answer, gzipped."""
    return answer[0], {"Content-Encoding": "gzip"}, gzip.compress(answer[2])


def hung_up(_: Answer) -> None:
    """No answer at all."""
