"""Numbers of a Sentinel-2 file as reflectance."""

from typing import no_type_check

import numpy as np
from jaxtyping import Float32, Integer
from numba import njit

from terrashot.ingest.boa_offset import DN_PER_REFLECTANCE, Offset

NO_DATA_DN = 0


def reflectance(dn: Integer[np.ndarray, "H W"], offset: Offset) -> Float32[np.ndarray, "H W"]:
    """Surface reflectance; NaN where the file has 0, its no data.

    No data is told by the number in the file: with an offset, land of reflectance -0.1 would come to the same. Negatives are legal,
    the atmospheric correction leaves them over dark ground. The quotient is the nearest float32.
    """
    found = np.empty(dn.shape, np.float32)
    _divide(dn.reshape(-1), np.int32(offset.offset_dn), np.float32(DN_PER_REFLECTANCE), found.reshape(-1))
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _divide(dn: np.ndarray, offset_dn: int, dn_per_reflectance: float, found: np.ndarray) -> None:
    """Compiled since in numpy most of the time went into arrays in between."""
    for pixel in range(len(dn)):
        # The sum in int32: in the file's uint16 it would wrap below 0.
        shifted = np.float32(np.int32(np.int32(dn[pixel]) + offset_dn))
        found[pixel] = np.float32(np.nan) if dn[pixel] == NO_DATA_DN else shifted / dn_per_reflectance
