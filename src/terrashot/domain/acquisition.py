"""One sensing of one place as a catalogue tells of it: when, by whom, where, and in which files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shapely.geometry import MultiPolygon, Polygon

OrbitDirection = Literal["ascending", "descending"]
Transform = tuple[float, float, float, float, float, float]
"""x = a col + b row + c and y = d col + e row + f at a pixel's upper left corner; in this order."""


@dataclass(frozen=True, slots=True)
class Band:
    """What is said of one band of a file. None: nobody said."""

    index: int
    """Counts from 1, as GDAL does."""
    name: str | None = None
    common_name: str | None = None
    """`red`, `nir`, `swir16`."""
    nodata: float | None = None
    dtype: str | None = None
    scale: float | None = None
    offset: float | None = None
    """Value = scale x number in the file + offset, as the item says; whether that is true is not decided here."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of an acquisition. None: nobody said."""

    href: str
    media_type: str | None = None
    alternates: tuple[tuple[str, str], ...] = ()
    """Name and address of other ways to the same bytes (`https` where `href` is `s3://...`)."""
    gsd_m: float | None = None
    crs: str | None = None
    """`EPSG:32629`."""
    transform: Transform | None = None
    shape: tuple[int, int] | None = None
    """Rows, columns."""
    bands: tuple[Band, ...] = ()
    """Empty where nothing is said of any band."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What one item of a catalogue says. None: it does not say; nothing is guessed."""

    id: str
    collection: str | None
    identity: str
    """The same for every delivery of one sensing: reprocessed, copied, or cut in two at the end of a data strip."""
    sensed: datetime
    """In UTC."""
    footprint: Polygon | MultiPolygon
    """Longitude and latitude in degrees, valid, in two pieces across the antimeridian."""
    assets: Mapping[str, Asset]
    platform: str | None = None
    """In small letters: `sentinel-2a`."""
    instrument_mode: str | None = None
    """Of radar: `IW`."""
    orbit_direction: OrbitDirection | None = None
    relative_orbit: int | None = None
    tile: str | None = None
    """Square of the military grid, zone in two digits: `06VVN`."""
    baseline: str | None = None
    """Of processing: `05.09`."""
    offset_applied: bool | None = None
    """Whether the catalogue says that it has added the offset of 1000 to the pixels already."""
    cloud_percent: float | None = None
    made: datetime | None = None
    """When this delivery was processed, in UTC."""
