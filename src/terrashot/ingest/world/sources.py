"""The simulated Earth behind the borders of `ingest/source.py`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from terrashot.domain.grid import chip_from_id
from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.errors import MissingImageryError
from terrashot.ingest.source import ImagerySource, LabelSource
from terrashot.ingest.world import sensors
from terrashot.ingest.world.land import Land, fractions, make_land

COHERENCE_CELL_M = 90.0
MAX_PAIRS = 40


@dataclass(frozen=True, slots=True)
class World:
    """One simulated Earth, and how often it leaves something out."""

    seed: int
    chip_px: int
    months: tuple[str, ...] = ("2020-01", "2020-02", "2020-03")
    without_modality: float = 0.03
    without_month: float = 0.08
    without_polarisation: float = 0.05
    cloud_share: float = 0.15

    def land(self, chip_id: str) -> Land:
        """The ground of a chip."""
        return make_land(chip_from_id(chip_id), self.chip_px, self.seed)

    def rng(self, chip_id: str, what: str) -> np.random.Generator:
        """A generator of this chip and purpose alone."""
        digest = hashlib.sha256(f"{self.seed}/{chip_id}/{what}".encode()).digest()
        return np.random.default_rng(np.frombuffer(digest[:16], dtype=np.uint32))

    def refuse_if_absent(self, chip_id: str, modality: str) -> None:
        """Raises MissingImageryError for the chips without this modality."""
        if self.rng(chip_id, f"{modality}/absent").random() < self.without_modality:
            raise MissingImageryError(f"chip {chip_id}: {modality}: no acquisition (simulated absence)")


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
        return tuple(
            Channel(f"{month}_{band}", band, "reflectance", f"{month}-01")
            for month in self.world.months
            for band in sensors.RGB
        )

    def read(self, chip_id: str) -> Imagery:
        self.world.refuse_if_absent(chip_id, self.modality)
        land, rng = self.world.land(chip_id), self.world.rng(chip_id, self.modality)
        surface = sensors.make_surface(land, self.world.seed)
        kept, absent, images = [], [], []
        for month, channels in enumerate(np.array(self.channels, dtype=object).reshape(-1, 3)):
            image = sensors.reflectance(surface, month, rng)
            if rng.random() < self.world.without_month:
                absent += [Absence(channel, "missing", "month lost to cloud") for channel in channels]
                continue
            image[:, sensors.cloud(land, month, self.world.cloud_share, self.world.seed)] = np.nan
            kept += list(channels)
            images.append(image)
        values = np.concatenate(images) if images else np.empty((0, land.side_px, land.side_px), np.float32)
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
        return tuple(
            Channel(f"{month}_{band}", band, "dB", f"{month}-01")
            for month in self.world.months
            for band in ("vv", "vh")
        )

    @property
    def differences(self) -> tuple[Difference, ...]:
        return tuple(
            Difference(Channel(f"{month}_vv-vh", "vv-vh", "dB", f"{month}-01"), f"{month}_vv", f"{month}_vh")
            for month in self.world.months
        )

    def read(self, chip_id: str) -> Imagery:
        self.world.refuse_if_absent(chip_id, self.modality)
        land, rng = self.world.land(chip_id), self.world.rng(chip_id, self.modality)
        lost = rng.choice(["vv", "vh"]) if rng.random() < self.world.without_polarisation else None
        surface = sensors.make_surface(land, self.world.seed)
        values = np.concatenate([sensors.backscatter_db(surface, m, rng) for m in range(len(self.world.months))])
        there = np.array([channel.kind != lost for channel in self.channels])
        kept = tuple(channel for channel, is_there in zip(self.channels, there, strict=True) if is_there)
        absent = tuple(Absence(c, "missing", "polarisation not acquired") for c in self.channels if c.kind == lost)
        return Imagery(kept, values[there], (5,) * len(kept), absent)


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
        return max(1, round(self.world.chip_px * self.pixel_m / COHERENCE_CELL_M))

    def read(self, chip_id: str) -> Imagery:
        self.world.refuse_if_absent(chip_id, self.modality)
        rng = self.world.rng(chip_id, self.modality)
        pairs = sensors.possible_pairs()
        count = min(int(rng.negative_binomial(1.6, 0.25)), MAX_PAIRS)
        if count == 0:
            return Imagery((), np.empty((0, self.side_px, self.side_px), np.float32), (), (_NO_PAIR,))
        chosen = [pairs[index] for index in sorted(rng.choice(len(pairs), count, replace=False))]
        land = self.world.land(chip_id)
        shares = sensors.cover_shares(land, self.side_px)
        values = np.stack([
            sensors.coherence(shares, (later - earlier).days, sensors.rain(land, later, self.world.seed), rng)
            for later, earlier in chosen
        ])  # fmt: skip
        named = tuple(
            Channel(f"{later:%Y%m%d}_{earlier:%Y%m%d}", "coherence", "coherence", str(earlier), str(later))
            for later, earlier in chosen
        )
        return Imagery(named, values, (2,) * count)


_NO_PAIR = Absence(None, "missing", "no pair was formed")


@dataclass(frozen=True, slots=True)
class SimulatedLabels:
    """Exact cover fractions."""

    world: World
    targets: tuple[str, ...] = ("vegetation", "builtup", "cropland", "water")

    def read(self, chip_id: str) -> Mapping[str, tuple[float, float]]:
        found = fractions(self.world.land(chip_id))
        return {target: (float(found[target]), 1.0) for target in self.targets}


def simulated_sources(world: World, pixel_m: float) -> tuple[ImagerySource, ...]:
    """One source a modality."""
    return SimulatedOptical(world), SimulatedRadar(world), SimulatedCoherence(world, pixel_m)


_: type[LabelSource] = SimulatedLabels
