"""Many chips of the grid as columns: millions of them need no object each."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import add

import numpy as np
import shapely
from jaxtyping import Float64, Int64

from terrashot.domain.grid import Chip, Grid, to_degrees

DOWN, RIGHT = np.array([1, 1, 0, 0, 1]), np.array([0, 1, 1, 0, 0])
"""From a chip's own row and column to those of which its corners are the north-west ones: around from the south-west, and back."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Chips of one size; `Chip` says what each column means."""

    size_m: float
    epsg: Int64[np.ndarray, " N"]
    row: Int64[np.ndarray, " N"]
    col: Int64[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.epsg)

    @property
    def ids(self) -> tuple[str, ...]:
        """As `Chip.id`."""
        # The chips of a row share the first half, those of a column the second.
        size, rows = f"{self.size_m:.0f}", self.epsg * 1_000_000 + self.row
        first = _texts(rows, lambda key: f"{key // 1_000_000}_{size}m_r{key % 1_000_000:06d}")
        return tuple(map(add, first, _texts(self.col, lambda col: f"_c{col:06d}")))

    @property
    def keys(self) -> Int64[np.ndarray, " N"]:
        """A number a chip, in the order of the ids."""
        return (self.epsg * 1_000_000 + self.row) * 1_000_000 + self.col

    def take(self, rows: np.ndarray) -> "Cells":
        """The chips of these rows, or of those that are true, in that order."""
        return Cells(self.size_m, self.epsg[rows], self.row[rows], self.col[rows])

    def edges_m(self) -> tuple[Float64[np.ndarray, " N"], ...]:
        """West, south, east, north of each chip, in its own zone's metres."""
        grid = Grid(int(self.epsg[0]) if len(self) else 32601, self.size_m)
        west = grid.origin_x_m + self.col * self.size_m
        north = grid.origin_y_m - self.row * self.size_m
        return west, north - self.size_m, west + self.size_m, north


def _texts(keys: Int64[np.ndarray, " N"], text_of: Callable[[int], str]) -> Iterator[str]:
    """The text of each key, made once for all that are the same."""
    distinct, which = np.unique(keys, return_inverse=True)
    return map([text_of(key) for key in distinct.tolist()].__getitem__, which.tolist())


def cells_of(chips: Sequence[Chip]) -> Cells:
    """The chips, at least one and all of one size, as columns."""
    places = np.array([(chip.epsg, chip.row, chip.col) for chip in chips], dtype=np.int64)
    return Cells(chips[0].size_m, *places.T)


def joined(parts: Sequence[Cells], size_m: float) -> Cells:
    """The chips of all parts, in the order of their ids."""
    empty = np.empty(0, dtype=np.int64)
    columns = (np.concatenate([empty, *(getattr(part, name) for part in parts)]) for name in ("epsg", "row", "col"))
    cells = Cells(size_m, *columns)
    return cells.take(np.argsort(cells.keys, kind="stable"))


def centres_deg(cells: Cells) -> tuple[Float64[np.ndarray, " N"], Float64[np.ndarray, " N"]]:
    """Longitude and latitude of each chip's centre."""
    west, south, east, north = cells.edges_m()
    return _degrees(cells.epsg, (west + east) / 2, (south + north) / 2)


def footprints(cells: Cells) -> np.ndarray:
    """Each chip's outline in degrees, as shapely polygons (N,); cut in two where it crosses the antimeridian."""
    rings = np.empty((len(cells), len(DOWN), 2))
    for zone in np.unique(cells.epsg):
        rows = cells.epsg == zone
        rings[rows] = _rings_deg(cells.take(rows))
    # As one ragged array: a fourth of the time of ring by ring.
    each = np.arange(len(cells) + 1)
    offsets = (each * rings.shape[1], each)
    with _no_search_for_cycles():
        shapes: np.ndarray = shapely.from_ragged_array(shapely.GeometryType.POLYGON, rings.reshape(-1, 2), offsets)
    for index in np.flatnonzero(np.ptp(rings[:, :, 0], axis=1) > 180):
        shapes[index] = cut_at_antimeridian(rings[index])
    return shapes


def _rings_deg(cells: Cells) -> Float64[np.ndarray, "N 5 2"]:
    """The corners of each chip of one zone; where chips lie side by side, a corner that they share is worked out once."""
    row, col = cells.row[:, None] + DOWN, cells.col[:, None] + RIGHT
    top, left = row.min(), col.min()
    height, width = row.max() - top + 1, col.max() - left + 1
    if height * width > 4 * len(cells):
        return np.stack(_corners_deg(cells, row, col), axis=-1)
    lattice = np.meshgrid(np.arange(top, top + height), np.arange(left, left + width), indexing="ij")
    return np.stack([axis[row - top, col - left] for axis in _corners_deg(cells, *lattice)], axis=-1)


def _corners_deg(cells: Cells, row: np.ndarray, col: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of the north-west corners of these places of the lattice."""
    epsg = int(cells.epsg[0])
    grid = Grid(epsg, cells.size_m)
    x_m, y_m = grid.origin_x_m + col * cells.size_m, grid.origin_y_m - row * cells.size_m
    lon_deg, lat_deg = to_degrees(epsg).transform(x_m, y_m)
    return lon_deg, lat_deg


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """The garbage collector rests: again and again it would look through all outlines made so far, for longer than they take."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def cut_at_antimeridian(ring: Float64[np.ndarray, "P 2"]) -> shapely.MultiPolygon:
    """The two parts of an outline in degrees that crosses it. P: points."""
    return shapely.MultiPolygon(
        halves_at_antimeridian(shapely.Polygon(np.column_stack([ring[:, 0] % 360, ring[:, 1]])))
    )


def halves_at_antimeridian(shape: shapely.Geometry) -> list[shapely.Geometry]:
    """What of a shape in degrees lies up to 180, and what beyond, moved to where it is; either may be empty."""
    kept = shapely.intersection(shape, shapely.box(-180, -90, 180, 90))
    beyond = shapely.intersection(shape, shapely.box(180, -90, 360, 90))
    return [kept, shapely.transform(beyond, lambda points: points - [360, 0])]


def unrolled(shapes: np.ndarray) -> np.ndarray:
    """Shapes in degrees without a jump: those on both sides of the antimeridian with longitudes from 0 to 360."""
    west, _, east, _ = shapely.bounds(shapes).T
    whole, cut = shapes.copy(), east - west > 180
    whole[cut] = shapely.transform(shapes[cut], lambda points: np.column_stack([points[:, 0] % 360, points[:, 1]]))
    return whole


def _degrees(
    epsg: Int64[np.ndarray, " N"], x_m: Float64[np.ndarray, " N"], y_m: Float64[np.ndarray, " N"]
) -> tuple[Float64[np.ndarray, " N"], Float64[np.ndarray, " N"]]:
    lon_deg, lat_deg = np.empty(len(epsg)), np.empty(len(epsg))
    for zone in np.unique(epsg):
        rows = epsg == zone
        lon_deg[rows], lat_deg[rows] = to_degrees(int(zone)).transform(x_m[rows], y_m[rows])
    return lon_deg, lat_deg
