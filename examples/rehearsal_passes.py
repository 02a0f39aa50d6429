"""Which satellites passed over the rehearsal's area, and what hid the ground: a table, made up (simulated).

Places are told in shares of the area's box: u eastward, v northward, from 0 to 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import numpy as np
import shapely
from rehearsal_ground import EAST_EPSG, WEST_EPSG, Bounds

TILES = {WEST_EPSG: "31TGK", EAST_EPSG: "32TKQ"}
"""Squares of the military grid on both sides of 6 degrees east at 44.6 degrees north."""
FIRST_OPTICAL, LAST = date(2020, 1, 3), date(2020, 3, 31)
OPTICAL_DAYS, RADAR_DAYS = 5, 12
DOUBLED, CLOUDED, SWATH_EDGE = date(2020, 1, 8), date(2020, 1, 13), date(2020, 3, 18)
NEVER_SEEN = "2020-02"
"""The month whose passes are all clouded over the same corner."""
OLD_BASELINE, NEW_BASELINE = "02.14", "05.00"
REPROCESSED = datetime(2023, 5, 4, 8, 21, 7, tzinfo=UTC)
IN_TWO_FRAMES, ONE_POLARISATION = date(2020, 2, 16), date(2020, 3, 5)
FRAME_S = 25
Direction = Literal["ascending", "descending"]


@dataclass(frozen=True, slots=True)
class Cloud:
    """A round cloud."""

    u: float
    v: float
    radius: float


@dataclass(frozen=True, slots=True)
class Side:
    """The side that was sensed of a straight edge: east u + north v <= most."""

    east: float
    north: float
    most: float

    def holds(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Which places were sensed."""
        return self.east * u + self.north * v <= self.most

    def outline(self, box: Bounds) -> shapely.Polygon:
        """In degrees, far beyond the area's box on the side that was sensed."""
        normal = np.array([self.east, self.north]) / np.hypot(self.east, self.north)
        foot = normal * self.most / np.hypot(self.east, self.north)
        along = np.array([-normal[1], normal[0]])
        corners = [foot - 9 * along, foot + 9 * along, foot + 9 * along - 9 * normal, foot - 9 * along - 9 * normal]
        west, south, east, north = box
        return shapely.Polygon([(west + u * (east - west), south + v * (north - south)) for u, v in corners])


@dataclass(frozen=True, slots=True)
class OpticalPass:
    """One pass of Sentinel-2, as one delivery shows it."""

    day: date
    platform: str
    clouds: tuple[Cloud, ...]
    sensed: Side | None = None
    baseline: str = OLD_BASELINE
    orbit: int = 108

    @property
    def taken(self) -> datetime:
        """When the datatake began."""
        return datetime(self.day.year, self.day.month, self.day.day, 10, 34, 1, tzinfo=UTC)

    @property
    def made(self) -> datetime:
        """When the delivery was produced."""
        return REPROCESSED if self.baseline == NEW_BASELINE else self.taken + timedelta(hours=3, minutes=7)

    @property
    def absolute_orbit(self) -> int:
        return 23_600 + 143 * (self.day - FIRST_OPTICAL).days // 10


@dataclass(frozen=True, slots=True)
class RadarFrame:
    """One frame of Sentinel-1."""

    starts: datetime
    direction: Direction
    epsg: int
    """Of the raster it is delivered on."""
    kinds: tuple[str, ...] = ("vv", "vh")
    sensed: Side | None = None

    @property
    def relative_orbit(self) -> int:
        return 88 if self.direction == "ascending" else 139

    @property
    def absolute_orbit(self) -> int:
        """Of Sentinel-1A, whose relative orbit is one more than the rest of this less 73 by 175."""
        return 72 + self.relative_orbit + 175 * (175 + (self.starts.date() - date(2020, 1, 5)).days // RADAR_DAYS)

    @property
    def ends(self) -> datetime:
        return self.starts + timedelta(seconds=FRAME_S)

    @property
    def polarisations(self) -> str:
        return "DV" if "vh" in self.kinds else "SV"

    @property
    def name(self) -> str:
        """Of the product, without its last four digits."""
        times = f"{self.starts:%Y%m%dT%H%M%S}_{self.ends:%Y%m%dT%H%M%S}"
        datatake = f"{self.absolute_orbit:06d}_{0x30000 + self.absolute_orbit:06X}"
        return f"S1A_IW_GRDH_1S{self.polarisations}_{times}_{datatake}"

    @property
    def path(self) -> str:
        """Where its files lie, as in Planetary Computer's container, which has no zeros before numbers."""
        day = f"{self.starts.year}/{self.starts.month}/{self.starts.day}"
        return f"/sentinel1-grd-rtc/GRD/{day}/IW/{self.polarisations}/{self.name}_51E0"


def optical_passes(seed: int) -> Iterator[OpticalPass]:
    """A pass every five days, the two satellites in turn; one of them delivered twice."""
    corner = Cloud(0.1, 0.1, 0.42)
    for number in range((LAST - FIRST_OPTICAL).days // OPTICAL_DAYS + 1):
        day = FIRST_OPTICAL + timedelta(days=OPTICAL_DAYS * number)
        clouds = (Cloud(0.5, 0.5, 9.0),) if day == CLOUDED else _clouds(seed, number)
        lasting = (corner,) if f"{day:%Y-%m}" == NEVER_SEEN else ()
        sensed = Side(1.0, -0.15, 0.7) if day == SWATH_EDGE else None
        platform = "S2A" if number % 2 == 0 else "S2B"
        yield OpticalPass(day, platform, lasting + clouds, sensed)
        if day == DOUBLED:
            yield OpticalPass(day, platform, lasting + clouds, sensed, NEW_BASELINE)


def _clouds(seed: int, number: int) -> tuple[Cloud, ...]:
    rng = np.random.default_rng([seed, number])
    drawn = rng.uniform((-0.1, -0.1, 0.06), (1.1, 1.1, 0.2), (int(rng.integers(0, 4)), 3))
    return tuple(Cloud(*map(float, row)) for row in drawn)


def radar_frames() -> Iterator[RadarFrame]:
    """Northward passes on the eastern zone's lattice, southward ones on the western one's, every twelve days each."""
    north_half, south_half = Side(0.0, -1.0, -0.5), Side(0.0, 1.0, 0.5)
    for starts in _every_twelve_days(datetime(2020, 1, 5, 17, 39, 1, tzinfo=UTC)):
        kinds = ("vv",) if starts.date() == ONE_POLARISATION else ("vv", "vh")
        yield RadarFrame(starts, "ascending", EAST_EPSG, kinds)
    for starts in _every_twelve_days(datetime(2020, 1, 11, 5, 43, 36, tzinfo=UTC)):
        if starts.date() == IN_TWO_FRAMES:
            yield RadarFrame(starts, "descending", WEST_EPSG, sensed=north_half)
            yield RadarFrame(starts + timedelta(seconds=FRAME_S), "descending", WEST_EPSG, sensed=south_half)
        else:
            yield RadarFrame(starts, "descending", WEST_EPSG)


def _every_twelve_days(first: datetime) -> Iterator[datetime]:
    for number in range((LAST - first.date()).days // RADAR_DAYS + 1):
        yield first + timedelta(days=RADAR_DAYS * number)
