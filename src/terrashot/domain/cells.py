"""Many chips of the grid as columns: millions of them need no object each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64, Int64

from terrashot.domain.grid import Chip, Grid, to_degrees


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
        size = f"{self.size_m:.0f}"
        places = zip(self.epsg.tolist(), self.row.tolist(), self.col.tolist(), strict=True)
        return tuple([f"{epsg}_{size}m_r{row:06d}_c{col:06d}" for epsg, row, col in places])

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
    west, south, east, north = cells.edges_m()
    corners = ((west, south), (east, south), (east, north), (west, north))
    rings = np.empty((len(cells), len(corners) + 1, 2))
    for number, corner in enumerate(corners):
        rings[:, number, 0], rings[:, number, 1] = _degrees(cells.epsg, *corner)
    rings[:, -1] = rings[:, 0]
    # By way of rings: a third less time than from coordinates at once.
    shapes: np.ndarray = shapely.polygons(shapely.linearrings(rings))
    for index in np.flatnonzero(np.ptp(rings[:, :, 0], axis=1) > 180):
        shapes[index] = cut_at_antimeridian(rings[index])
    return shapes


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
