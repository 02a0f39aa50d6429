"""Where chips of a partitions file lie: on our own grid if their identifiers are ours, else where they are drawn."""

from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Float64, Int64

from terrashot.domain.cells import Cells, centres_deg, unrolled
from terrashot.domain.grid import CHIP_ID
from terrashot.store.csvfile import BadRows

Degrees = Float64[np.ndarray, " N"]
ALLOWED_CHIPS = 0.1
"""That a chip of our own grid may be drawn beside its place."""
METRES_A_DEGREE = 111_195.0


def placed(ids: Sequence[str], shapes: np.ndarray) -> tuple[Degrees, Degrees, Int64[np.ndarray, "N 3"] | None]:
    """Longitude and latitude of the centres; zone, row and column where every identifier is of our grid, of one size."""
    cells = _own_cells(ids)
    if cells is None:
        return *_middles(shapes), None
    return *centres_deg(cells), np.stack([cells.epsg, cells.row, cells.col], axis=1)


def drawn_elsewhere(ids: Sequence[str], shapes: np.ndarray, utm: Int64[np.ndarray, "N 3"] | None) -> BadRows:
    """Number and reason of each chip whose identifier names another place than that where it is drawn."""
    cells = _own_cells(ids) if utm is not None else None
    if cells is None:
        return []
    (lon, lat), (drawn_lon, drawn_lat) = centres_deg(cells), _middles(shapes)
    east = ((drawn_lon - lon + 180) % 360 - 180) * np.cos(np.radians(lat))
    off_m = np.hypot(east, drawn_lat - lat) * METRES_A_DEGREE
    return [
        (
            row + 1,
            f"'{ids[row]}' is drawn around {drawn_lon[row]:.4f}, {drawn_lat[row]:.4f}; by its identifier, which is of our own grid, "
            f"it lies at {lon[row]:.4f}, {lat[row]:.4f}",
        )
        for row in np.flatnonzero(off_m > ALLOWED_CHIPS * cells.size_m).tolist()
    ]


def _own_cells(ids: Sequence[str]) -> Cells | None:
    found = [match.groups() for match in map(CHIP_ID.fullmatch, ids) if match]
    if len(found) < len(ids) or len({size for _, size, _, _ in found}) != 1:
        return None
    epsg, size, row, col = np.array(found, dtype=np.int64).T
    return Cells(float(size[0]), epsg, row, col)


def _middles(shapes: np.ndarray) -> tuple[Degrees, Degrees]:
    middle = shapely.centroid(unrolled(shapes))
    return (shapely.get_x(middle) + 180) % 360 - 180, shapely.get_y(middle)
