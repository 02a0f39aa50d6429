"""Smooth random fields on the sphere: same point, same value, whatever else is asked and in whatever order.

P points or pixels. Compiled functions are exempt from the tests' type checks (`no_type_check`): numba cannot compile a
checked one.
"""

from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numba import njit

OCTAVE_SHARE: Final = 0.55
"""Amplitude of an octave beside the one before."""


def field(
    points_m: Float64[np.ndarray, "P 3"], *, seed: int, wavelength_m: float, octaves: int = 1
) -> Float32[np.ndarray, " P"]:
    """A field of mean about 0 and spread about 1 that varies over `wavelength_m` and, with octaves, over halves of it.

    Args:
        points_m: places in space, metres from the Earth's centre; so zones of a map projection join without a seam.

    Source: value noise with quintic fading, Perlin 2002 (Improving noise, eq. for the fade curve).
    """
    return _octaves(np.ascontiguousarray(points_m), wavelength_m, seed * 1_000_003, octaves)


def shared(grains: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Independent draws made alike to their neighbours: weighted over three along each of the last two axes.

    Args:
        grains: with one draw more than is wanted on each side.
    """
    down = weights[0] * (grains[..., :-2, :] + grains[..., 2:, :]) + weights[1] * grains[..., 1:-1, :]
    across: np.ndarray = weights[0] * (down[..., :-2] + down[..., 2:]) + weights[1] * down[..., 1:-1]
    return across


def drawn(keys: Int64[np.ndarray, " P"], salt: int) -> Float32[np.ndarray, " P"]:
    """A uniform number, 0 to 1, for each key and purpose."""
    return _uniform_of_keys(np.ascontiguousarray(keys), salt)


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def mixed(x: int, y: int, z: int, seed: int) -> int:
    """Sixty-four well-mixed bits from four whole numbers (multiply and xorshift, as in splitmix64)."""
    h = np.uint64(x) * np.uint64(0x9E3779B97F4A7C15)
    h ^= np.uint64(y) * np.uint64(0xC2B2AE3D27D4EB4F) + (h << np.uint64(6)) + (h >> np.uint64(2))
    h ^= np.uint64(z) * np.uint64(0x165667B19E3779F9) + (h << np.uint64(6)) + (h >> np.uint64(2))
    h ^= np.uint64(seed) * np.uint64(0xD6E8FEB86659FD93) + (h << np.uint64(6)) + (h >> np.uint64(2))
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def uniform(bits: int) -> float:
    """A number from 0 to 1 of mixed bits."""
    return float(bits >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _uniform_of_keys(keys: np.ndarray, salt: int) -> np.ndarray:
    values = np.empty(len(keys), np.float32)
    last, value = np.int64(0), np.float32(uniform(mixed(0, salt, 0, 0)))
    for i in range(len(keys)):
        if keys[i] != last:
            last, value = keys[i], np.float32(uniform(mixed(keys[i], salt, 0, 0)))
        values[i] = value
    return values


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _fade(t: float) -> float:
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _octaves(points: np.ndarray, wavelength_m: float, seed: int, octaves: int) -> np.ndarray:
    values, square = np.zeros(len(points)), 0.0
    for octave in range(octaves):
        amplitude = OCTAVE_SHARE**octave
        square += amplitude**2
        _add_value_noise(values, points, (wavelength_m / 2**octave, amplitude), seed + octave)
    # Measured over 200,000 points of the sphere: one octave of uniform lattice values has a spread of 0.20.
    return (values / (0.20 * square**0.5)).astype(np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _add_value_noise(
    values: np.ndarray, points: np.ndarray, cell_and_amplitude: tuple[float, float], seed: int
) -> None:
    per_m, amplitude = 1 / cell_and_amplitude[0], cell_and_amplitude[1]
    corners = np.empty(8)
    hx, hy, hz = 1 << 62, 0, 0
    for i in range(len(points)):
        x, y, z = points[i, 0] * per_m, points[i, 1] * per_m, points[i, 2] * per_m
        ix, iy, iz = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        if ix != hx or iy != hy or iz != hz:
            # Pixels in a row mostly share a lattice cell: hashing its corners once makes smooth fields fast.
            for corner in range(8):
                bits = mixed(ix + (corner & 1), iy + ((corner >> 1) & 1), iz + (corner >> 2), seed)
                corners[corner] = uniform(bits) - 0.5
            hx, hy, hz = ix, iy, iz
        wx, wy, wz = _fade(x - ix), _fade(y - iy), _fade(z - iz)
        low = _blend(_blend(corners[0], corners[1], wx), _blend(corners[2], corners[3], wx), wy)
        high = _blend(_blend(corners[4], corners[5], wx), _blend(corners[6], corners[7], wx), wy)
        values[i] += amplitude * _blend(low, high, wz)


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _blend(left: float, right: float, weight: float) -> float:
    return left + weight * (right - left)
