"""A network that misbehaves: every fault of the server against every way that we read, at some requests or at all of them."""

import contextlib
import functools
import hashlib
import io
import itertools
import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio

from faults.answers import FAULTS
from faults.images import good_cog
from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.server import FaultServer, SkippingClock, drawn_hits, script_of
from terrashot.errors import NetworkError
from terrashot.raster.asset import open_asset
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.download import fetch_file
from terrashot.remote.file import Blocks, RemoteFile
from terrashot.remote.ranges import Access, RemoteRanges

SEEDS, SOAK_SEEDS = 3, 50
SECRET = "aVerySecretToken"
FILE = "/asset.tif"
SLOW = ("a byte now and then", "hang before", "hang in the body")
LIMITS = Limits(max_attempts=4, max_requests=60, max_seconds=60.0, max_bytes=2_000_000, stall_s=5.0)
IN_HASTE = Limits(
    max_attempts=4, max_requests=60, max_seconds=0.35, max_bytes=2_000_000, stall_s=0.06, first_wait_s=0.01
)
LATE_S = 1.0
"""Beyond its seconds, for a busy machine to notice that they are over."""
FINAL = ("429 for an hour", "redirect loop", "redirect to a private address", "replaced file", *SLOW)
"""What a second attempt need not mend: refused for good, or the time is up."""
ONCE = ("replaced file", "expired signature")
"""A file that is another from the first request on is simply another file; a signature is renewed once."""

Read = Callable[[RemoteRanges, Path], object]


def _ranges(ranges: RemoteRanges, folder: Path) -> bytes:
    return b"".join(ranges.read(start, start + 7000) for start in range(0, len(good_cog()), 7000))


def _file(ranges: RemoteRanges, folder: Path) -> bytes:
    file = RemoteFile(Blocks(ranges, block_bytes=4096, kept_bytes=1 << 14))
    middle = file.seek(-2000, io.SEEK_END) // 2
    file.seek(middle)
    end = file.read()
    file.seek(0)
    return file.read(middle) + end


def _window(ranges: RemoteRanges, folder: Path) -> bytes:
    with open_asset(Blocks(ranges, block_bytes=4096)) as asset:
        return asset.read(slice(30, 110), slice(20, 100), (2, 1)).pixels.tobytes()


def _download(ranges: RemoteRanges, folder: Path) -> bytes:
    fetch_file(ranges, folder / "a.tif", sha256=hashlib.sha256(good_cog()).hexdigest())
    return (folder / "a.tif").read_bytes()


CLIENTS: dict[str, Read] = {"ranges": _ranges, "file": _file, "window": _window, "download": _download}


@dataclass(frozen=True, slots=True)
class _Told:
    """What a read gave, and all that was said of it."""

    got: object
    error: NetworkError | None
    text: str
    seconds: float


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for number, fault, client in itertools.product(range(SOAK_SEEDS if soak else SEEDS), FAULTS, CLIENTS):
        run = functools.partial(
            _run, fault=fault, client=client, rng=random.Random(f"{seed} {number} {fault} {client}")
        )
        yield Case(f"{client}: {fault}, draw {number}", run)


def _run(folder: Path, fault: str, client: str, rng: random.Random) -> Verdict:
    hits = drawn_hits(rng, first=4)
    if fault in ONCE:
        hits = frozenset({rng.randint(1, 3)})
    access = Access(lambda url: f"{url}?sig={SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
    files = {FILE: good_cog()}
    with FaultServer(files) as other, FaultServer(files, script_of(fault, hits), other.url("")) as server:
        budget = Budget(IN_HASTE if fault in SLOW else LIMITS, SkippingClock(), rng)
        ranges = RemoteRanges(server.url(FILE), Client(server.rules), budget, access)
        told = _read(CLIENTS[client], ranges, folder)
        others = " ".join(seen.text for seen in other.seen)
        n_seen = len(server.seen) + len(other.seen)
    if SECRET in told.text or SECRET in others:
        return silent("a credential was told, or sent to another host")
    if over := _over_budget(budget, n_seen, told.seconds):
        return crashed(over)
    if told.error is None:
        return exact() if told.got == _wanted(client) else silent("other bytes than the file's")
    if hits is not None and fault not in FINAL:
        return crashed(f"given up although it would have passed: {told.error}")
    return refused() if str(told.error).startswith(ranges.name) else crashed(f"names no file: {told.error}")


def _read(read: Read, ranges: RemoteRanges, folder: Path) -> _Told:
    clock, error, got = SkippingClock(), None, None
    began, log = clock.now(), io.StringIO()
    with _everything_logged(log), contextlib.redirect_stderr(log):
        try:
            got = read(ranges, folder)
        except NetworkError as found:
            error = found
    return _Told(got, error, f"{log.getvalue()} {error!r} {error} {ranges!r}", clock.now() - began)


@contextlib.contextmanager
def _everything_logged(log: io.StringIO) -> Iterator[None]:
    handler, root = logging.StreamHandler(log), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def _over_budget(budget: Budget, n_seen: int, seconds: float) -> str:
    limits = budget.limits
    if not n_seen <= budget.requests <= limits.max_requests:
        return f"{n_seen} requests came, {budget.requests} were counted of {limits.max_requests}"
    if budget.received_bytes > limits.max_bytes:
        return f"{budget.received_bytes} bytes of {limits.max_bytes}"
    if seconds > limits.max_seconds + LATE_S:
        return f"{seconds:.1f} of {limits.max_seconds} s"
    return ""


@functools.cache
def _wanted(client: str) -> bytes:
    if client != "window":
        return good_cog()
    with rasterio.MemoryFile(good_cog()) as memory, memory.open() as file:
        pixels: np.ndarray = file.read([2, 1], window=((30, 110), (20, 100)))
        return pixels.tobytes()


ROW = Row("network", "network that misbehaves: refused, cut, slow, lying, leading elsewhere", cases)
