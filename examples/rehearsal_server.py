"""A small internet on loopback: two STAC catalogues and the files that they name, by the paths that the real ones have.

Serves what `rehearsal_catalogue` wrote. Notes each request, so that it can be shown that nothing is fetched twice, and misbehaves at
requests that it is told. Never on another address than loopback.
"""

import hashlib
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from rehearsal_search import Searched, page_of

LOOPBACK = "127.0.0.1"
Fault = Literal["busy", "short", "reset", "forbidden"]
"""503 with Retry-After; half of the body, announced whole; the line broken without an answer; 403."""
RETRY_AFTER_S = 1
GONE = b'{"description": "there is no such thing"}'


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    part: str
    """The range of bytes, or the question of a search; empty where all was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class RehearsalServer:
    """To be used in a `with`; answers in threads of its own."""

    root: Path
    """Folder of the files and of `catalogue.json`."""
    faults: Mapping[int, Fault] = field(default_factory=dict)
    """By request number, from 0 on."""
    port: int = 0
    """0: any that is free."""
    page_items: int = 20
    """The most items that a page of a search has."""
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._contents: dict[Path, tuple[bytes, str]] = {}
        handler = type("Handler", (_Handler,), {"served": self})
        self._http = _Server((LOOPBACK, self.port), handler)
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "RehearsalServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def host(self) -> str:
        """As a study allows it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def counts(self) -> Counter[str]:
        """Requests by path."""
        return Counter(each.path for each in self.asked)

    @cached_property
    def catalogue(self) -> dict[str, Any]:
        """Items and collections by the catalogue's path, and where files lie that have a second path."""
        found: dict[str, Any] = json.loads((self.root / "catalogue.json").read_text("utf-8"))
        return found

    def note(self, asked: Asked) -> Fault | None:
        """What goes wrong with a request that has come."""
        with self._lock:
            self.asked.append(asked)
            return self.faults.get(len(self.asked) - 1)

    def search(self, home: str, question: Mapping[str, Any]) -> Answer:
        """A page of the items of one catalogue."""
        searched = Searched(self.catalogue["apis"][home]["items"], f"{self.url}{home}/search", self.page_items)
        return _json(self._here(page_of(searched, question)))

    def document(self, path: str, part: str) -> Answer:
        """A collection, or a file or a part of one."""
        home, _, name = path.partition("/collections/")
        collections = self.catalogue["apis"].get(home, {}).get("collections", {})
        if name in collections:
            return _json(collections[name])
        file = self._file(path)
        return Answer(HTTPStatus.NOT_FOUND, GONE) if file is None else _part(*self._held(file), part)

    def _file(self, path: str) -> Path | None:
        file = (self.root / self.catalogue["aliases"].get(path, path).removeprefix("/")).resolve()
        return (
            file
            if file.is_relative_to(self.root.resolve()) and file.suffix in (".tif", ".tiff") and file.is_file()
            else None
        )

    def _held(self, file: Path) -> tuple[bytes, str]:
        """A file's content and what names that content, read once."""
        if file not in self._contents:
            content = file.read_bytes()
            self._contents[file] = content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        return self._contents[file]

    def _here(self, page: dict[str, Any]) -> dict[str, Any]:
        """The page with this server before the paths of its files."""
        for item in page["features"]:
            item["assets"] = {
                key: asset | {"href": f"{self.url}{asset['href']}"} for key, asset in item["assets"].items()
            }
        return page


def _json(content: object) -> Answer:
    return Answer(HTTPStatus.OK, json.dumps(content).encode(), {"Content-Type": "application/geo+json"})


def _part(content: bytes, etag: str, part: str) -> Answer:
    """A file, or the range of it that was asked for."""
    headers = {"Content-Type": "image/tiff", "Accept-Ranges": "bytes", "ETag": etag}
    unit, _, ends = part.partition("=")
    first, dash, last = ends.partition("-")
    if unit != "bytes" or not dash or not (first + last).isdigit():
        return Answer(HTTPStatus.OK, content, headers)
    start = int(first) if first else max(len(content) - int(last), 0)
    stop = min(int(last) + 1, len(content)) if first and last else len(content)
    if start >= stop:
        return Answer(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", headers | {"Content-Range": f"bytes */{len(content)}"}
        )
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return Answer(HTTPStatus.PARTIAL_CONTENT, content[start:stop], headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that leaves in the middle is no fault of ours."""


class _Handler(BaseHTTPRequestHandler):
    served: RehearsalServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        part = self.headers.get("Range", "")
        fault = self.served.note(Asked("GET", self.path, part))
        self._say(self.served.document(urlsplit(self.path).path, part), fault)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        fault = self.served.note(Asked("POST", self.path, text))
        home, _, rest = self.path.rpartition("/")
        if rest == "search" and home in self.served.catalogue["apis"]:
            self._say(self.served.search(home, json.loads(text)), fault)
        else:
            self._say(Answer(HTTPStatus.NOT_FOUND, GONE), fault)

    def _say(self, answer: Answer, fault: Fault | None) -> None:
        if fault == "reset":
            self._break()
            return
        if fault == "forbidden":
            answer = Answer(HTTPStatus.FORBIDDEN, GONE)
        if fault == "busy":
            answer = Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"", {"Retry-After": str(RETRY_AFTER_S)})
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if fault == "short" else answer.body)
        self.close_connection = fault == "short"

    def _break(self) -> None:
        """Ends the line with a reset instead of a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""
