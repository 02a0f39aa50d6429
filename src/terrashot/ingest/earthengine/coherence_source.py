"""Seasonal coherence of Earth Engine as a source of imagery: medians over a season of pairs so many days apart.

Fetched on the data set's own pixels of 3 arc seconds, and brought onto the chip once, as any other coherence is. Source: Kellndorfer
et al. 2022 (Sci Data 9, 73); google/earthengine-catalog, `Earth_Big_Data_GLOBAL_SEASONAL_S1_V2019_COHERENCE`, whose scale is applied
already.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from jaxtyping import Float32

from terrashot.domain.coherence_season import FIRST_DAY, LAST_DAY, Season
from terrashot.domain.grid import chip_from_id
from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.errors import InputError
from terrashot.ingest.earthengine.expression import Call, call, filled, select
from terrashot.ingest.earthengine.ground import collection, list_images, over
from terrashot.ingest.earthengine.window import Band, compute_bands
from terrashot.ingest.source import ImagerySource
from terrashot.raster.onto_chip import chip_place, onto
from terrashot.raster.place import RasterPlace
from terrashot.raster.window_needed import part_of, window_needed
from terrashot.remote.earth_engine import Engine

COHERENCE: Final = "Earth_Big_Data/GLOBAL_SEASONAL_S1/V2019/COHERENCE"
PIXELS_A_DEGREE: Final = 1_200
NORTH_DEG, SOUTH_DEG = 82, -79
AROUND_DEG: Final = 10
"""Of longitude on both sides of a chip; a chip of 40 km at 82 degrees north is 3 wide."""
GLOBE_PX: Final = 360 * PIXELS_A_DEGREE
MOST: Final = 1.001
"""Coherence is 0 to 1; beyond it the band is something else."""


@dataclass(frozen=True, slots=True)
class EarthEngineCoherence:
    """A channel a season and distance in days, near 90 m."""

    engine: Engine
    seasons: tuple[Season, ...]
    days: tuple[int, ...]
    side_px: int
    polarisation: Literal["vv", "hh"] = "vv"

    @property
    def modality(self) -> str:
        return "gunw"

    @property
    def unit(self) -> str | None:
        return "coherence"

    @property
    def channels(self) -> tuple[Channel, ...] | None:
        return self._channels

    @property
    def _channels(self) -> tuple[Channel, ...]:
        return tuple(
            Channel(self._band(season, days), "coherence", "coherence", FIRST_DAY[season], LAST_DAY[season])
            for season in self.seasons
            for days in self.days
        )

    @property
    def max_channels(self) -> int:
        return len(self._channels)

    @property
    def differences(self) -> tuple[Difference, ...]:
        return ()

    def read(self, chip_id: str) -> Imagery:
        """Coherence, 0 to 1; NaN where no pair was formed.

        Raises:
            InputError: the id is not of our grid, the service cannot compute it, or a value is no coherence.
            NetworkError: no answer within the limits.
        """
        chip = chip_from_id(chip_id)
        tiles = over(collection(COHERENCE), chip)
        if not list_images(self.engine, tiles, ("system:index",)):
            return self._imagery(np.full((self.max_channels, self.side_px, self.side_px), np.nan, np.float32))
        names = [channel.name for channel in self._channels]
        asked = filled(call("Image.toFloat", value=select(_mosaic(tiles), *names)))
        place = chip_place(chip, self.side_px)
        whole, windows = _windows(place)
        values = np.concatenate([self._values(asked, names, window) for window in windows], axis=2)
        return self._imagery(onto(values, whole, place))

    def _imagery(self, planes: Float32[np.ndarray, "C H W"]) -> Imagery:
        """The channels that have a value; the others absent."""
        there = ~np.isnan(planes).all(axis=(1, 2))
        absences = [_absence(c) for c, is_there in zip(self._channels, there, strict=True) if not is_there]
        kept = tuple(c for c, is_there in zip(self._channels, there, strict=True) if is_there)
        return Imagery(kept, planes[there], (), tuple(absences))

    def _values(self, asked: Call, names: Sequence[str], source: RasterPlace) -> Float32[np.ndarray, "C h w"]:
        found = compute_bands(self.engine, asked, [Band(name, "float32") for name in names], source)
        values = np.array([found[name] for name in names], np.float32)
        if values.max(initial=0) > MOST:
            raise InputError(f"{self.engine.name}: {COHERENCE}: {values.max():g}; coherence is 0 to 1")
        # 0 is no data, there as here: no two real radar images are alike in nothing.
        return np.where(values > 0, np.minimum(values, 1), np.float32(np.nan))

    def _band(self, season: Season, days: int) -> str:
        return f"{season}_{self.polarisation}_COH{days:02d}"


def _mosaic(images: Call) -> Call:
    """Tiles of one lattice, side by side."""
    return call("ImageCollection.mosaic", collection=images)


def _absence(channel: Channel) -> Absence:
    return Absence(channel, "missing", "no pair was formed")


def _windows(place: RasterPlace) -> tuple[RasterPlace, list[RasterPlace]]:
    """The data set's pixels that the chip needs, in one piece; and as the service counts longitudes: in two pieces across the
    antimeridian.

    Raises:
        InputError: the chip lies beyond the data set's latitudes.
    """
    lattice = _lattice_around(place)
    needed = window_needed(lattice, place)
    if needed is None:
        raise InputError(f"{COHERENCE}: ends at {NORTH_DEG} N and {-SOUTH_DEG} S, before the chip")
    rows, cols = needed
    first = round((lattice.affine[2] + 180) * PIXELS_A_DEGREE)
    pieces = []
    for turn in (-1, 0, 1):
        low, high = turn * GLOBE_PX - first, (turn + 1) * GLOBE_PX - first
        own = slice(max(cols.start, low), min(cols.stop, high))
        if own.start < own.stop:
            pieces.append(_moved(part_of(lattice, rows, own), -360.0 * turn))
    return part_of(lattice, rows, cols), pieces


def _lattice_around(place: RasterPlace) -> RasterPlace:
    """The data set's pixels in whole degrees on both sides of the chip, however far east or west that leads."""
    lon_deg, _ = place.outline_deg()
    west = int(np.floor(lon_deg[0])) - AROUND_DEG
    step = 1 / PIXELS_A_DEGREE
    height_px = (NORTH_DEG - SOUTH_DEG) * PIXELS_A_DEGREE
    return RasterPlace(
        "EPSG:4326", (step, 0.0, west, 0.0, -step, NORTH_DEG), 2 * AROUND_DEG * PIXELS_A_DEGREE, height_px
    )


def _moved(place: RasterPlace, by_deg: float) -> RasterPlace:
    a, b, c, d, e, f = place.affine
    return replace(place, affine=(a, b, c + by_deg, d, e, f))


_: type[ImagerySource] = EarthEngineCoherence
