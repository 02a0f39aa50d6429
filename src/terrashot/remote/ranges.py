"""Reads ranges of one remote file; each answer is checked before its bytes are believed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Protocol, runtime_checkable

from terrashot.errors import InputError, NetworkError
from terrashot.remote.address import shown
from terrashot.remote.budget import Budget
from terrashot.remote.client import Answer, Client, Question
from terrashot.remote.headers import Version, range_of, refuse_disguise, size_beyond, version_of
from terrashot.remote.persist import PASSING, PassingError, persist
from terrashot.remote.retry_after import retry_after_s

AT_ONCE_BYTES = 8 << 20
"""The most that one request asks for."""
SKIPPED_AT_ONCE = 64 << 10
REFUSED = (401, 403)
PAGE_BEGINNINGS = (b"<!doctype html", b"<html")


class ReplacedError(NetworkError):
    """The file is no longer the one whose parts we have."""


class AbsentFileError(InputError):
    """There is no such file."""


@dataclass(frozen=True, slots=True)
class Access:
    """What lets us in; never shown."""

    sign: Callable[[str], str] | None = field(default=None, repr=False)
    """The URL with a signature in it."""
    renew: Callable[[str], str] | None = field(default=None, repr=False)
    """The same with a fresh signature, asked for once where the first is refused; `sign` again where none is given."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """For the URL's own origin and no other."""

    def signed(self, url: str, *, again: bool) -> str:
        """The URL as it is to be asked for."""
        sign = (self.renew or self.sign) if again else self.sign
        return url if sign is None else sign(url)


@runtime_checkable
class ByteRanges(Protocol):
    """A file of which parts can be read."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def size(self) -> int: ...

    def read_into(self, room: memoryview, start: int) -> int:
        """How many bytes of the file, from `start` on, stand in `room` now; fewer than it holds only where the file ends before."""
        ...


class RemoteRanges:
    """A file at a URL, read within one budget."""

    def __init__(self, url: str, client: Client, budget: Budget, access: Access = Access()) -> None:
        self.budget = budget
        self.name = shown(url)
        self._url, self._client, self._access = url, client, access
        self._signed: str | None = None
        self._signed_again = False
        self._version: Version | None = None

    def go_on(self, client: Client, budget: Budget) -> None:
        """Nothing; what is read from now on is asked for through this client and signed again, within this budget."""
        self._client, self.budget, self._signed = client, budget, None

    @property
    def identity(self) -> str:
        """The address without a signature of ours; not for people."""
        return self._url

    @property
    def size(self) -> int:
        """Asked for where nothing was read so far."""
        return self.version.size

    def expect(self, version: Version) -> None:
        """Nothing; ranges of any other version are refused."""
        self._version = version

    @property
    def version(self) -> Version:
        """What all ranges so far were read from."""
        if self._version is None:
            self.read(0, 1)
        assert self._version is not None
        return self._version

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to but not including `stop`; fewer only where the file ends before.

        Raises:
            NetworkError: the budget is spent, access is refused, or the file changed since the first range.
            AbsentFileError: there is no such file.
        """
        room = memoryview(bytearray(max(0, self._afforded(start, stop) - start)))
        return bytes(room[: self.read_into(room, start)])

    def read_into(self, room: memoryview, start: int) -> int:
        """How many bytes of the file, from `start` on, stand in `room` now; fewer than it holds only where the file ends before.

        Raises:
            NetworkError, AbsentFileError: as `read`.
        """
        done, stop = 0, self._afforded(start, start + len(room))
        while start + done < stop:
            part = room[done : min(stop - start, done + AT_ONCE_BYTES)]
            done += persist(self.name, self.budget, partial(self._attempt, part, start + done))
            stop = self._within_file(stop)
        return done

    def _afforded(self, start: int, stop: int) -> int:
        """Where the part ends, in the file; we have bytes left for all of it."""
        stop = self._within_file(stop)
        if stop - start > self.budget.left_bytes:
            raise NetworkError(
                f"{self.name}: {stop - start} bytes wanted, {self.budget.left_bytes} of the asset's "
                f"{self.budget.limits.max_bytes} left; ask for less of it"
            )
        return stop

    def _within_file(self, stop: int) -> int:
        """As far as we know its size."""
        return stop if self._version is None else min(stop, self._version.size)

    def _attempt(self, room: memoryview, start: int) -> int:
        if self._signed is None:
            self._signed = self._access.signed(self._url, again=self._signed_again)
        question = Question(self._signed, {"Range": f"bytes={start}-{start + len(room) - 1}"}, self._access.headers)
        with self._client.ask(question, self.budget) as answer:
            if answer.status == HTTPStatus.PARTIAL_CONTENT:
                got = self._part(answer, room, start)
            elif answer.status == HTTPStatus.OK:
                got = self._cut(answer, room, start)
            elif answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                got = self._beyond(answer, start)
            else:
                raise self._refusal(answer)
        self._signed_again = False
        return got

    def _part(self, answer: Answer, room: memoryview, start: int) -> int:
        refuse_disguise(answer.headers)
        first, end, size = range_of(answer.headers)
        self._recognise(version_of(answer.headers, size))
        if (first, end) != (start, min(start + len(room), size)):
            raise PassingError(f"bytes {first} to {end} came for {start} to {start + len(room)}")
        if answer.length is not None and answer.length != end - first:
            raise PassingError(f"{answer.length} bytes are announced for a part of {end - first}")
        return _taken(answer, room[: end - first], start)

    def _cut(self, answer: Answer, room: memoryview, start: int) -> int:
        """The part of a whole file that a server sends who knows no ranges; the line is cut after it."""
        refuse_disguise(answer.headers)
        if answer.length is None:
            raise PassingError("the whole file came for a part of it, and does not say how long it is")
        version = version_of(answer.headers, answer.length)
        self._recognise(version)
        stop = min(start + len(room), version.size)
        if stop > self.budget.left_bytes:
            raise NetworkError(
                f"{self.name}: the server sends no parts of files, and {stop} bytes up to the part are over the budget "
                f"({self.budget.left_bytes} left); download the file instead"
            )
        for passed in range(0, start, SKIPPED_AT_ONCE):
            _taken(answer, memoryview(bytearray(min(SKIPPED_AT_ONCE, start - passed))), passed)
        return _taken(answer, room[: max(0, stop - start)], start)

    def _beyond(self, answer: Answer, start: int) -> int:
        size = size_beyond(answer.headers)
        if size is None or size > start:
            raise PassingError("a part of the file is said to lie beyond its end")
        self._recognise(version_of(answer.headers, size))
        return 0

    def _recognise(self, version: Version) -> None:
        if self._version is None:
            self._version = version
        elif self._version.differs(version):
            raise ReplacedError(f"{self.name}: the file was replaced while it was read; run again")

    def _refusal(self, answer: Answer) -> Exception:
        said = f"{answer.status} {_phrase(answer.status)}".strip()
        if answer.status in PASSING:
            return PassingError(said, retry_after_s(answer.headers, self.budget.clock.today()))
        if answer.status in REFUSED and self._access.sign is not None and not self._signed_again:
            self._signed, self._signed_again = None, True
            return PassingError(f"{said}, signed anew")
        if answer.status in REFUSED:
            return NetworkError(f"{self.name}: access refused ({said}); check the credentials")
        if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return AbsentFileError(f"{self.name}: there is no such file ({said}); check the address")
        return NetworkError(f"{self.name}: the server answers {said}; check the address")


def _taken(answer: Answer, room: memoryview, start: int) -> int:
    """How much was taken: all there is room for. No web page under the file's name: login forms and error pages come with 200."""
    answer.take_into(room)
    if start == 0 and bytes(room[:512]).lstrip().lower().startswith(PAGE_BEGINNINGS):
        raise PassingError("a web page instead of data")
    return len(room)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


_: type[ByteRanges] = RemoteRanges
