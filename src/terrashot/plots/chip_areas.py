"""The chips of each area as a map needs them: places without a jump, splits as numbers."""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64, Int64

from terrashot.domain.tables import SPLIT_NAMES, Chips

LEAST_GAP_DEG = 30
"""Of bare longitudes; what leaves less all around the Earth is shown from -180 to 180."""


@dataclass(frozen=True, slots=True, eq=False)
class AreaChips:
    """The chips of one area."""

    name: str
    footprint: np.ndarray
    """(N,) shapely polygons, lon/lat; cut in two at the antimeridian."""
    lon_deg: Float64[np.ndarray, " N"]
    """Of the middles; beyond 180 where the area crosses the antimeridian."""
    lat_deg: Float64[np.ndarray, " N"]
    split: Int64[np.ndarray, " N"]
    """Position in `SPLIT_NAMES`."""
    chip_deg: float
    """Width or height of a middling chip, the larger of the two."""

    def __len__(self) -> int:
        return len(self.footprint)

    def within(self, split: int) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        """Latitudes and longitudes of the chips of one split."""
        rows = self.split == split
        return self.lat_deg[rows], self.lon_deg[rows]


def chip_areas(chips: Chips) -> list[AreaChips]:
    """The areas in the order of their first chips; of chips that have footprints."""
    assert chips.footprint is not None, "chips without a place are counted"
    numbers = {name: number for number, name in enumerate(SPLIT_NAMES)}
    of_area, split = np.array(chips.area, dtype=object), np.array([numbers[str(name)] for name in chips.split])
    return [_area(name, chips.footprint, split, np.flatnonzero(of_area == name)) for name in dict.fromkeys(chips.area)]


def _area(name: str, footprint: np.ndarray, split: np.ndarray, rows: np.ndarray) -> AreaChips:
    west, south, east, north = shapely.bounds(footprint[rows]).T
    # Half of a chip that crosses the antimeridian lies at each edge of the map.
    middle = np.where(east - west > 180, 180.0, (west + east) / 2)
    chip_deg = float(np.median(np.maximum(east - west, north - south)))
    return AreaChips(name, footprint[rows], unbroken_deg(middle), (south + north) / 2, split[rows], chip_deg)


def unbroken_deg(lon_deg: Float64[np.ndarray, " N"]) -> Float64[np.ndarray, " N"]:
    """The same longitudes without a jump: counted eastward from the far side of their largest gap."""
    present = np.unique(np.floor(lon_deg))
    # The gap across the antimeridian first: of equal ones it is taken, so that what crosses nothing stays as it is.
    gaps = np.diff(present, prepend=present[-1] - 360)
    first = int(gaps.argmax())
    if first == 0 or gaps[first] < LEAST_GAP_DEG:
        return lon_deg
    unbroken: np.ndarray = (lon_deg - present[first]) % 360 + present[first]
    return unbroken
