"""What covers the ground of the simulated Earth, pixel by pixel."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64, Int8

from terrashot.domain.grid import Chip, to_degrees
from terrashot.ingest.world.noise import between, field, hashed

EARTH_RADIUS_M: Final = 6_371_008.8
WATER, TREE, CROP, GRASS, BUILT, BARE = range(6)
NODE_SPACING_PX: Final = 16
PARCEL_HEIGHT_M, PARCEL_WIDTH_M = 210.0, 270.0


@dataclass(frozen=True, slots=True, eq=False)
class Land:
    """One chip's ground. A is the number of nodes along a side of the lattice that smooth things are computed on."""

    cover: Int8[np.ndarray, " P"]
    """WATER to BARE, by pixel, row by row from the north."""
    points_m: Float64[np.ndarray, "P 3"]
    """Pixel centres in space, metres from the Earth's centre."""
    nodes_m: Float64[np.ndarray, "A A 3"]
    """Places at most 16 px apart; neighbouring chips share those of their common edge."""
    relief: Float64[np.ndarray, " P"]
    parcel: Float64[np.ndarray, " P"]
    """A number of each field parcel, -0.5 to 0.5: what is grown there, and when."""
    side_px: int

    def smooth(self, seed: int, wavelength_m: float) -> Float64[np.ndarray, " P"]:
        """A slow field by pixel: exact at the nodes, bilinear between them, so still without a seam."""
        at_nodes = field(self.nodes_m.reshape(-1, 3), seed=seed, wavelength_m=wavelength_m)
        return between(at_nodes.reshape(*self.nodes_m.shape[:2], 1), self.side_px)[:, 0]


def make_land(chip: Chip, side_px: int, seed: int) -> Land:
    """The ground of a chip, from its place and the world's seed alone; neighbouring chips continue each other."""
    lon, lat = _nodes_deg(chip, side_px)
    nodes_m = _in_space(lon, lat)
    points_m = between(nodes_m, side_px)
    lon_deg, lat_deg = between(np.stack([lon, lat], axis=-1), side_px).T
    parcel, is_path = _parcels(lon_deg, lat_deg, seed + 2)
    relief = field(points_m, seed=seed + 1, wavelength_m=3600.0, octaves=3)
    cover = _cover(points_m, relief, parcel, seed)
    return Land(cover, points_m, nodes_m, relief, np.where(is_path, 0.0, parcel), side_px)


def fractions(land: Land) -> dict[str, float]:
    """Share of the chip under each cover that a label asks for."""
    share = (np.bincount(land.cover, minlength=6) / len(land.cover)).tolist()
    return {"vegetation": share[TREE], "builtup": share[BUILT], "cropland": share[CROP], "water": share[WATER]}


def _nodes_deg(chip: Chip, side_px: int) -> tuple[np.ndarray, np.ndarray]:
    west, south, east, north = chip.bounds_m
    nodes = max(2, -(-side_px // NODE_SPACING_PX) + 1)
    x, y = np.meshgrid(np.linspace(west, east, nodes), np.linspace(north, south, nodes))
    lon, lat = (np.asarray(axis) for axis in to_degrees(chip.epsg).transform(x, y))
    # About the chip's own corner, not about Greenwich: a chip across the antimeridian must not jump by 360 degrees.
    return lon[0, 0] + (lon - lon[0, 0] + 180) % 360 - 180, lat


def _in_space(lon_deg: np.ndarray, lat_deg: np.ndarray) -> Float64[np.ndarray, "A A 3"]:
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return EARTH_RADIUS_M * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _parcels(lon_deg: np.ndarray, lat_deg: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A number for each pixel's parcel, and which pixels are paths between parcels.

    Parcels lie in rows along the parallels; each row holds a whole number of them, so that it closes on itself.
    """
    northward = np.radians(lat_deg) * EARTH_RADIUS_M / PARCEL_HEIGHT_M
    row = np.floor(northward)
    around_m = 2 * np.pi * EARTH_RADIUS_M * np.cos((row + 0.5) * PARCEL_HEIGHT_M / EARTH_RADIUS_M)
    in_row = np.maximum(1, np.round(around_m / PARCEL_WIDTH_M))
    place = lon_deg / 360 * in_row + hashed(np.column_stack([row, np.zeros_like(row)]), seed)
    col = np.floor(place)
    is_path = (place - col < 0.04) | (northward - row < 0.05)
    return hashed(np.column_stack([row, col % in_row]), seed + 7), is_path


def _cover(points_m: np.ndarray, relief: np.ndarray, parcel: np.ndarray, seed: int) -> Int8[np.ndarray, " P"]:
    """Thresholds were set so that a box of 20 km anywhere holds all covers, and most of its chips no town, no water."""
    moisture = field(points_m, seed=seed + 11, wavelength_m=4400.0, octaves=2)
    settled = field(points_m, seed=seed + 12, wavelength_m=2200.0, octaves=3)
    wooded = field(points_m, seed=seed + 13, wavelength_m=1700.0, octaves=4) + 0.35 * relief + 0.2 * moisture
    farmed = field(points_m, seed=seed + 14, wavelength_m=2600.0, octaves=2) - 0.25 * np.abs(relief) + 0.8 * parcel
    street = field(points_m, seed=seed + 15, wavelength_m=90.0)
    river = np.abs(field(points_m, seed=seed + 16, wavelength_m=3600.0, octaves=3))
    cover = np.where(moisture + 0.4 * street > -0.8, GRASS, BARE).astype(np.int8)
    cover[farmed > -0.2] = CROP
    cover[wooded > 0.4] = TREE
    cover[(settled > 0.85) & (settled + 0.45 * street > 0.95)] = BUILT
    cover[(river < 0.03 + 0.02 * np.clip(moisture, 0, 2)) | (relief + 0.25 * moisture < -1.6)] = WATER
    return cover
