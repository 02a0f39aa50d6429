"""Which deliveries show the same pass of a satellite over a chip, so that each pass counts once.

A provider may offer one sensing several times: the same scene twice, the scene reprocessed under a newer baseline, and the
ground where tiles overlap once a tile.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, Literal, get_args

from terrashot.errors import InputError
from terrashot.ingest.months import in_utc, month_of

PASS_GAP_S: Final = 600.0
"""Deliveries of one satellite that are closer in time show one pass: it is over a chip for seconds, its next orbit follows
after 98 minutes. Not told by the orbit's number, which changes in mid-pass at the equator."""
FRAME_GAP_S: Final = 5.0
"""Scenes without a tile that start closer are one frame, processed again: frames of Sentinel-1 are 25 s long."""
UNKNOWN: Final = -1.0

Orbits = Literal["mixed", "apart", "ascending", "descending"]
"""Whether passes northward and southward are averaged together, each in channels of their own, or one of them left out."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a provider offers of one sensing, as far as it tells deliveries apart.

    Raises:
        InputError: a time without a zone.
    """

    id: str
    platform: str
    """In any spelling of capitals: `Sentinel-2B`, `sentinel-2b`."""
    sensed_at: datetime
    is_ascending: bool | None = None
    tile: str | None = None
    """Of the provider's own lattice (`32TQM`); None where scenes are cut along the track."""
    strip: str | None = None
    """Which of the tile's pieces it is: the sensing start of its datastrip. A tile may lie across two, and then each piece
    is half of it. None: unknown."""
    baseline: str | None = None
    """Of processing, `02.14` or `N0214`; None: unknown, older than any."""
    produced_at: datetime | None = None
    is_at_home: bool = False
    """Whether its tile is of the chip's own zone, so that pixels are copied and not resampled."""

    def __post_init__(self) -> None:
        for moment in (self.sensed_at, self.produced_at):
            if moment is not None:
                in_utc(moment)


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of one satellite over a chip: what is averaged, and counted once a pixel."""

    deliveries: tuple[Delivery, ...]
    """A pixel is taken from the first that has it: of the chip's own zone, newest baseline, then produced last, then by id."""

    @property
    def sensed_at(self) -> datetime:
        """When the first of its deliveries was sensed, in UTC: the pass belongs to that month and day."""
        return min(in_utc(delivery.sensed_at) for delivery in self.deliveries)

    @property
    def key(self) -> tuple[datetime, str, str]:
        """Place in the one order in which passes are added up, whatever order they were offered in."""
        return self.sensed_at, self.deliveries[0].platform.casefold(), self.deliveries[0].id


def each_once(deliveries: Iterable[Delivery]) -> tuple[Pass, ...]:
    """The passes that the deliveries show, in the order of their keys; the order of the deliveries decides nothing."""
    passes = []
    # By all that they say too, so that every later sort, which keeps what ties, has one order to keep.
    ordered = sorted(set(deliveries), key=lambda delivery: (delivery.platform.casefold(), repr(delivery)))
    for _, offered in groupby(ordered, key=lambda delivery: delivery.platform.casefold()):
        passes += [Pass(_newest(together)) for together in _runs(offered, PASS_GAP_S)]
    return tuple(sorted(passes, key=lambda found: found.key))


def by_month(passes: Iterable[Pass], months: Sequence[str]) -> dict[str, tuple[Pass, ...]]:
    """The passes of each month, in the order of their keys; a month without one has none, one of no month is left out."""
    found: dict[str, list[Pass]] = {month: [] for month in months}
    for passage in sorted(passes, key=lambda passage: passage.key):
        month = month_of(passage.sensed_at)
        if month in found:
            found[month].append(passage)
    return {month: tuple(own) for month, own in found.items()}


def by_direction(deliveries: Iterable[Delivery], orbits: Orbits) -> dict[str, tuple[Delivery, ...]]:
    """Deliveries by the beginning of their channels' kinds: `""` for one set, or `asc_` and `des_` where kept apart.

    Raises:
        InputError: which way a delivery was sensed matters and is unknown.
    """
    offered = tuple(deliveries)
    if orbits == "mixed":
        return {"": offered}
    unknown = [delivery.id for delivery in offered if delivery.is_ascending is None]
    if unknown:
        raise InputError(f"{unknown[0]}: ascending or descending is unknown; set orbits to mixed")
    rising = tuple(delivery for delivery in offered if delivery.is_ascending)
    falling = tuple(delivery for delivery in offered if not delivery.is_ascending)
    if orbits == "apart":
        return {ASCENDING: rising, DESCENDING: falling}
    return {"": rising if orbits == "ascending" else falling}


ASCENDING, DESCENDING = "asc_", "des_"
ORBITS: tuple[Orbits, ...] = get_args(Orbits)


def _runs(offered: Iterable[Delivery], gap_s: float) -> list[list[Delivery]]:
    """Deliveries in the order of time, cut wherever the next is later by more than the gap."""
    runs: list[list[Delivery]] = []
    for delivery in sorted(offered, key=lambda delivery: (in_utc(delivery.sensed_at), delivery.id)):
        is_near = runs and (delivery.sensed_at - runs[-1][-1].sensed_at).total_seconds() <= gap_s
        if is_near:
            runs[-1].append(delivery)
        else:
            runs.append([delivery])
    return runs


def _newest(offered: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """Of a pass, the deliveries that no newer one replaces."""
    tiled = [delivery for delivery in offered if delivery.tile is not None]
    frames = _runs((delivery for delivery in offered if delivery.tile is None), FRAME_GAP_S)
    kept = [min(frame, key=_precedence) for frame in frames]
    for _, same in _grouped(tiled, lambda delivery: (delivery.tile or "", delivery.strip or "")):
        first = min(same, key=_precedence)
        # Without its strip, two of one baseline may be two halves of the tile: both stay, and pixels are taken once.
        kept += [d for d in same if d == first or (d.strip is None and _baseline(d) == _baseline(first))]
    return tuple(sorted(kept, key=_precedence))


def _grouped(
    offered: Iterable[Delivery], key: Callable[[Delivery], tuple[str, str]]
) -> list[tuple[tuple[str, str], list[Delivery]]]:
    return [(own, list(same)) for own, same in groupby(sorted(offered, key=key), key=key)]


def _precedence(delivery: Delivery) -> tuple[bool, int, float, str]:
    """Sorts those of the chip's own zone first, and of them the newest."""
    produced = UNKNOWN if delivery.produced_at is None else delivery.produced_at.timestamp()
    return not delivery.is_at_home, -_baseline(delivery), -produced, delivery.id


def _baseline(delivery: Delivery) -> int:
    """214 of `02.14` and of `N0214`; -1 where unknown."""
    digits = "".join(re.findall(r"[0-9]+", delivery.baseline or ""))
    return int(digits) if digits else -1
