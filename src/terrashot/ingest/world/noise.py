"""Smooth random fields on the sphere: same point, same value, whatever else is asked and in whatever order."""

import numpy as np
from jaxtyping import Float64
from numba import njit


def field(
    points_m: Float64[np.ndarray, "P 3"], *, seed: int, wavelength_m: float, octaves: int = 1
) -> Float64[np.ndarray, " P"]:
    """A field of mean about 0 and spread about 1 that varies over `wavelength_m` and, with octaves, over halves of it.

    Args:
        points_m: places in space, metres from the Earth's centre; so zones of a map projection join without a seam.

    Source: value noise with quintic fading, Perlin 2002 (Improving noise, eq. for the fade curve).
    """
    total, weight = np.zeros(len(points_m)), 0.0
    for octave in range(octaves):
        amplitude = 0.55**octave
        total += amplitude * _value_noise(points_m / (wavelength_m / 2**octave), seed * 1_000_003 + octave)
        weight += amplitude**2
    # One octave of uniform lattice values has a spread of about 0.17 between the lattice points.
    return total / (0.17 * weight**0.5)


def hashed(cells: np.ndarray, seed: int) -> Float64[np.ndarray, " P"]:
    """A uniform number, -0.5 to 0.5, for each row of whole numbers."""
    return _hash_rows(np.ascontiguousarray(cells, dtype=np.int64), seed)


@njit(cache=True, nogil=True)
def _mix(x: int, y: int, z: int, seed: int) -> float:
    """Uniform in -0.5 to 0.5 from four whole numbers (multiply and xorshift, as in splitmix64)."""
    h = np.uint64(x) * np.uint64(0x9E3779B97F4A7C15)
    h ^= np.uint64(y) * np.uint64(0xC2B2AE3D27D4EB4F) + (h << np.uint64(6)) + (h >> np.uint64(2))
    h ^= np.uint64(z) * np.uint64(0x165667B19E3779F9) + (h << np.uint64(6)) + (h >> np.uint64(2))
    h ^= np.uint64(seed) * np.uint64(0xD6E8FEB86659FD93) + (h << np.uint64(6)) + (h >> np.uint64(2))
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return float(h >> np.uint64(11)) / 9007199254740992.0 - 0.5


@njit(cache=True, nogil=True)
def _hash_rows(cells: np.ndarray, seed: int) -> np.ndarray:
    values = np.empty(len(cells))
    for i in range(len(cells)):
        values[i] = _mix(cells[i, 0], cells[i, 1], 0, seed)
    return values


@njit(cache=True, nogil=True)
def _fade(t: float) -> float:
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


@njit(cache=True, nogil=True)
def _value_noise(points: np.ndarray, seed: int) -> np.ndarray:
    values = np.empty(len(points))
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        ix, iy, iz = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        wx, wy, wz = _fade(x - ix), _fade(y - iy), _fade(z - iz)
        total = 0.0
        for corner in range(8):
            dx, dy, dz = corner & 1, (corner >> 1) & 1, corner >> 2
            weight = (wx if dx else 1 - wx) * (wy if dy else 1 - wy) * (wz if dz else 1 - wz)
            total += weight * _mix(ix + dx, iy + dy, iz + dz, seed)
        values[i] = total
    return values
