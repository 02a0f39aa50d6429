"""The simulated Earth behind the borders of `ingest/source.py`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import shapely

from terrashot.domain.area import Area
from terrashot.domain.cells import cells_of, centres_deg
from terrashot.domain.grid import chip_from_id
from terrashot.domain.modality import Absence, Channel, Difference, Imagery, coherence_side_px
from terrashot.errors import MissingImageryError
from terrashot.ingest.monthly import optical_channels, radar_channels, radar_differences
from terrashot.ingest.source import ImagerySource, LabelSource
from terrashot.ingest.world.absences import (
    MAX_PAIRS,
    Absences,
    Tracks,
    is_month_lost,
    make_tracks,
    number_of_pairs,
)
from terrashot.ingest.world.coherence import coherence, make_cells, possible_pairs
from terrashot.ingest.world.colours import make_scenery
from terrashot.ingest.world.land import Land, make_land, mean_shares
from terrashot.ingest.world.optical import cloud, reflectance
from terrashot.ingest.world.radar import backscatter_db, make_echoes
from terrashot.ingest.world.reference import read_reference

RIM_PX = 2
"""Of the ground around a chip: slopes and the blur of the sensor look one pixel beyond each other."""


@dataclass(frozen=True, slots=True)
class World:
    """One simulated Earth, and how often it leaves something out."""

    seed: int
    chip_px: int
    months: tuple[str, ...] = ("2020-01", "2020-02", "2020-03")
    absences: Absences = field(default_factory=Absences)
    by_area: tuple[tuple[Area, Absences], ...] = ()
    """Of areas that have rates of their own; the first that holds a chip's centre decides."""

    def land(self, chip_id: str) -> Land:
        """The ground of a chip, with a rim."""
        return _ground(chip_id, self.chip_px, self.seed)

    def rng(self, chip_id: str, what: str) -> np.random.Generator:
        """A generator of this chip and purpose alone."""
        digest = hashlib.sha256(f"{self.seed}/{chip_id}/{what}".encode()).digest()
        return np.random.default_rng(np.frombuffer(digest[:16], dtype=np.uint32))

    def absences_of(self, chip_id: str) -> Absences:
        """The rates where a chip lies."""
        if not self.by_area:
            return self.absences
        (lon_deg,), (lat_deg,) = centres_deg(cells_of([chip_from_id(chip_id)]))
        holding = (rates for area, rates in self.by_area if shapely.contains_xy(area.outline, lon_deg, lat_deg))
        return next(holding, self.absences)

    def tracks(self, modality: str, when: str = "always") -> Tracks:
        """Where a modality's swaths lie, the same for all chips."""
        return make_tracks(self.rng("tracks", modality), self.rng("tracks", f"{modality}/{when}"))

    def refuse_if_absent(self, chip_id: str, modality: str) -> Absences:
        """The rates where the chip lies; raises MissingImageryError for the chips without this modality."""
        rates = self.absences_of(chip_id)
        if self.rng(chip_id, f"{modality}/absent").random() < rates.modality:
            raise MissingImageryError(f"chip {chip_id}: {modality}: no acquisition (simulated absence)")
        return rates


@lru_cache(maxsize=1)
def _ground(chip_id: str, chip_px: int, seed: int) -> Land:
    """Kept until another chip is asked for: the sensors of a chip are read in turn and see the same ground."""
    return make_land(chip_from_id(chip_id), chip_px, seed, RIM_PX)


def year_of(month: str) -> int:
    """2020 of 2020-03."""
    return int(month[:4])


def month_of(month: str) -> int:
    """3 of 2020-03."""
    return int(month[5:])


def _months_since_2000(month: str) -> int:
    return 12 * (year_of(month) - 2000) + month_of(month)


@dataclass(frozen=True, slots=True)
class SimulatedOptical:
    """Monthly red, green, blue reflectance."""

    world: World
    modality: str = "s2rgbm"
    unit: str = "reflectance"
    differences: tuple[Difference, ...] = ()

    @property
    def side_px(self) -> int:
        return self.world.chip_px

    @property
    def max_channels(self) -> int:
        return 3 * len(self.world.months)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return optical_channels(self.world.months)

    def read(self, chip_id: str) -> Imagery:
        rates = self.world.refuse_if_absent(chip_id, self.modality)
        land, rng = self.world.land(chip_id), self.world.rng(chip_id, self.modality)
        scenery = make_scenery(land)
        kept, absent, images = [], [], []
        for month, channels in zip(
            self.world.months, np.array(self.channels, dtype=object).reshape(-1, 3), strict=True
        ):
            luck = self.world.rng(chip_id, f"{self.modality}/{month}/lost")
            if is_month_lost(land.lattice, rates.month, land.seed + 10_000 + _months_since_2000(month), luck):
                absent += [Absence(channel, "missing", "month lost to cloud") for channel in channels]
                continue
            image = reflectance(scenery, month_of(month), year_of(month), rng)
            hidden = cloud(land, month_of(month), year_of(month), rates.cloud)
            hidden |= self.world.tracks(self.modality, month).gap(land.lattice, rates.swath)
            image[:, land.lattice.inner(hidden)] = np.nan
            kept += list(channels)
            images.append(image)
        values = np.concatenate(images) if images else np.empty((0, self.side_px, self.side_px), np.float32)
        return Imagery(tuple(kept), values, tuple(int(n) for n in rng.integers(2, 7, len(kept))), tuple(absent))


@dataclass(frozen=True, slots=True)
class SimulatedRadar:
    """Monthly VV and VH in dB; VV - VH is derived."""

    world: World
    modality: str = "s1grdm"
    unit: str = "dB"

    @property
    def side_px(self) -> int:
        return self.world.chip_px

    @property
    def max_channels(self) -> int:
        return 2 * len(self.world.months)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return radar_channels(self.world.months)

    @property
    def differences(self) -> tuple[Difference, ...]:
        return radar_differences(self.world.months)

    def read(self, chip_id: str) -> Imagery:
        rates = self.world.refuse_if_absent(chip_id, self.modality)
        land, rng = self.world.land(chip_id), self.world.rng(chip_id, self.modality)
        lost = rng.choice(["vv", "vh"]) if rng.random() < rates.polarisation else None
        echoes = make_echoes(land)
        passes = [int(n) for n in rng.integers(3, 7, len(self.world.months))]
        images = []
        for month, count in zip(self.world.months, passes, strict=True):
            image = backscatter_db(echoes, month_of(month), year_of(month), count, rng)
            gap = self.world.tracks(self.modality, month).gap(land.lattice, rates.swath)
            image[:, land.lattice.inner(gap)] = np.nan
            images.append(image)
        values = np.concatenate(images)
        there = np.array([channel.kind != lost for channel in self.channels])
        kept = tuple(channel for channel, is_there in zip(self.channels, there, strict=True) if is_there)
        absent = tuple(Absence(c, "missing", "polarisation not acquired") for c in self.channels if c.kind == lost)
        counts = np.repeat(passes, 2)[there]
        return Imagery(kept, values[there], tuple(int(n) for n in counts), absent)


@dataclass(frozen=True, slots=True)
class SimulatedCoherence:
    """Coherence of a varying number of date pairs, near 90 m."""

    world: World
    pixel_m: float
    modality: str = "gunw"
    unit: str = "coherence"
    max_channels: int = MAX_PAIRS
    channels: None = None
    differences: tuple[Difference, ...] = ()

    @property
    def side_px(self) -> int:
        return coherence_side_px(self.world.chip_px * self.pixel_m)

    def read(self, chip_id: str) -> Imagery:
        rates = self.world.refuse_if_absent(chip_id, self.modality)
        rng = self.world.rng(chip_id, self.modality)
        pairs = possible_pairs()
        count = number_of_pairs(rates.pairs, rng)
        if count == 0:
            return Imagery((), np.empty((0, self.side_px, self.side_px), np.float32), (), (_NO_PAIR,))
        chosen = [pairs[index] for index in sorted(rng.choice(len(pairs), count, replace=False))]
        land = self.world.land(chip_id)
        cells = make_cells(land, self.side_px)
        values = np.stack([coherence(cells, land, pair, rng) for pair in chosen])
        gap = land.lattice.inner(self.world.tracks(self.modality).gap(land.lattice, rates.swath))
        middles_px = ((np.arange(self.side_px) + 0.5) / self.side_px * self.world.chip_px).astype(np.int64)
        values[:, gap[np.ix_(middles_px, middles_px)]] = np.nan
        named = tuple(
            Channel(f"{later:%Y%m%d}_{earlier:%Y%m%d}", "coherence", "coherence", str(earlier), str(later))
            for later, earlier in chosen
        )
        return Imagery(named, values, (2,) * count)


COVER_OF = {"vegetation": "tree", "builtup": "built", "cropland": "crop", "water": "water"}
_NO_PAIR = Absence(None, "missing", "no pair was formed")


@dataclass(frozen=True, slots=True)
class SimulatedLabels:
    """Four targets of a chip: as published maps would have them, or exact."""

    world: World
    exact: bool = False
    targets: tuple[str, ...] = ("vegetation", "builtup", "cropland", "water")

    def read(self, chip_id: str) -> Mapping[str, tuple[float, float]]:
        chip = chip_from_id(chip_id)
        if not self.exact:
            found = read_reference(chip, self.world.chip_px, self.world.seed)
            return {target: (found[target].value, found[target].valid_share) for target in self.targets}
        shares = mean_shares(make_land(chip, self.world.chip_px, self.world.seed))
        return {target: (shares[COVER_OF[target]], 1.0) for target in self.targets}


def simulated_sources(world: World, pixel_m: float) -> tuple[ImagerySource, ...]:
    """One source a modality."""
    return SimulatedOptical(world), SimulatedRadar(world), SimulatedCoherence(world, pixel_m)


_: type[LabelSource] = SimulatedLabels
