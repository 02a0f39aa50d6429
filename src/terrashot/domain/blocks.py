"""Square blocks of the ground, laid like a checkerboard of several colours: neighbours are never of one colour."""

import numpy as np
from jaxtyping import Float64, Int64

from terrashot.domain.buffer import EARTH_RADIUS_M


def block_folds(
    lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"], side_km: float, folds: int
) -> Int64[np.ndarray, " N"]:
    """The fold of each place, 0 to folds - 1: that of its block.

    Blocks stand in rows along the parallels, each as many as go round the Earth there, so that they belong to no zone and a
    place's fold depends on no other place. With three folds or more, blocks beside each other are of different folds.
    """
    height_deg = np.degrees(side_km * 1000 / EARTH_RADIUS_M)
    row = np.floor(lat_deg / height_deg)
    middle = np.radians(np.clip((row + 0.5) * height_deg, -89.0, 89.0))
    width_deg = 360 / np.maximum(1, np.floor(360 * np.cos(middle) / height_deg))
    col = np.floor((lon_deg % 360) / width_deg)
    # A row on, colours move by two, so that those above and below differ too where there are four or more.
    step = 2 if folds > 3 else 1
    return ((col + step * row) % folds).astype(np.int64)
