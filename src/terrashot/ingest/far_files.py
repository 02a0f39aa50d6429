"""Opens the files that a catalogue names, each use of one within a budget of its own; files, and lines to hosts, stay open."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from terrashot.durable.spool import Spool
from terrashot.errors import InputError
from terrashot.ingest.kept_open import KeptOpen
from terrashot.raster.asset import Asset, opened_asset
from terrashot.remote.address import AddressRules
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.file import Blocks
from terrashot.remote.kept_ranges import KeptRanges
from terrashot.remote.profiles import Plane, Signing
from terrashot.remote.ranges import Access, RemoteRanges
from terrashot.remote.signing import PlanetaryComputerSigner
from terrashot.remote.thread_client import thread_client

HELD_BYTES = 512 << 10
"""Of each open file, as it was fetched: the tiles on both sides of a block's edge. What was unpacked `kept_blocks.py` has."""


class FarFile:
    """An open file, and the way to its bytes."""

    def __init__(self, ranges: RemoteRanges, spool: Spool | None) -> None:
        self.ranges = ranges
        kept = ranges if spool is None else KeptRanges(ranges, spool)
        self.asset = opened_asset(Blocks(kept, kept_bytes=HELD_BYTES))

    def close(self) -> None:
        """Nothing; the lines stay open."""
        self.asset.close()


_OPEN: KeptOpen[FarFile] = KeptOpen()


@dataclass(frozen=True, slots=True)
class FarFiles:
    """An `OpenPlane` over the network; small and picklable: each process and thread makes its own lines."""

    signing: Signing = "none"
    limits: Limits = field(default_factory=Limits)
    """Of each use of a file by a chip."""
    allowed_hosts: frozenset[str] = frozenset()
    """Hosts that may be asked though they are not public, or without https."""
    spool: Spool | None = None
    """Where what was fetched is kept for the next chip, and for a run after one that was killed."""

    @contextmanager
    def __call__(self, plane: Plane) -> Iterator[Asset]:
        """The file, open.

        Raises:
            InputError: no GeoTIFF, or of a catalogue whose files need an account.
            NetworkError: it cannot be fetched within the limits.
        """
        client, budget = thread_client(self.allowed_hosts), Budget(self.limits)
        with _OPEN.lent((self, plane.href), lambda: self._opened(plane.href, client, budget)) as file:
            # The file may have been opened by another thread, hours ago.
            file.ranges.go_on(client, budget)
            yield file.asset

    def _opened(self, href: str, client: Client, budget: Budget) -> FarFile:
        access = _access(self.signing, self.allowed_hosts)
        return FarFile(RemoteRanges(href, client, budget, access), self.spool)


@cache
def _access(signing: Signing, allowed_hosts: frozenset[str]) -> Access:
    """One a process, so that its threads share a token."""
    if signing == "login":
        raise InputError(
            "files of this catalogue need an account, for which there is no client here; choose another catalogue"
        )
    if signing == "none":
        return Access()
    signer = PlanetaryComputerSigner(rules=AddressRules(allowed_hosts))
    return Access(sign=signer, renew=signer.renew)
