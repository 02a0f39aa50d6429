"""Simulated ground of the open-data rehearsal: chips on both sides of a zone edge, and rasters of what lies around them.

Each zone's raster is pasted from simulated chips of that zone's own lattice, beyond the edge too: the simulated Earth is drawn
around the sphere, so that both rasters show the same ground, each with noise of its own, as two acquisitions have.
"""

import csv
import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely

from terrashot.domain.area import Area, box_outline, cells_in
from terrashot.domain.grid import Chip, Grid, to_degrees, to_metres
from terrashot.ingest.world.absences import Absences
from terrashot.ingest.world.sources import SimulatedLabels, SimulatedOptical, SimulatedRadar, World

PIXEL_M = 10.0
EDGE_LON_DEG, MIDDLE_LAT_DEG = 6.0, 44.6
"""Where UTM zones 31 and 32 meet; there the simulated Earth has woods, fields and houses."""
WEST_EPSG, EAST_EPSG = 32631, 32632
METRES_A_DEGREE = 111_132.0
MARGIN_CHIPS = 0.6
"""Beyond the area: half a chip, whose middle alone the area holds, and what the lattices are turned against each other."""
MONTHS = ("2020-01", "2020-02", "2020-03")
WITHOUT_ABSENCES = Absences(modality=0, month=0, polarisation=0, cloud=0, swath=0, pairs=0)
Bounds = tuple[float, float, float, float]
"""West, south, east, north."""


@dataclass(frozen=True)
class Plan:
    """How much ground the rehearsal has."""

    chips: int = 48
    """About so many."""
    chip_px: int = 32
    """Even: the scene classification has pixels of 20 m."""
    seed: int = 0

    @property
    def size_m(self) -> float:
        """Side of a chip."""
        return self.chip_px * PIXEL_M

    @property
    def world(self) -> World:
        """The simulated Earth with nothing left out: what is absent is the passes' affair."""
        return World(self.seed, self.chip_px, MONTHS, WITHOUT_ABSENCES)

    @property
    def bbox(self) -> Bounds:
        """Of the study's area in degrees."""
        return self._box(math.sqrt(self.chips) * self.size_m / 2)

    @property
    def around(self) -> Bounds:
        """The same with a margin: what scenes show."""
        return self._box((math.sqrt(self.chips) / 2 + MARGIN_CHIPS) * self.size_m)

    def _box(self, half_m: float) -> Bounds:
        high = half_m / METRES_A_DEGREE
        wide = high / math.cos(math.radians(MIDDLE_LAT_DEG))
        west, south, east, north = (
            round(degrees, 6)
            for degrees in (EDGE_LON_DEG - wide, MIDDLE_LAT_DEG - high, EDGE_LON_DEG + wide, MIDDLE_LAT_DEG + high)
        )
        return west, south, east, north

    @cached_property
    def chip_ids(self) -> tuple[str, ...]:
        """The chips that a study of this area has."""
        found = cells_in(Area("edge", box_outline(*self.bbox)), self.size_m)
        places = zip(found.epsg.tolist(), found.row.tolist(), found.col.tolist(), strict=True)
        return tuple(Grid(epsg, self.size_m).chip(row, col).id for epsg, row, col in places)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a raster of 10 m pixels lies."""

    epsg: int
    west_m: float
    north_m: float
    width_px: int
    height_px: int

    def transform(self, pixel_m: float = PIXEL_M) -> list[float]:
        """The six numbers of `proj:transform`."""
        return [pixel_m, 0.0, self.west_m, 0.0, -pixel_m, self.north_m]

    def shape(self, pixel_m: float = PIXEL_M) -> tuple[int, int]:
        """Rows and columns at a pixel size."""
        return round(self.height_px * PIXEL_M / pixel_m), round(self.width_px * PIXEL_M / pixel_m)

    @property
    def bounds_m(self) -> Bounds:
        east, south = self.west_m + self.width_px * PIXEL_M, self.north_m - self.height_px * PIXEL_M
        return self.west_m, south, east, self.north_m

    @property
    def outline(self) -> shapely.Polygon:
        """In degrees, by its corners."""
        x_m, y_m = shapely.box(*self.bounds_m).exterior.xy
        return shapely.Polygon(np.column_stack(to_degrees(self.epsg).transform(np.array(x_m), np.array(y_m))))

    def degrees(self, pixel_m: float) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude of the pixels' middles, (H, W) each."""
        rows, cols = self.shape(pixel_m)
        x_m, y_m = np.meshgrid(
            self.west_m + (np.arange(cols) + 0.5) * pixel_m, self.north_m - (np.arange(rows) + 0.5) * pixel_m
        )
        lon_deg, lat_deg = to_degrees(self.epsg).transform(x_m, y_m)
        return np.asarray(lon_deg), np.asarray(lat_deg)

    def columns(self, part: slice) -> "Place":
        """The part of some columns."""
        return replace(self, west_m=self.west_m + part.start * PIXEL_M, width_px=part.stop - part.start)


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies on one zone's raster, month by month."""

    place: Place
    planes: dict[str, np.ndarray]
    """(H, W) by channel: `2020-01_red` in reflectance, `2020-01_vv` in dB."""

    def columns(self, part: slice) -> "Ground":
        """The part of some columns."""
        planes = {name: plane[:, part] for name, plane in self.planes.items()}
        return Ground(self.place.columns(part), planes)


def make_ground(plan: Plan, epsg: int) -> Ground:
    """All that the plan's scenes show, on the lattice of one zone."""
    place, parts = zone_chips(plan, epsg)
    planes: dict[str, np.ndarray] = {}
    for chip, part in parts:
        for name, plane in truth(plan, chip.id).items():
            planes.setdefault(name, np.empty((place.height_px, place.width_px), np.float32))[part] = plane
    return Ground(place, planes)


def zone_chips(plan: Plan, epsg: int) -> tuple[Place, list[tuple[Chip, tuple[slice, slice]]]]:
    """One zone's raster of all around the area: its chips, and the rows and columns of each."""
    first, last = _corners(plan, epsg)
    rows, cols, side = last.row - first.row + 1, last.col - first.col + 1, plan.chip_px
    west_m, _, _, north_m = first.bounds_m
    grid = Grid(epsg, plan.size_m)
    parts = [
        (
            grid.chip(first.row + row, first.col + col),
            np.s_[row * side : (row + 1) * side, col * side : (col + 1) * side],
        )
        for row, col in np.ndindex(rows, cols)
    ]
    return Place(epsg, west_m, north_m, cols * side, rows * side), parts


def _corners(plan: Plan, epsg: int) -> tuple[Chip, Chip]:
    """The north-western and the south-eastern chip of a zone's raster."""
    lon_deg, lat_deg = np.array(shapely.box(*plan.around).exterior.xy)
    x_m, y_m = to_metres(epsg).transform(lon_deg, lat_deg)
    grid = Grid(epsg, plan.size_m)
    return grid.chip_at(min(x_m), max(y_m)), grid.chip_at(max(x_m), min(y_m))


def truth(plan: Plan, chip_id: str) -> dict[str, np.ndarray]:
    """What the simulated Earth has at a chip, (H, W) by channel: what a harvest of the scenes should come near to."""
    read = [source.read(chip_id) for source in (SimulatedOptical(plan.world), SimulatedRadar(plan.world))]
    return {
        channel.name: plane for imagery in read for channel, plane in zip(imagery.channels, imagery.values, strict=True)
    }


def edge_column(ground: Ground, chip_px: int) -> int:
    """The column of a raster at which the zone edge lies, to whole chips."""
    edge_m, _ = to_metres(ground.place.epsg).transform(EDGE_LON_DEG, MIDDLE_LAT_DEG)
    return round((edge_m - ground.place.west_m) / PIXEL_M / chip_px) * chip_px


def write_labels(plan: Plan, path: Path) -> None:
    """Simulated labels of the chips as a user would bring them: `id` and a column a target."""
    labels = SimulatedLabels(plan.world)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *labels.targets])
        for chip_id in plan.chip_ids:
            found = labels.read(chip_id)
            writer.writerow([chip_id, *(round(found[target][0], 4) for target in labels.targets)])
