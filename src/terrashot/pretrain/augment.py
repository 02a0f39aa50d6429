"""The eight ways to lay down a square."""

import numpy as np
from jaxtyping import Float32

N_SYMMETRIES = 8


def turned(pixels: Float32[np.ndarray, "H W"], symmetry: int) -> Float32[np.ndarray, "H W"]:
    """The image flipped (symmetry 4 to 7) and turned by `symmetry % 4` quarters; 0 leaves it as it is."""
    flipped = pixels[:, ::-1] if symmetry >= 4 else pixels
    return np.rot90(flipped, symmetry % 4)
