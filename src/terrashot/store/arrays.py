"""Arrays as bytes and back, for parts of unfinished tables."""

import io
from collections.abc import Sequence

import numpy as np


def arrays_as_bytes(arrays: Sequence[np.ndarray]) -> bytes:
    """The arrays one after the other, each in NumPy's own format; no objects."""
    buffer = io.BytesIO()
    for array in arrays:
        np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def arrays_of_bytes(content: bytes) -> list[np.ndarray]:
    """The arrays that `arrays_as_bytes` was given; ValueError for anything else."""
    buffer, found = io.BytesIO(content), []
    while buffer.tell() < len(content):
        found.append(np.lib.format.read_array(buffer, allow_pickle=False))
    return found
