"""Places on the simulated Earth, and ground made to order there, for the tests of its parts."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from hypothesis import strategies as st

from terrashot.domain.grid import Chip, Grid, to_metres, utm_zone
from terrashot.errors import MissingImageryError
from terrashot.ingest.world.land import Land, make_land

lon_deg = st.integers(-179_999, 179_999).map(lambda thousandth: thousandth / 1000)
lon_off_180_deg = st.integers(-173_999, 173_999).map(lambda thousandth: thousandth / 1000)
"""In zones without an antimeridian: there neighbours may count longitude from other turns, and differ in the last bit."""
lat_deg = st.integers(-79_999, 83_999).map(lambda thousandth: thousandth / 1000)


def chip_near(lon: float, lat: float, size_m: float = 640.0, epsg: int | None = None) -> Chip:
    """The chip that holds a point, in the zone that owns the point unless another is named."""
    epsg = epsg or int(utm_zone(np.array([lon]), np.array([lat]))[0])
    x_m, y_m = to_metres(epsg).transform(lon, lat)
    return Grid(epsg, size_m).chip_at(x_m, y_m)


@lru_cache(maxsize=600)
def land_near(lon: float, lat: float, side_px: int = 64, seed: int = 0) -> Land:
    """The ground of a chip of 10 m pixels with the rim that the sensors need."""
    return make_land(chip_near(lon, lat, side_px * 10.0), side_px, seed, 2)


def beside(chip: Chip, south: int = 0, east: int = 0) -> Chip:
    """The chip so many rows and columns away."""
    return Grid(chip.epsg, chip.size_m).chip(chip.row + south, chip.col + east)


def four_quarters(chip: Chip) -> list[list[Chip]]:
    """The chips of half the size that fill a chip, by row and column."""
    grid = Grid(chip.epsg, chip.size_m / 2)
    return [[grid.chip(2 * chip.row + i, 2 * chip.col + j) for j in (0, 1)] for i in (0, 1)]


def scattered(n: int, seed: int = 0, between_deg: tuple[float, float] = (-60.0, 70.0)) -> list[tuple[float, float]]:
    """Points (lon, lat) strewn over the globe."""
    rng = np.random.default_rng(seed)
    return list(zip(rng.uniform(-180, 180, n).tolist(), rng.uniform(*between_deg, n).tolist(), strict=True))


def covered(land: Land, cover: int) -> Land:
    """The same place wholly under one cover."""
    shares = np.zeros_like(land.shares)
    shares[cover] = 1
    return replace(land, shares=shares, is_paved=np.zeros_like(land.is_paved))


def flat(land: Land) -> Land:
    """The same place without hills."""
    return replace(land, relief=replace(land.relief, height_m=np.zeros_like(land.relief.height_m)))


def delivered(source, ids):
    """Imagery of the chips that have some."""
    found = []
    for chip_id in ids:
        try:
            found.append(source.read(chip_id))
        except MissingImageryError:
            continue
    return found


class Still(np.random.Generator):
    """Draws the mean each time: what a sensor without noise sees."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def standard_normal(self, size, dtype=np.float64):
        return np.zeros(size, dtype)

    def standard_gamma(self, shape, size, dtype=np.float64):
        return np.full(size, shape, dtype)
