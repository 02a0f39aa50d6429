"""What the headers of an answer say: which bytes, of which version of the file."""

import re
from dataclasses import dataclass
from email.message import Message

from terrashot.remote.persist import PassingError

CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")
UNSATISFIED = re.compile(r"bytes \*/(\d{1,19})")
PAGES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one state of a remote file from another."""

    size: int
    etag: str | None
    """Strong ones only: equal weak ones promise no equal bytes."""
    modified: str | None

    def differs(self, other: "Version") -> bool:
        """Whether the two cannot be the same bytes."""
        if self.size != other.size:
            return True
        if self.etag and other.etag:
            return self.etag != other.etag
        return bool(self.modified and other.modified and self.modified != other.modified)


def version_of(headers: Message, size: int) -> Version:
    """The version that an answer tells of."""
    etag = headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None
    return Version(size, strong, headers.get("Last-Modified"))


def refuse_disguise(headers: Message) -> None:
    """Nothing, if the body is the file's own bytes.

    Raises:
        PassingError: packed although we asked not to, in several parts, or a web page.
    """
    packed = str(headers.get("Content-Encoding", "identity")).strip().lower()
    if packed not in ("", "identity"):
        raise PassingError("the answer is packed, which was not asked for")
    kind = str(headers.get("Content-Type", "")).split(";")[0].strip().lower()
    if kind in PAGES:
        raise PassingError("a web page instead of data")
    if kind == "multipart/byteranges":
        raise PassingError("an answer in several parts to one range")


def range_of(headers: Message) -> tuple[int, int, int]:
    """First byte, the one after the last, and the file's size.

    Raises:
        PassingError: not said, or nonsense.
    """
    found = CONTENT_RANGE.fullmatch(str(headers.get("Content-Range", "")).strip())
    if not found:
        raise PassingError("a partial answer that does not say which part")
    start, last, size = map(int, found.groups())
    if not start <= last < size:
        raise PassingError("a partial answer of a part that cannot be")
    return start, last + 1, size


def size_beyond(headers: Message) -> int | None:
    """The file's size, as an answer tells that refuses a range beyond its end."""
    found = UNSATISFIED.fullmatch(str(headers.get("Content-Range", "")).strip())
    return int(found.group(1)) if found else None
