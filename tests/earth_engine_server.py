"""Earth Engine on loopback: speaks its REST interface, works out what it is asked, and misbehaves at given requests."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fake_earth_engine import FakeEarthEngine

TOKEN = "ya29.secret-token"
Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[[Answer], Answer | None]
"""What becomes of the right answer; None closes the connection without one."""


def refusal(status: int, message: str, **headers: str) -> Fault:
    """What the service says when it does not compute."""
    content = json.dumps({"error": {"code": status, "message": message, "status": "SOME"}}).encode()
    return lambda _: (status, {"Content-Type": "application/json", **headers}, content)


@dataclass
class Service:
    """What is served, and what was asked."""

    engine: FakeEarthEngine
    faults: dict[int, Fault] = field(default_factory=dict)
    """By request number, from 0."""
    every: Fault | None = None
    """Of every request without a fault of its own."""
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    """Those that hold good."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each request."""
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer | None:
        with self.lock:
            number = len(self.asked)
            self.asked.append((path, headers))
        fault = self.faults.get(number, self.every)
        right = self._right(path, headers, body)
        return fault(right) if fault else right

    def _right(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return refusal(401, "Request had invalid authentication credentials.")((0, {}, b""))  # type: ignore[return-value]
        question = json.loads(body)
        with self.lock:
            if path.endswith("/image:computePixels"):
                return 200, {"Content-Type": "application/octet-stream"}, self.engine.pixels(question, 1 << 30)
            content = json.dumps({"result": self.engine.value(question["expression"])}).encode()
        return 200, {"Content-Type": "application/json; charset=UTF-8"}, content


class Handler(BaseHTTPRequestHandler):
    """Speaks for `server.service`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.service.answer(self.path, dict(self.headers), body)  # type: ignore[attr-defined]
        if answer is None:
            self.close_connection = True
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """The service at its url."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.service = service  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
