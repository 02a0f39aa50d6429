"""Monthly optical and radar composites that Earth Engine computes, as sources of imagery.

A chip costs one question for what lies over it (two with cloud scores), and one for the pixels of each month that has any.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from jaxtyping import Float32

from terrashot.domain.grid import Chip, chip_from_id
from terrashot.domain.modality import Channel, Difference, Imagery
from terrashot.errors import InputError, one_line
from terrashot.ingest.composite import Composite, failed_composite
from terrashot.ingest.decibels import to_db
from terrashot.ingest.each_once import PASS_GAP_S, Delivery, Pass
from terrashot.ingest.earthengine.expression import beside
from terrashot.ingest.earthengine.optical import REFLECTANCE, Mask, list_optical, list_scored, optical_layer
from terrashot.ingest.earthengine.radar import KINDS, UNIT, list_radar, radar_layers
from terrashot.ingest.earthengine.stack import Layer, Stacked, nothing_stacked, unpacked
from terrashot.ingest.earthengine.window import compute_bands
from terrashot.ingest.look_ahead import LookAhead
from terrashot.ingest.monthly import imagery_of, optical_channels, radar_channels, radar_differences
from terrashot.ingest.months import window_utc
from terrashot.ingest.scene_source import OPTICAL, RADAR, Recipe
from terrashot.ingest.source import ImagerySource
from terrashot.raster.onto_chip import chip_place
from terrashot.remote.earth_engine import Engine


@dataclass(frozen=True, slots=True)
class EarthEngineOptical:
    """Sentinel-2: a mean or median of each month's clear reflectance."""

    engine: Engine
    recipe: Recipe
    side_px: int
    mask: Mask = "scl"
    max_cloud_percent: float = 100.0
    readers: int = field(default=1, compare=False)
    """Months that are asked for at once, which changes no result."""

    @property
    def modality(self) -> str:
        return OPTICAL

    @property
    def unit(self) -> str | None:
        return "reflectance"

    @property
    def channels(self) -> tuple[Channel, ...] | None:
        return self._channels

    @property
    def _channels(self) -> tuple[Channel, ...]:
        return optical_channels(self.recipe.months, self.recipe.kinds)

    @property
    def max_channels(self) -> int:
        return len(self._channels)

    @property
    def differences(self) -> tuple[Difference, ...]:
        return ()

    def read(self, chip_id: str) -> Imagery:
        """Reflectance of each month; NaN where no clear pass shows the ground; why a channel is absent.

        Raises:
            InputError: the id is not of our grid, or the service does not tell what lies over it.
            NetworkError: no answer within the limits: nothing is known of the chip, and it is asked for again.
        """
        chip = chip_from_id(chip_id)
        start, end = _window(self.recipe.months)
        months = self.recipe.passes(list_optical(self.engine, chip, start, end, self.max_cloud_percent))
        scored = list_scored(self.engine, chip, start, end) if self.mask == "cloud_score" else frozenset()
        layers = [(optical_layer(self.recipe.kinds, own, self.mask, scored),) for own in months]
        composites = _composites(self, chip, layers)
        return imagery_of(_values(composites) * np.float32(REFLECTANCE), composites, self._channels)


@dataclass(frozen=True, slots=True)
class EarthEngineRadar:
    """Sentinel-1: a mean of each month's power, told in dB of sigma0."""

    engine: Engine
    recipe: Recipe
    side_px: int
    readers: int = field(default=1, compare=False)

    @property
    def modality(self) -> str:
        return RADAR

    @property
    def unit(self) -> str | None:
        return UNIT

    @property
    def channels(self) -> tuple[Channel, ...] | None:
        return self._channels

    @property
    def _channels(self) -> tuple[Channel, ...]:
        return radar_channels(self.recipe.months, self.recipe.sets, KINDS, UNIT)

    @property
    def max_channels(self) -> int:
        return len(self._channels)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """VV - VH."""
        return radar_differences(self.recipe.months, self.recipe.sets, UNIT)

    def read(self, chip_id: str) -> Imagery:
        """Decibels of sigma0 of each month; NaN where no pass shows the ground; why a channel is absent. Errors as of
        `EarthEngineOptical`."""
        chip = chip_from_id(chip_id)
        deliveries: Sequence[Delivery] = list_radar(self.engine, chip, *_window(self.recipe.months))
        passes: list[tuple[Pass, ...]] = self.recipe.passes(deliveries)
        composites = _composites(self, chip, [radar_layers(own) for own in passes])
        # Averaged in power, and only then told in dB.
        return imagery_of(to_db(_values(composites)), composites, self._channels)


def _window(months: Sequence[str]) -> tuple[datetime, datetime]:
    """All of the months, and what of a pass lies just before or after: it belongs where its first piece does."""
    gap = timedelta(seconds=PASS_GAP_S)
    return window_utc(months[0])[0] - gap, window_utc(months[-1])[1] + gap


def _composites(
    source: EarthEngineOptical | EarthEngineRadar, chip: Chip, months: Sequence[tuple[Layer, ...]]
) -> list[Composite]:
    """One of each month; several of them are asked for at once."""
    with LookAhead(lambda month: _composite(source, chip, months[month]), range(len(months)), source.readers) as made:
        return [made(month) for month in range(len(months))]


def _values(composites: Sequence[Composite]) -> Float32[np.ndarray, "N H W"]:
    return np.concatenate([made.values for made in composites])


def _composite(source: EarthEngineOptical | EarthEngineRadar, chip: Chip, layers: tuple[Layer, ...]) -> Composite:
    """The month that the layers make, in the service's numbers; what it cannot compute fails as a whole, and tells why."""
    try:
        stacked = _computed(source, chip, layers)
    except InputError as error:
        n_channels = sum(len(layer.bands) for layer in layers)
        return failed_composite(np.empty((n_channels, source.side_px, source.side_px), np.float32), one_line(error))
    n_bands = [len(layer.bands) for layer in layers]
    counts = np.concatenate([np.repeat(one.counts[None], n, axis=0) for one, n in zip(stacked, n_bands, strict=True)])
    tallies = [one.tally for one, n in zip(stacked, n_bands, strict=True) for _ in range(n)]
    return Composite(np.concatenate([one.values for one in stacked]), counts, tuple(tallies))


def _computed(source: EarthEngineOptical | EarthEngineRadar, chip: Chip, layers: tuple[Layer, ...]) -> list[Stacked]:
    there = [layer for layer in layers if layer.passes]
    if not there:
        return [nothing_stacked(layer, source.side_px) for layer in layers]
    image, *others = (layer.image_of(source.recipe.statistic) for layer in there)
    for other in others:
        image = beside(image, other)
    bands = [band for layer in there for band in layer.all_bands]
    found = compute_bands(source.engine, image, bands, chip_place(chip, source.side_px))
    return [unpacked(layer, found) if layer.passes else nothing_stacked(layer, source.side_px) for layer in layers]


_: tuple[type[ImagerySource], ...] = (EarthEngineOptical, EarthEngineRadar)
