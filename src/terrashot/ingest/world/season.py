"""What a month brings: the height of the sun, leaves, and what stands in the fields.

P pixels.
"""

from dataclasses import dataclass
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32
from numba import njit

from terrashot.ingest.world.covers import CROP, TREE
from terrashot.ingest.world.land import Land
from terrashot.ingest.world.noise import drawn

OVERPASS_HOUR_ANGLE: Final = np.radians(-22.5)
"""Half past ten in the morning."""
TROPICS_DEG: Final = 18.0
PEAK, WIDTH, VIGOUR, DRY_MONTHS, PADDY, GREENNESS, WARMTH, EVERGREEN = range(8)
"""Columns of `Plants.lasting`."""


@dataclass(frozen=True, slots=True)
class Sun:
    """Where it stands as the optical sensor passes."""

    zenith_rad: float
    azimuth_rad: float
    """Clockwise from north."""

    @property
    def towards(self) -> tuple[float, float]:
        """Shadow per metre of height, cast from the east and from the north."""
        length = np.tan(self.zenith_rad)
        return float(length * np.sin(self.azimuth_rad)), float(length * np.cos(self.azimuth_rad))


@dataclass(frozen=True, slots=True, eq=False)
class Plants:
    """What grows on a chip, the same every year."""

    land: Land
    lasting: Float32[np.ndarray, "P 8"]
    """Months from midwinter to the peak of the parcel's crop; months from there until it is ripe; how dense it grows, 0 where
    it failed; months that its residue lies; 1 for a paddy; how green grass is in middling weather; degrees above what the
    latitude gives; share of trees that keep their leaves."""


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """The state of a chip's plants in one month, each a share of the pixel but the last two."""

    leaves: Float32[np.ndarray, " P"]
    """Trees in leaf."""
    growth: Float32[np.ndarray, " P"]
    """Field under green crop."""
    stubble: Float32[np.ndarray, " P"]
    """Field under dry residue."""
    flooded: Float32[np.ndarray, " P"]
    """Field under water for a while: paddies."""
    green: Float32[np.ndarray, " P"]
    """How much of the grass is green, 0 to 1."""
    frost: Float32[np.ndarray, " P"]
    """0 where the ground is open, 1 where it is frozen all month."""


def sun(lat_deg: float, month: int) -> Sun:
    """Its place in the middle of a month, 1 to 12.

    Source: Cooper 1969 (declination); Iqbal 1983, An introduction to solar radiation, eq. 1.5.1 and 1.5.2.
    """
    lat, tilt = np.radians(lat_deg), np.radians(23.45) * np.sin(2 * np.pi * (284 + 30.4 * (month - 0.5)) / 365)
    up = np.sin(lat) * np.sin(tilt) + np.cos(lat) * np.cos(tilt) * np.cos(OVERPASS_HOUR_ANGLE)
    east = -np.cos(tilt) * np.sin(OVERPASS_HOUR_ANGLE)
    north = np.cos(lat) * np.sin(tilt) - np.sin(lat) * np.cos(tilt) * np.cos(OVERPASS_HOUR_ANGLE)
    # Beyond the polar circle the sun of a winter month stays down; twilight lights as from 80 degrees.
    return Sun(float(min(np.arccos(np.clip(up, -1, 1)), np.radians(80))), float(np.arctan2(east, north)))


def make_plants(land: Land) -> Plants:
    """The calendar of every parcel of a chip."""
    lattice, seed, key = land.lattice, land.seed, land.parcels.key
    moisture = land.country.moisture
    peak, width = _calendar(land)
    vigour = np.where(drawn(key, 72) > 0.12, 0.75 + 0.4 * drawn(key, 73), 0)
    is_paddy = (drawn(land.parcels.district, 75) < 0.14) & (moisture > -0.1)
    patchy = 0.22 * lattice.smooth(seed + 805, 450.0, 2) + 0.9 * (drawn(key, 71) - 0.5)
    warmth = 2.5 * lattice.slow(seed + 801, 300_000.0) - 0.0065 * land.relief.height_m
    lasting = np.empty((len(key), 8), np.float32)
    lasting[:, PEAK], lasting[:, WIDTH], lasting[:, VIGOUR] = peak, width, vigour
    lasting[:, DRY_MONTHS], lasting[:, PADDY] = 0.5 + 3.5 * drawn(key, 74), is_paddy
    lasting[:, GREENNESS], lasting[:, WARMTH] = 0.6 + 0.35 * moisture + patchy, warmth
    lasting[:, EVERGREEN] = land.country.evergreen
    return Plants(land, lasting)


def make_season(plants: Plants, month: int) -> Season:
    """The plants of a chip in a month, 1 to 12."""
    land = plants.land
    weather = land.lattice.slow(land.seed + 810 + month, 250_000.0)
    return Season(*_grow(land.lattice.lat_deg, land.shares, plants.lasting, weather, month))


def _calendar(land: Land) -> tuple[np.ndarray, np.ndarray]:
    """Months from midwinter to the peak of each parcel's crop, and months over which it is green."""
    key = land.parcels.key
    kind = drawn(key, 76) + 0.22 * land.lattice.slow(land.seed + 820, 300_000.0)
    shift = 1.6 * (drawn(key, 77) - 0.5) + 0.8 * land.lattice.slow(land.seed + 821, 350_000.0)
    is_winter_crop = kind < 0.5
    peak = np.where(is_winter_crop, np.float32(4.2), np.float32(6.9))
    width = np.where(is_winter_crop, np.float32(4.2), np.float32(2.8))
    # Without winters each parcel has a calendar of its own; the tropics end parcel by parcel, not at a line.
    is_tropical = np.abs(land.lattice.lat_deg) < TROPICS_DEG + 6 * (drawn(key, 79) - 0.5)
    return np.where(is_tropical, 12 * drawn(key, 78), peak) + shift, np.where(is_tropical, 3.0, width)


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _grow(lat: np.ndarray, shares: np.ndarray, lasting: np.ndarray, weather: np.ndarray, month: int) -> np.ndarray:
    """Planes of `Season`, in its order."""
    planes = np.empty((6, len(lat)), np.float32)
    winter = np.cos(np.pi * (month - 1) / 6)
    for p in range(len(lat)):
        far, is_north = abs(lat[p]), lat[p] >= 0
        # Mean of a month: falls with latitude, swings more away from the equator.
        warmth = 27 - 0.42 * max(far - 10, 0) - 0.26 * far * (winter if is_north else -winter) + lasting[p, WARMTH]
        kept = lasting[p, EVERGREEN]
        planes[0, p] = shares[TREE, p] * (kept + (1 - kept) * min(max((warmth - 4) / 9, 0), 1))
        since_midwinter = month - 1 if is_north else (month + 5) % 12
        planes[1, p], planes[2, p], planes[3, p] = _field(shares[CROP, p], lasting, p, since_midwinter)
        wet = min(max(lasting[p, GREENNESS] + 0.4 * weather[p], 0), 1)
        planes[4, p] = wet * min(max((warmth + 2) / 10, 0.15), 1)
        planes[5, p] = min(max((-2 - warmth) / 4, 0), 1)
    return planes


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
@no_type_check
def _field(crop: float, lasting: np.ndarray, p: int, since_midwinter: int) -> tuple[float, float, float]:
    """Green crop, dry residue and water on a field, by the parcel's own calendar."""
    width = lasting[p, WIDTH]
    late = since_midwinter - lasting[p, PEAK]
    late -= 12 * np.floor((late + 6) / 12)
    green = min(max(1.25 - abs(late) / width, 0), 1)
    if width > 4 and -7.5 < late < 0:
        # Sown before winter.
        green = max(green, 0.22)
    growth = crop * min(green * lasting[p, VIGOUR], 0.97)
    is_flooded = lasting[p, PADDY] > 0 and -0.6 * width - 1.6 < late < -0.6 * width
    flooded = 0.85 * (crop - growth) if is_flooded else 0.0
    is_dry = width < late < width + lasting[p, DRY_MONTHS]
    stubble = 0.75 * max(crop - max(growth, flooded), 0) if is_dry else 0.0
    return growth, stubble, flooded
