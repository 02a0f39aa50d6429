"""Numbers of a Sentinel-2 file as reflectance."""

import numpy as np
from jaxtyping import Float32, Integer

from terrashot.ingest.boa_offset import DN_PER_REFLECTANCE, Offset

NO_DATA_DN = 0


def reflectance(dn: Integer[np.ndarray, "H W"], offset: Offset) -> Float32[np.ndarray, "H W"]:
    """Surface reflectance; NaN where the file has 0, its no data.

    No data is told by the number in the file: with an offset, land of reflectance -0.1 would come to the same. Negatives are legal,
    the atmospheric correction leaves them over dark ground. The quotient is the nearest float32.
    """
    # The sum in int32: in the file's uint16 it would wrap below 0.
    shifted = dn.astype(np.int32)
    shifted += np.int32(offset.offset_dn)
    found = shifted.astype(np.float32)
    found /= np.float32(DN_PER_REFLECTANCE)
    found[dn == NO_DATA_DN] = np.nan
    return found
