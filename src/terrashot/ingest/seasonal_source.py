"""Seasonal coherence as a source of imagery: medians of December 2019 to November 2020, from tiles that anybody may read.

Tiles are square degrees, named by their north-western corner, 1200 x 1200 cells of 3 arc-seconds; hundredths in 8 bits, 0 is no data.

Source: Kellndorfer et al. 2022, "Global seasonal Sentinel-1 interferometric coherence and backscatter data set",
Scientific Data 9, 73.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from terrashot.domain.cells import cells_of, centres_deg
from terrashot.domain.coherence_season import FIRST_DAY, Season
from terrashot.domain.degree_tiles import corner_name
from terrashot.domain.grid import Chip, chip_from_id
from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.errors import InputError
from terrashot.ingest.look_ahead import LookAhead
from terrashot.ingest.pair_source import MODALITY, UNIT
from terrashot.ingest.source import ImagerySource
from terrashot.ingest.window import OpenPlane
from terrashot.raster.onto_chip import chip_place, onto
from terrashot.raster.place import RasterPlace
from terrashot.raster.window_needed import part_of, window_needed
from terrashot.remote.profiles import Plane
from terrashot.remote.ranges import AbsentFileError

TILE_PX: Final = 1200
HUNDREDTHS: Final = np.float32(100)
AROUND_DEG: Final = 2
"""On each side of a chip's own square degree, as far as a chip may reach."""
PLACE_DEG: Final = 1e-6
"""By which a tile's corner may be off."""


@dataclass(frozen=True, slots=True)
class SeasonalChannel:
    """One median: of a season, of pairs so many days apart, in one polarisation."""

    season: Season
    polarisation: str
    days: int

    @property
    def channel(self) -> Channel:
        """Kinds differ by days and polarisation, for coherence falls with the days."""
        kind = f"{self.polarisation}_coh{self.days:02d}"
        return Channel(f"{FIRST_DAY[self.season][:7]}_{self.season}_{kind}", kind, UNIT, FIRST_DAY[self.season])

    def file_name(self, tile: str) -> str:
        """As in the data set."""
        return f"{tile}_{self.season}_{self.polarisation}_COH{self.days:02d}.tif"


@dataclass(frozen=True, slots=True)
class SeasonalSource:
    """Reads the medians of a chip from the tiles that it lies on."""

    tiles_url: str
    seasons: tuple[Season, ...]
    polarisations: tuple[str, ...]
    days: tuple[int, ...]
    side_px: int
    open_plane: OpenPlane
    """Must be picklable where several processes read."""
    readers: int = field(default=1, compare=False)
    """Channels that are read at once, which changes no result."""
    modality: str = MODALITY
    unit: str = UNIT
    differences: tuple[Difference, ...] = ()

    @property
    def medians(self) -> tuple[SeasonalChannel, ...]:
        """Season by season, in the order of the year."""
        seasons = [season for season in FIRST_DAY if season in self.seasons]
        return tuple(SeasonalChannel(s, p, d) for s in seasons for p in self.polarisations for d in sorted(self.days))

    @property
    def channels(self) -> tuple[Channel, ...] | None:
        return tuple(median.channel for median in self.medians)

    @property
    def is_begun_ahead(self) -> bool:
        return self.readers > 1

    @property
    def max_channels(self) -> int:
        return len(self.medians)

    def read(self, chip_id: str) -> Imagery:
        """Median coherence by channel, 0 to 1; NaN where there is none; why a channel is absent.

        Raises:
            InputError: the id is not of our grid.
            NetworkError: a tile cannot be fetched within its budget: nothing is known of the chip, and it is asked for again.
        """
        chip = chip_from_id(chip_id)
        kept: list[tuple[Channel, Float32[np.ndarray, "side side"]]] = []
        absences: list[Absence] = []
        with LookAhead(lambda median: self._median(median, chip), self.medians, self.readers) as read:
            for median in self.medians:
                found = read(median)
                if isinstance(found, Absence):
                    absences.append(found)
                else:
                    kept.append((median.channel, found))
        values = np.array([square for _, square in kept], np.float32).reshape(-1, self.side_px, self.side_px)
        return Imagery(tuple(channel for channel, _ in kept), values, absences=tuple(absences))

    def _median(self, median: SeasonalChannel, chip: Chip) -> Float32[np.ndarray, "side side"] | Absence:
        target, around = chip_place(chip, self.side_px), lattice_around(chip)
        needed = window_needed(around, target)
        assert needed is not None, "the lattice lies around the chip"
        rows, cols = needed
        stored = np.zeros((rows.stop - rows.start, cols.stop - cols.start), np.uint8)
        n_tiles = 0
        try:
            for tile, tile_rows, tile_cols in tiles_of(around, rows, cols):
                n_tiles += self._lay(stored, median, tile, around, (tile_rows, tile_cols), (rows, cols))
        except InputError as error:
            return Absence(median.channel, "failed", f"failed to read: {error}")
        if n_tiles == 0:
            return Absence(median.channel, "missing", "no tile of the data set here")
        values = np.where(stored == 0, np.float32(np.nan), stored / HUNDREDTHS)
        square = onto(values[None], part_of(around, rows, cols), target)[0]
        return Absence(median.channel, "empty", "not acquired") if np.isnan(square).all() else square

    def _lay(
        self,
        stored: UInt8[np.ndarray, "h w"],
        median: SeasonalChannel,
        tile: str,
        around: RasterPlace,
        of_tile: tuple[slice, slice],
        window: tuple[slice, slice],
    ) -> bool:
        """Puts a tile's part of the window where it belongs; False where there is no such tile."""
        (rows, cols), (first_row, first_col) = of_tile, (part.start for part in window)
        href = f"{self.tiles_url.rstrip('/')}/data/tiles/{tile}/{median.file_name(tile)}"
        corner = rows.start // TILE_PX * TILE_PX, cols.start // TILE_PX * TILE_PX
        own = [slice(part.start - at, part.stop - at) for part, at in zip((rows, cols), corner, strict=True)]
        try:
            with self.open_plane(Plane(href, 1, 0, "uint8", None, None, None, None, None)) as asset:
                header = asset.header()
                _refuse_tile(header.name, header.place, header.dtype, tile)
                pixels = asset.read(own[0], own[1], (1,)).pixels[0]
        except AbsentFileError:
            return False
        if pixels.max(initial=0) > HUNDREDTHS:
            raise InputError(f"{header.name}: holds {pixels.max()}, more than 100 hundredths; no seasonal coherence")
        stored[rows.start - first_row : rows.stop - first_row, cols.start - first_col : cols.stop - first_col] = pixels
        return True


def lattice_around(chip: Chip) -> RasterPlace:
    """The data set's lattice for some degrees around a chip, its longitudes counted on beyond 180."""
    (lon_deg,), (lat_deg,) = centres_deg(cells_of([chip]))
    west, north = math.floor(lon_deg) - AROUND_DEG, min(math.floor(lat_deg) + 1 + AROUND_DEG, 90)
    side = (2 * AROUND_DEG + 1) * TILE_PX
    return RasterPlace("EPSG:4326", (1 / TILE_PX, 0.0, float(west), 0.0, -1 / TILE_PX, float(north)), side, side)


def tiles_of(around: RasterPlace, rows: slice, cols: slice) -> Iterator[tuple[str, slice, slice]]:
    """Names of the tiles that a window of the lattice meets, each with its own part of the window's rows and columns."""
    west, north = round(around.affine[2]), round(around.affine[5])
    for down in range(rows.start // TILE_PX, -(-rows.stop // TILE_PX)):
        for right in range(cols.start // TILE_PX, -(-cols.stop // TILE_PX)):
            tile = tile_name(west + right, north - down)
            yield tile, _part(rows, down), _part(cols, right)


def tile_name(west_deg: int, north_deg: int) -> str:
    """Of the tile with this north-western corner: `N48W090`, `S01E179`."""
    return corner_name((west_deg + 180) % 360 - 180, north_deg)


def _part(window: slice, tile: int) -> slice:
    return slice(max(window.start, tile * TILE_PX), min(window.stop, (tile + 1) * TILE_PX))


def _refuse_tile(name: str, place: RasterPlace, dtype: str, tile: str) -> None:
    """Nothing, if a file has the lattice that its name tells."""
    lat, lon = int(tile[1:3]) * (1 if tile[0] == "N" else -1), int(tile[4:]) * (1 if tile[3] == "E" else -1)
    wanted = (1 / TILE_PX, 0.0, float(lon), 0.0, -1 / TILE_PX, float(lat))
    is_off = max(abs(a - b) for a, b in zip(place.affine, wanted, strict=True)) > PLACE_DEG
    if is_off or (place.width_px, place.height_px, dtype) != (TILE_PX, TILE_PX, "uint8") or place.crs != "EPSG:4326":
        raise InputError(
            f"{name}: lies elsewhere or has another form than a tile of its name (1200 x 1200 uint8, EPSG:4326)"
        )


_: type[ImagerySource] = SeasonalSource
