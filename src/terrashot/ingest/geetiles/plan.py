"""What one import is asked for and has found out, and what it has to do for a chip. All of it small and picklable."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from terrashot.ingest.each_once import Orbits
from terrashot.ingest.geetiles.lattice import PIXEL_M, Bounds, Lattice, degree_place, utm_place
from terrashot.ingest.geetiles.names import ChipSet, Sensor
from terrashot.ingest.geetiles.stored import Zero
from terrashot.ingest.monthly import MIXED
from terrashot.raster.place import RasterPlace


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose."""

    months: tuple[str, ...] = ()
    """`2020-01`, ...; empty means all that there are."""
    orbits: Orbits = "mixed"
    zero: Zero = "together"
    lattice: Lattice = "degrees"
    max_days: int | None = None
    """Longest span of a coherence pair."""


@dataclass(frozen=True, slots=True)
class TileFile:
    """One tile of a chip."""

    chip_set: ChipSet
    path: Path


@dataclass(frozen=True, slots=True)
class ChipJob:
    """One chip's files."""

    id: str
    bounds_deg: Bounds
    tiles: tuple[TileFile, ...]
    skipped: Mapping[str, Path]
    """The file that says why there is no tile, by sensor."""

    def tiles_of(self, sensor: Sensor) -> tuple[TileFile, ...]:
        return tuple(tile for tile in self.tiles if tile.chip_set.sensor == sensor)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What holds for every chip."""

    source: Path
    out: Path
    choices: Choices
    optical_months: tuple[str, ...]
    radar_months: tuple[str, ...]
    radar_sets: tuple[str, ...]
    """As `monthly.radar_channels` takes them."""
    side_px: int
    coherence_px: int
    label_year: int

    def place(self, bounds_deg: Bounds) -> RasterPlace:
        """The lattice of a chip's optical and radar pixels."""
        if self.choices.lattice == "utm":
            return utm_place(bounds_deg, self.side_px, PIXEL_M)
        return degree_place(bounds_deg, self.side_px)

    def coherence_place(self, bounds_deg: Bounds) -> RasterPlace:
        """The same ground in cells near 90 m."""
        if self.choices.lattice == "utm":
            pixel_m = self.side_px * PIXEL_M / self.coherence_px
            return utm_place(bounds_deg, self.coherence_px, pixel_m)
        return degree_place(bounds_deg, self.coherence_px)


def radar_sets(orbits: Orbits) -> tuple[str, ...]:
    """The sets of passes that become channels of their own."""
    return ("asc_", "des_") if orbits == "apart" else MIXED
