"""One open line to a checked address: bytes out, answers in, every byte and every second on an asset's account."""

import http.client
import io
import socket
import ssl
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from terrashot.errors import NetworkError
from terrashot.remote.address import Origin
from terrashot.remote.budget import Budget


@dataclass(frozen=True, slots=True)
class Request:
    """What goes onto the wire, but for the host."""

    method: str
    place: str = field(repr=False)
    """Path and query, which may hold a signature."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


class Line:
    """A connection that stays with the address it was made to."""

    def __init__(self, origin: Origin, connected: socket.socket) -> None:
        self.origin = origin
        self._socket = connected
        # A thread that ends drops its client, idle lines and all, without a word. A `__del__` would come too late
        # where both lie on a ring of garbage: the older of the two, the socket, is asked first, and warns.
        self._close = weakref.finalize(self, connected.close)

    def ask(self, request: Request, budget: Budget) -> http.client.HTTPResponse:
        """The answer, its status and headers read, its body not.

        Raises:
            OSError, http.client.HTTPException: the line broke, or what came is no answer.
            SpentError: time or bytes are up.
            NetworkError: a header that would forge another one.
        """
        lines = [f"{request.method} {request.place} HTTP/1.1", f"Host: {self.origin.authority}"]
        lines += [f"{name}: {_one_line(name, value)}" for name, value in request.headers.items()]
        self._socket.settimeout(budget.patience_s())
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + request.body)
        answer = http.client.HTTPResponse(_Tap(self._socket, budget), method=request.method)  # type: ignore[arg-type]
        answer.begin()
        return answer

    def close(self) -> None:
        self._close()


def _one_line(name: str, value: str) -> str:
    """The value, which is not told where it is refused: it may be a credential."""
    if not (value.isascii() and value.isprintable()):
        raise NetworkError(f"the header {name} holds a line break or another character that none may; correct it")
    return value


def connect(origin: Origin, addresses: Sequence[str], trust: ssl.SSLContext | None, budget: Budget) -> Line:
    """A line to the first address that answers.

    Args:
        trust: for https, where the certificate must be the host's; None for http.

    Raises:
        OSError: none answers, or the certificate is not trusted.
        SpentError: time is up.
    """
    connected = _first_that_answers(addresses, origin.port, budget)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if trust is not None:
            connected.settimeout(budget.patience_s())  # of the whole handshake, as ssl counts it
            connected = trust.wrap_socket(connected, server_hostname=origin.host)
    except BaseException:
        connected.close()
        raise
    return Line(origin, connected)


def _first_that_answers(addresses: Sequence[str], port: int, budget: Budget) -> socket.socket:
    refusal: OSError = OSError("the host has no address")
    for address in addresses:
        try:
            # Numeric, so nothing is looked up again.
            return socket.create_connection((address, port), timeout=budget.patience_s())
        except OSError as error:
            refusal = error
    raise refusal


class _Tap:
    """What http.client reads an answer from."""

    def __init__(self, connected: socket.socket, budget: Budget) -> None:
        self._metered = _Metered(connected, budget)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._metered)


class _Metered(io.RawIOBase):
    """Bytes of a socket: each receipt waits no longer than the budget has time, and takes no more than it has room."""

    def __init__(self, connected: socket.socket, budget: Budget) -> None:
        self._socket, self._budget = connected, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        view = memoryview(buffer)[: self._budget.room(len(buffer))]
        # Looked at before every receipt: a server that sends a byte a second would outlive one timeout for all.
        if (patience_s := self._budget.patience_s()) != self._socket.gettimeout():
            self._socket.settimeout(patience_s)
        received = self._socket.recv_into(view)
        self._budget.receive(received)
        return received
