"""Answers that a file server should not give: one function a fault."""

import functools
import gzip
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Protocol
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
NEVER_S = 30.0
"""A hang; ends at once when the server is closed."""
TRICKLE_S = 0.02
"""Between two bytes: as one a second, for a client whose patience is as much shorter."""
ASKED_S = 2
"""In Retry-After."""
BOMB_BYTES = 64 << 20


class Surroundings(Protocol):
    """What an answer knows of its server."""

    elsewhere: str
    closing: threading.Event

    @property
    def port(self) -> int: ...


class Answering(BaseHTTPRequestHandler):
    """Answers as they should be, from which the faults are made."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    faulty: Surroundings

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
        """The range asked for, cut at the file's end; all of it where none is."""
        if "Range" not in self.headers:
            return 0, len(content)
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
        """Status and headers of the part, or of the whole where no part is asked for."""
        headers = {"ETag": '"one"', "Content_Type": "image/tiff"}
        if "Range" in self.headers:
            headers["Content_Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
        self.begin(206 if "Range" in self.headers else 200, stop - start, **headers | changed)


def _status(status: int, **headers: str) -> Callable[[Answering, bytes], None]:
    return lambda handler, content: handler.say(status, b"busy", **headers)


def _later_as_date(handler: Answering, content: bytes) -> None:
    until = datetime.now(UTC) + timedelta(seconds=ASKED_S)
    handler.say(429, Retry_After=format_datetime(until, usegmt=True))


def _refused(handler: Answering, content: bytes) -> None:
    """Leads to a port of this very host at which nobody listens any more, as a host that is down is met."""
    with socket.socket() as once:
        once.bind((LOOPBACK, 0))
        port = once.getsockname()[1]
    handler.say(302, Location=f"http://{LOOPBACK}:{port}{handler.path}")


def _reset(handler: Answering, content: bytes) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def _short_body(handler: Answering, content: bytes) -> None:
    start, stop = handler.asked(content)
    handler.begin_part(content, start, stop)
    handler.wfile.write(content[start : start + (stop - start) // 2])
    handler.close_connection = True


def _wrong_range(handler: Answering, content: bytes) -> None:
    start, stop = handler.asked(content)
    moved = start + 1 if stop < len(content) else max(0, start - 1)
    handler.begin_part(content, moved, min(len(content), moved + stop - start))
    handler.wfile.write(content[moved : moved + stop - start])


def _whole(handler: Answering, content: bytes) -> None:
    handler.say(200, content, ETag='"one"', Content_Type="image/tiff")


def _trickle(handler: Answering, content: bytes) -> None:
    start, stop = handler.asked(content)
    handler.begin_part(content, start, stop)
    for at in range(start, stop):
        handler.wfile.write(content[at : at + 1])
        if handler.faulty.closing.wait(TRICKLE_S):
            break
    handler.close_connection = True


def _hang_before(handler: Answering, content: bytes) -> None:
    handler.faulty.closing.wait(NEVER_S)
    handler.close_connection = True


def _hang_in_body(handler: Answering, content: bytes) -> None:
    start, stop = handler.asked(content)
    handler.begin_part(content, start, stop)
    handler.wfile.write(content[start : start + (stop - start) // 2])
    _hang_before(handler, content)


def _loop(handler: Answering, content: bytes) -> None:
    handler.say(302, Location=handler.path)


def _private(handler: Answering, content: bytes) -> None:
    """Leads to loopback under a name that the rules do not allow: as private as an address can be, and not another machine."""
    handler.say(302, Location=f"https://localhost:{handler.faulty.port}{handler.path}")


def _elsewhere(handler: Answering, content: bytes) -> None:
    handler.say(302, Location=f"{handler.faulty.elsewhere}{urlsplit(handler.path).path}")


def _page(handler: Answering, content: bytes) -> None:
    handler.say(200, b"<!DOCTYPE html><title>Log in</title>" + b" " * 5000, Content_Type="text/html; charset=utf-8")


def _disguised_page(handler: Answering, content: bytes) -> None:
    page = b"\n<HTML><title>Busy</title>".ljust(len(content))
    handler.say(200, page, ETag='"one"', Content_Type="application/octet-stream")


def _wrong_length(handler: Answering, content: bytes) -> None:
    start, stop = handler.asked(content)
    handler.part(content, Content_Length=str(stop - start + 7))
    handler.close_connection = True


@functools.cache
def _packed() -> bytes:
    return gzip.compress(bytes(BOMB_BYTES), 1)


def _bomb(handler: Answering, content: bytes) -> None:
    start, stop = handler.asked(content)
    place = f"bytes {start}-{stop - 1}/{len(content)}"
    handler.say(206, _packed(), Content_Encoding="gzip", Content_Range=place)


def _endless_headers(handler: Answering, content: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 206 Partial Content\r\n" + b"X: " + b"x" * (1 << 20))
    handler.close_connection = True


def _endless_interim(handler: Answering, content: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
    handler.close_connection = True


def _chunked(handler: Answering, content: bytes) -> None:
    """No fault, but seldom seen: the part in chunks, without its length."""
    start, stop = handler.asked(content)
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for at in range(start, stop, 500):
        piece = content[at : min(stop, at + 500)]
        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")


def _closed_after(handler: Answering, content: bytes) -> None:
    """The part as it should be; then the line is closed without a word, as after some idle seconds."""
    handler.part(content)
    handler.close_connection = True


def _replaced(handler: Answering, content: bytes) -> None:
    handler.part(content[::-1], ETag='"two"')


FAULTS: Mapping[str, Callable[[Answering, bytes], None]] = {
    "429 in seconds": _status(429, Retry_After=str(ASKED_S)), "429 as a date": _later_as_date,
    "429 for an hour": _status(429, Retry_After="3600"),
    "500": _status(500), "502": _status(502), "503": _status(503), "504": _status(504), "408": _status(408),
    "refused": _refused, "reset": _reset, "short body": _short_body, "wrong range": _wrong_range, "200 for 206": _whole,
    "a byte now and then": _trickle, "hang before": _hang_before, "hang in the body": _hang_in_body,
    "redirect loop": _loop, "redirect to a private address": _private, "redirect elsewhere": _elsewhere,
    "expired signature": _status(403), "web page with 200": _page, "disguised web page": _disguised_page,
    "wrong length": _wrong_length, "gzip bomb": _bomb, "endless headers": _endless_headers,
    "replaced file": _replaced, "endless interim answers": _endless_interim, "in chunks": _chunked,
    "line closed after the answer": _closed_after,
}  # fmt: skip
