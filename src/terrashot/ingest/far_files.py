"""Opens the files that a catalogue names, each within a budget of its own; lines to hosts stay open from file to file."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from terrashot.durable.spool import Spool
from terrashot.errors import InputError
from terrashot.raster.asset import Asset, open_asset
from terrashot.remote.address import AddressRules
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.file import Blocks
from terrashot.remote.kept_ranges import KeptRanges
from terrashot.remote.profiles import Plane, Signing
from terrashot.remote.ranges import Access, RemoteRanges
from terrashot.remote.signing import PlanetaryComputerSigner


class _Lines(threading.local):
    """Clients of this thread by process and by who may be asked: a forked process must not use its parent's."""

    def __init__(self) -> None:
        self.clients: dict[tuple[int, frozenset[str]], Client] = {}


_LINES = _Lines()


@dataclass(frozen=True, slots=True)
class FarFiles:
    """An `OpenPlane` over the network; small and picklable: each process and thread makes its own lines."""

    signing: Signing = "none"
    limits: Limits = field(default_factory=Limits)
    """Of each opening of a file."""
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
        client, access = _client(self.allowed_hosts), _access(self.signing, self.allowed_hosts)
        ranges = RemoteRanges(plane.href, client, Budget(self.limits), access)
        kept = ranges if self.spool is None else KeptRanges(ranges, self.spool)
        with open_asset(Blocks(kept)) as asset:
            yield asset


def _client(allowed_hosts: frozenset[str]) -> Client:
    key = os.getpid(), allowed_hosts
    if key not in _LINES.clients:
        _LINES.clients[key] = Client(AddressRules(allowed_hosts))
    return _LINES.clients[key]


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
