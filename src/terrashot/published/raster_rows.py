"""What the makers of a vector a pixel share: windows around pixels, and pixels that are no data.

n: pixels looked up at once.
"""

import numpy as np
from jaxtyping import Bool, Float32, Int64

TIFF_ENDINGS = (".tif", ".tiff")

Numbers = Int64[np.ndarray, " n"]


def window_around(rows: Numbers, cols: Numbers) -> tuple[slice, slice]:
    """The smallest window that holds some pixels."""
    return slice(int(rows.min()), int(rows.max()) + 1), slice(int(cols.min()), int(cols.max()) + 1)


def blank_where_absent(
    vectors: Float32[np.ndarray, "n D"], absent: Bool[np.ndarray, " n"] | None = None
) -> Float32[np.ndarray, "n D"]:
    """The same rows; all NaN where one is said to be absent, has a number that is not finite, or is zero throughout.

    An embedding that a model made is not zero in every dimension; exports write zeros where they have nothing.
    """
    bad = ~np.isfinite(vectors).all(axis=1) | ~vectors.any(axis=1)
    vectors[bad if absent is None else bad | absent] = np.nan
    return vectors
