"""Radar power and decibels: there and back, with no data where power is not positive."""

from collections.abc import Callable
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32
from numba import njit

from terrashot.errors import InputError

MOST_DB: Final = 200.0
"""Further from 0 dB nothing is measured, and float32 ends."""


def to_db(power: Float32[np.ndarray, "C H W"]) -> Float32[np.ndarray, "C H W"]:
    """10 log10 of power, in float64 and then rounded; NaN where it is zero, negative or not finite."""
    db = np.empty_like(power)
    to_db_into(db, power)
    return db


def to_db_into(db: Float32[np.ndarray, "C H W"], power: Float32[np.ndarray, "C H W"]) -> None:
    """`db` holds what `to_db` gives; it may be `power` itself."""
    for own, plane in zip(db, power, strict=True):
        exact = np.empty(plane.shape)
        _keep_positive(plane.reshape(-1), exact.reshape(-1))
        np.log10(exact, out=exact)
        np.multiply(exact, 10, out=own, casting="same_kind")


def from_db(db: Float32[np.ndarray, "C H W"]) -> Float32[np.ndarray, "C H W"]:
    """Power; NaN where the decibels are not finite or beyond 200."""
    is_measured = np.isfinite(db) & (np.abs(np.where(np.isfinite(db), db, 0)) <= MOST_DB)
    power = 10 ** (np.where(is_measured, db, 0).astype(np.float64) / 10)
    return np.where(is_measured, power, np.nan).astype(np.float32)


def as_power(values: Float32[np.ndarray, "C H W"], unit: str) -> Float32[np.ndarray, "C H W"]:
    """Backscatter as power, which alone may be averaged; NaN where there is none.

    Args:
        unit: `power`, `gamma0` (power too), `amplitude` (its square is power) or `dB`.

    Raises:
        InputError: another unit, as counts of a GRD that nobody calibrated: their brightness depends on the place in the swath.
    """
    if unit not in POWER_OF:
        raise InputError(f"radar in '{unit}': needs {', '.join(POWER_OF)}; take RTC, or calibrate GRD to sigma0 first")
    return POWER_OF[unit](values)


def _positive(power: Float32[np.ndarray, "C H W"]) -> Float32[np.ndarray, "C H W"]:
    """The power; NaN where it is zero, negative (noise was taken away, or a fill value) or not finite."""
    found = np.empty(power.shape, np.float32)
    _keep_positive(power.reshape(-1), found.reshape(-1))
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _keep_positive(power: np.ndarray, found: np.ndarray) -> None:
    for pixel in range(len(power)):
        found[pixel] = power[pixel] if 0 < power[pixel] < np.inf else np.nan


def _squared(amplitude: Float32[np.ndarray, "C H W"]) -> Float32[np.ndarray, "C H W"]:
    is_measured = np.isfinite(amplitude) & (amplitude > 0) & (amplitude <= 10 ** (MOST_DB / 20))
    return _positive(np.where(is_measured, amplitude, 0) ** 2)


POWER_OF: dict[str, Callable[[Float32[np.ndarray, "C H W"]], Float32[np.ndarray, "C H W"]]] = {
    "power": _positive,
    "gamma0": _positive,
    "amplitude": _squared,
    "dB": from_db,
}
