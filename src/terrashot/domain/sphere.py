"""Places on the Earth as points of space, where near is near across the antimeridian and the poles too."""

import numpy as np
from jaxtyping import Float64


def on_unit_sphere(
    lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"]
) -> Float64[np.ndarray, "N 3"]:
    """Unit vectors from the middle of the Earth; NaN where a place is unknown."""
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
