"""Where the pixels of a chip lie on the globe, and smooth fields over them that join those of the next chip exactly.

P pixels with their rim, B coarse nodes along a side, A fine nodes along a side.
"""

import math
from dataclasses import dataclass
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32, Float64
from numba import njit

from terrashot.domain.grid import Chip, to_degrees
from terrashot.ingest.world.noise import field

EARTH_RADIUS_M: Final = 6_371_008.8
COARSE_M: Final = 160.0
"""Largest distance of coarse nodes; projecting each pixel would cost more than all else."""
FINE: Final = 4
"""Fine nodes in a coarse one, along a side."""
ORIGIN_Y_M: Final = 10_000_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Pixel centres of a chip and of a rim around it, row by row from the north."""

    side_px: int
    rim_px: int
    pixel_m: float
    cells: int
    """Coarse cells along the chip's side."""
    margin: int
    """Coarse nodes beyond the chip on each side."""
    lon_deg: Float64[np.ndarray, " P"]
    """Past 180 or -180 beyond the antimeridian."""
    lat_deg: Float64[np.ndarray, " P"]
    points_m: Float64[np.ndarray, "P 3"]
    """In space, metres from the Earth's centre."""
    coarse_m: Float64[np.ndarray, "B B 3"]
    fine_m: Float64[np.ndarray, "A A 3"]

    @property
    def width_px(self) -> int:
        """Side of the lattice with its rim."""
        return self.side_px + 2 * self.rim_px

    def exact(self, seed: int, wavelength_m: float, octaves: int = 1) -> Float32[np.ndarray, " P"]:
        """A field by pixel, worked out at each."""
        return field(self.points_m, seed=seed, wavelength_m=wavelength_m, octaves=octaves)

    def smooth(self, seed: int, wavelength_m: float, octaves: int = 1) -> Float32[np.ndarray, " P"]:
        """A field by pixel, worked out at nodes 40 m apart: for what varies over 200 m and more."""
        at_nodes = field(self.fine_m.reshape(-1, 3), seed=seed, wavelength_m=wavelength_m, octaves=octaves)
        nodes = at_nodes.reshape(self.fine_m.shape[:2])
        return _to_pixels(nodes, self, FINE, FINE * (self.margin - 2) + 1)

    def slow(self, seed: int, wavelength_m: float, octaves: int = 1) -> Float32[np.ndarray, " P"]:
        """A field by pixel, worked out at nodes 160 m apart: for what varies over a kilometre and more."""
        return self.from_coarse(self.at_coarse(seed, wavelength_m, octaves))

    def at_coarse(self, seed: int, wavelength_m: float, octaves: int = 1) -> Float32[np.ndarray, "B B"]:
        """A field at the coarse nodes."""
        at_nodes = field(self.coarse_m.reshape(-1, 3), seed=seed, wavelength_m=wavelength_m, octaves=octaves)
        return at_nodes.reshape(self.coarse_m.shape[:2])

    def from_coarse(self, nodes: Float32[np.ndarray, "B B"]) -> Float32[np.ndarray, " P"]:
        """By pixel, what is known at the coarse nodes."""
        return _to_pixels(nodes, self, 1, self.margin)

    def square(self, values: np.ndarray) -> np.ndarray:
        """The same values as rows and columns, rim and all."""
        return values.reshape(self.width_px, self.width_px)

    def inner(self, values: np.ndarray) -> np.ndarray:
        """Rows and columns of the chip alone, without its rim."""
        last = self.rim_px + self.side_px
        return self.square(values)[self.rim_px : last, self.rim_px : last]


def make_lattice(chip: Chip, side_px: int, rim_px: int = 0) -> Lattice:
    """The pixels of a chip, `side_px` along a side, with a rim of the chips around it."""
    pixel_m = chip.size_m / side_px
    cells = max(1, math.ceil(chip.size_m / max(COARSE_M, FINE * pixel_m)))
    margin = math.ceil(rim_px * cells / side_px) + 2
    lon, lat = _coarse_degrees(chip, cells, margin)
    coarse = [lon, lat, *_in_space(lon, lat)]
    fine = [_between_coarse(plane, cells, margin) for plane in coarse[2:]]
    place = (2 * cells, cells, 2 * side_px)
    pixels = [_spread(plane, -margin, (-rim_px, side_px + 2 * rim_px), place) for plane in coarse]
    return Lattice(
        side_px, rim_px, pixel_m, cells, margin, pixels[0].ravel(), pixels[1].ravel(),
        np.stack(pixels[2:], axis=-1).reshape(-1, 3), np.stack(coarse[2:], axis=-1), np.stack(fine, axis=-1),
    )  # fmt: skip


def _coarse_degrees(chip: Chip, cells: int, margin: int) -> tuple[np.ndarray, np.ndarray]:
    # Whole numbers times one spacing: a node that two chips share gets the very same coordinates from both.
    spacing = chip.size_m / cells
    along = np.arange(-margin, cells + margin + 1)
    x, y = np.meshgrid((chip.col * cells + along) * spacing, ORIGIN_Y_M - (chip.row * cells + along) * spacing)
    lon, lat = (np.asarray(axis) for axis in to_degrees(chip.epsg).transform(x, y))
    # Counted from the zone's middle, so that all chips of a zone give a longitude across the antimeridian the same name.
    middle = 6.0 * (chip.epsg % 100) - 183.0
    return middle + (lon - middle + 180) % 360 - 180, lat


def _in_space(lon_deg: np.ndarray, lat_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    return EARTH_RADIUS_M * x, EARTH_RADIUS_M * y, EARTH_RADIUS_M * z


def _between_coarse(plane: np.ndarray, cells: int, margin: int) -> np.ndarray:
    beyond = FINE * (margin - 2) + 1
    return _spread(plane, -margin, (-beyond, FINE * cells + 2 * beyond + 1), (1, 0, FINE))


def _to_pixels(nodes: np.ndarray, lattice: Lattice, density: int, beyond: int) -> np.ndarray:
    place = (2 * lattice.cells * density, lattice.cells * density, 2 * lattice.side_px)
    return _spread(nodes, -beyond, (-lattice.rim_px, lattice.width_px), place).ravel()


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _spread(nodes: np.ndarray, first_node: int, targets: tuple[int, int], place: tuple[int, int, int]) -> np.ndarray:
    """Smooth values between nodes (uniform cubic B-spline, so that slopes have no facets); [row, column].

    `targets` are the first and the number along a side; target i lies at node (place[0] * i + place[1]) / place[2], in
    whole numbers, so that neighbouring chips weigh the nodes that they share with the very same weights.
    """
    first, count = targets
    starts, weights = np.empty(count + 1, np.int64), np.empty((4, count), nodes.dtype)
    starts[count] = 1 << 62
    for t in range(count):
        above = place[0] * (first + t) + place[1]
        cell = above // place[2]
        u = (above - cell * place[2]) / place[2]
        starts[t] = cell - 1 - first_node
        weights[0, t] = (1 - u) ** 3 / 6
        weights[1, t] = (3 * u**3 - 6 * u**2 + 4) / 6
        weights[2, t] = (-3 * u**3 + 3 * u**2 + 3 * u + 1) / 6
        weights[3, t] = u**3 / 6
    values, line = np.empty((count, count), nodes.dtype), np.empty(nodes.shape[1], nodes.dtype)
    for row in range(count):
        top = starts[row]
        for k in range(nodes.shape[1]):
            upper = weights[0, row] * nodes[top, k] + weights[1, row] * nodes[top + 1, k]
            line[k] = upper + (weights[2, row] * nodes[top + 2, k] + weights[3, row] * nodes[top + 3, k])
        col = 0
        while col < count:
            # All pixels between two nodes at once: the compiler then works on several together.
            left, end = starts[col], col + 1
            while starts[end] == left:
                end += 1
            a, b, c, d = line[left], line[left + 1], line[left + 2], line[left + 3]
            for t in range(col, end):
                values[row, t] = (weights[0, t] * a + weights[1, t] * b) + (weights[2, t] * c + weights[3, t] * d)
            col = end
    return values
