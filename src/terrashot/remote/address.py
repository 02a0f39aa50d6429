"""Which addresses may be asked, and how they are shown: https, public, without credentials.

A study file or a catalogue's answer names hosts; none of them may lead into the network that the reader stands in.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, urlsplit

from terrashot.errors import NetworkError

Resolve = Callable[[str, int], Sequence[str]]
"""Numeric addresses of a host, in the order to be tried."""
PORTS = {"https": 443, "http": 80}
HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252})|[0-9a-f:.]+")
SHOWN_CHARACTERS = 200
NAT64 = ipaddress.ip_network("64:ff9b::/96")
IP = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Origin:
    """Who is asked: credentials never leave it."""

    scheme: str
    host: str
    """Lower case; an IPv6 address without its brackets."""
    port: int

    @property
    def authority(self) -> str:
        """As in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart."""

    origin: Origin
    request: str = field(repr=False)
    """Path and query as they go onto the wire; the query may hold a signature."""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Who may be asked: public hosts over https, and whoever is named here over either."""

    allowed_hosts: frozenset[str] = frozenset()
    """Names or addresses, lower case, with a port (`127.0.0.1:8080`) or for any port (`archive.local`)."""

    def allows(self, origin: Origin) -> bool:
        """Whether the host is on the list."""
        return not self.allowed_hosts.isdisjoint({origin.host, f"{origin.host}:{origin.port}", origin.authority})


def shown(url: str) -> str:
    """The URL for people: without user, query and fragment, where credentials stand; shortened."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an address that cannot be read"
    clean = quote(f"{parts.scheme}://{host}{parts.path}", safe="/:[]%~+,=@")
    return clean if len(clean) <= SHOWN_CHARACTERS else f"{clean[: SHOWN_CHARACTERS - 3]}..."


@lru_cache(maxsize=512)  # each file is asked for part by part
def target_of(url: str, rules: AddressRules) -> Target:
    """The URL taken apart, if it may be asked as far as its text tells.

    Raises:
        NetworkError: neither https nor an allowed host, a user name in it, or no readable host.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").encode("idna").decode().lower(), parts.port
    except ValueError:  # a port or a bracket that is none; a name that IDNA refuses
        raise NetworkError(f"{shown(url)}: no address that can be read; correct it") from None
    if parts.scheme not in PORTS or not HOST.fullmatch(host) or "@" in parts.netloc or "\\" in url or port == 0:
        raise NetworkError(f"{shown(url)}: not asked: needs https://host/path, without a user name")
    origin = Origin(parts.scheme, host, port or PORTS[parts.scheme])
    if parts.scheme != "https" and not rules.allows(origin):
        raise NetworkError(f"{shown(url)}: not asked: only https; allow the host '{host}' if it is your own")
    query = f"?{parts.query}" if parts.query else ""
    return Target(origin, quote(f"{parts.path or '/'}{query}", safe="/%:=&?~+!$,;'@()*-._"))


def system_resolve(host: str, port: int) -> list[str]:
    """Numeric addresses of a host, as this machine finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def checked_addresses(origin: Origin, rules: AddressRules, resolve: Resolve = system_resolve) -> list[str]:
    """The numeric addresses of a host; to be connected to as they stand, since the next look-up may find others.

    Raises:
        NetworkError: one of them is not public, and the host is not on the list.
        OSError: the host is not found.
    """
    addresses = list(resolve(origin.host, origin.port))
    if not rules.allows(origin):
        for address in addresses:
            if not is_public(address):
                raise NetworkError(
                    f"{origin.host}: not asked: its address {address} is not a public one; allow the host if it is your own"
                )
    return addresses


def is_public(address: str) -> bool:
    """Whether a numeric address, and the IPv4 address inside it if there is one, belongs to the open internet."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(ip.is_global and not ip.is_multicast and not ip.is_reserved for ip in _with_embedded(found))


def _with_embedded(found: IP) -> list[IP]:
    if isinstance(found, ipaddress.IPv4Address):
        return [found]
    if found.ipv4_mapped is not None:
        return [found.ipv4_mapped]
    if found in NAT64:
        # Reserved by its own table, and yet how a network without IPv4 reaches all of it.
        return [ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)]
    embedded: list[IP] = [found]
    if found.sixtofour is not None:
        embedded.append(found.sixtofour)
    if found.teredo is not None:
        embedded.extend(found.teredo)
    return embedded
