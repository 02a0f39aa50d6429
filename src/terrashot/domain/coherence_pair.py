"""Two passes of Sentinel-1 whose phases were compared, and the names of the products that tell of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeVar

from terrashot.domain.modality import Channel
from terrashot.errors import InputError

Direction = Literal["ascending", "descending"]
NAME: Final = re.compile(
    r"S1-GUNW(?:_CUSTOM)?-(?P<direction>[AD])-(?P<look>[RL])-(?P<track>\d{3})-tops-(?P<later>\d{8})_(?P<earlier>\d{8})-"
    r"(?P<time>\d{6})-(?P<place>\d{5}[NS]_\d{5}[NS]|\d{5}[EW]_\d{5}[NS])-PP-(?P<hash>[0-9a-f]{4})-"
    r"v(?P<version>\d{1,3}_\d{1,3}_\d{1,3})",
    re.ASCII,
)
"""Up to version 2.0.4 the place is north and south latitude times 1000, from 2.0.5 on west longitude and south latitude."""
TRACKS: Final = 175
"""Orbits until Sentinel-1 is back over the same ground."""
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two passes on one track."""

    later: date
    earlier: date
    direction: Direction
    track: int
    """Relative orbit, 1 to `TRACKS`."""

    @property
    def days(self) -> int:
        """Between the two."""
        return (self.later - self.earlier).days

    @property
    def name(self) -> str:
        """Later date first, as in the products' names: `20200217_20200205_A014`."""
        return f"{self.later:%Y%m%d}_{self.earlier:%Y%m%d}_{self.direction[0].upper()}{self.track:03d}"

    @property
    def channel(self) -> Channel:
        """As it stands in a chip store."""
        return Channel(self.name, "coherence", "coherence", str(self.earlier), str(self.later))


@dataclass(frozen=True, slots=True)
class ProductName:
    """What the name of a GUNW product says."""

    text: str
    pair: Pair
    version: tuple[int, int, int]
    lat_deg: tuple[float, float]
    """South and north; both the south where the name tells of no more."""
    west_deg: float | None
    """In whole degrees; None where the name tells of latitudes alone."""

    @property
    def rank(self) -> tuple[tuple[int, ...], str]:
        """Sorts products of one pair, the one to be preferred first: the newer version, then by name."""
        return tuple(-number for number in self.version), self.text


def product_name(text: str) -> ProductName:
    """The name taken apart; `.nc` at its end is no part of it.

    Raises:
        InputError: no name of a GUNW product, a track that is none, or dates that are none or the wrong way round.

    Source: ACCESS-Cloud-Based-InSAR/DockerizedTopsApp ebe052c2; dbekaert/RAiDER e38c4eb4.
    """
    found = NAME.fullmatch(text.removesuffix(".nc"))
    if found is None:
        raise InputError(
            f"{text[:120]!r}: no name of a GUNW product (S1-GUNW-A-R-014-tops-20200217_20200205-...-v2_0_4)"
        )
    try:
        later, earlier = (date.fromisoformat(found[key]) for key in ("later", "earlier"))
    except ValueError:
        raise InputError(f"{text[:120]!r}: one of its dates is no day") from None
    if not 1 <= int(found["track"]) <= TRACKS:
        raise InputError(f"{text[:120]!r}: tracks are numbered 001 to {TRACKS}")
    if later <= earlier:
        raise InputError(f"{text[:120]!r}: its later date stands second; the reference, first, is the later one")
    direction: Direction = "ascending" if found["direction"] == "A" else "descending"
    major, minor, patch = map(int, found["version"].split("_"))
    pair = Pair(later, earlier, direction, int(found["track"]))
    return ProductName(found[0], pair, (major, minor, patch), *_place(found["place"]))


def _place(text: str) -> tuple[tuple[float, float], float | None]:
    """`42666N_40796N`: latitudes in thousandths; `00119W_00033N`: the south-western corner in whole degrees."""
    first, second = (int(part[:-1]) * (-1 if part[-1] in "SW" else 1) for part in text.split("_"))
    if text[5] in "EW":
        return (second, second), first
    return (min(first, second) / 1000, max(first, second) / 1000), None


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """All of them, or `most` of more: the first, the last, and as even steps between as whole numbers allow."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[-1]]
    return [items[(number * (len(items) - 1) + (most - 1) // 2) // (most - 1)] for number in range(most)]
