"""What covers the ground of the simulated Earth, pixel by pixel."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64, Int8

from terrashot.domain.grid import Chip, to_degrees
from terrashot.ingest.world.noise import field, hashed

EARTH_RADIUS_M: Final = 6_371_008.8
WATER, TREE, CROP, GRASS, BUILT, BARE = range(6)
NODE_SPACING_PX: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Land:
    """One chip's ground."""

    cover: Int8[np.ndarray, " P"]
    """WATER to BARE, by pixel, row by row."""
    points_m: Float64[np.ndarray, "P 3"]
    """Pixel centres in space, metres from the Earth's centre."""
    parcel: Float64[np.ndarray, " P"]
    """A number of each field parcel, -0.5 to 0.5: what is grown there, and when."""
    texture: Float64[np.ndarray, " P"]
    """Crowns, roofs, furrows: varies from pixel to pixel."""
    slope: Float64[np.ndarray, " P"]
    """Shading of the relief, about 0."""
    side_px: int


def make_land(chip: Chip, side_px: int, seed: int) -> Land:
    """The ground of a chip, from its place and the world's seed alone; neighbouring chips continue each other."""
    lon, lat = pixel_centres_deg(chip, side_px)
    points_m = _in_space(lon, lat)
    relief = field(points_m, seed=seed + 1, wavelength_m=3600, octaves=4)
    parcel, edge = _parcels(lon, lat, seed + 2)
    cover = _cover(points_m, relief, parcel, seed)
    texture = field(points_m, seed=seed + 3, wavelength_m=45)
    slope = field(points_m, seed=seed + 4, wavelength_m=700, octaves=2) * (0.3 + 0.2 * np.clip(relief, -1, 2))
    return Land(cover, points_m, np.where(edge, 0.0, parcel), texture, slope, side_px)


def pixel_centres_deg(chip: Chip, side_px: int) -> tuple[Float64[np.ndarray, " P"], Float64[np.ndarray, " P"]]:
    """Longitude and latitude of every pixel, row by row from the north.

    Exact on a lattice of nodes at most 64 px apart, bilinear between them: off by less than a centimetre, and chips
    that touch share their edge's nodes.
    """
    west, south, east, north = chip.bounds_m
    nodes = max(2, -(-side_px // NODE_SPACING_PX) + 1)
    x, y = np.meshgrid(np.linspace(west, east, nodes), np.linspace(north, south, nodes))
    lon, lat = to_degrees(chip.epsg).transform(x, y)
    at = (np.arange(side_px) + 0.5) / side_px * (nodes - 1)
    return _bilinear(np.asarray(lon), at).ravel(), _bilinear(np.asarray(lat), at).ravel()


def fractions(land: Land) -> dict[str, float]:
    """Share of the chip under each cover that a label asks for."""
    share = np.bincount(land.cover, minlength=6) / len(land.cover)
    return {"vegetation": share[TREE], "builtup": share[BUILT], "cropland": share[CROP], "water": share[WATER]}


def _bilinear(nodes: np.ndarray, at: np.ndarray) -> np.ndarray:
    low = np.minimum(at.astype(np.int64), len(nodes) - 2)
    weight = at - low
    rows = nodes[low] * (1 - weight)[:, None] + nodes[low + 1] * weight[:, None]
    return rows[:, low] * (1 - weight) + rows[:, low + 1] * weight


def _in_space(lon_deg: np.ndarray, lat_deg: np.ndarray) -> Float64[np.ndarray, "P 3"]:
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return EARTH_RADIUS_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _parcels(lon_deg: np.ndarray, lat_deg: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A number for each pixel's parcel, and which pixels are paths between parcels."""
    north_m = np.radians(lat_deg) * EARTH_RADIUS_M
    east_m = np.radians(lon_deg) * EARTH_RADIUS_M * np.cos(np.radians(lat_deg))
    row = np.floor(north_m / 210.0)
    shift_m = 400.0 * hashed(np.column_stack([row, np.zeros_like(row)]), seed)
    place = (east_m + shift_m) / 270.0
    col = np.floor(place)
    edge = (np.abs(place - col) < 0.04) | (np.abs(north_m / 210.0 - row) < 0.05)
    return hashed(np.column_stack([row, col]), seed + 7), edge


def _cover(points_m: np.ndarray, relief: np.ndarray, parcel: np.ndarray, seed: int) -> Int8[np.ndarray, " P"]:
    moisture = field(points_m, seed=seed + 11, wavelength_m=5200, octaves=2)
    settled = field(points_m, seed=seed + 12, wavelength_m=2600, octaves=3)
    wooded = field(points_m, seed=seed + 13, wavelength_m=1900, octaves=4) + 0.35 * relief + 0.2 * moisture
    farmed = field(points_m, seed=seed + 14, wavelength_m=3000, octaves=2) - 0.25 * np.abs(relief) + 0.7 * parcel
    street = field(points_m, seed=seed + 15, wavelength_m=90)
    river = np.abs(field(points_m, seed=seed + 16, wavelength_m=4200, octaves=3))
    cover = np.where(moisture + 0.4 * street > -0.9, GRASS, BARE).astype(np.int8)
    cover[farmed > -0.05] = CROP
    cover[wooded > 0.45] = TREE
    cover[(settled > 1.15) & (settled + 0.45 * street > 1.25)] = BUILT
    cover[(river < 0.035 + 0.02 * np.clip(moisture, 0, 2)) | (relief + 0.25 * moisture < -1.85)] = WATER
    return cover
