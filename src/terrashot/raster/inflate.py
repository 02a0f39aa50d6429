"""Deflate streams unpacked, each held against the checksum that it ends with.

By libdeflate where GDAL was built with it, in half the time of Python's zlib. Neither keeps anything from call to call, and other
threads of Python run meanwhile: this is no turn in GDAL (`turn.py`).
"""

import ctypes
import zlib
from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import UInt8

try:
    import rasterio.crs as linked_to_gdal
except ImportError:  # an optional extra
    linked_to_gdal = None

Inflate = Callable[[UInt8[np.ndarray, " N"], UInt8[np.ndarray, " M"]], int | None]
"""Unpacks the first into the second; how many bytes came, None where the stream is damaged or has more than there is room for."""


def by_zlib(packed: UInt8[np.ndarray, " N"], room: UInt8[np.ndarray, " M"]) -> int | None:
    """How many bytes came, by Python's zlib."""
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed.data, len(room))
        more = stream.decompress(stream.unconsumed_tail, 1)  # to the checksum, which is compared at the stream's end
    except zlib.error:
        return None
    if more or not stream.eof:
        return None
    room[: len(content)] = np.frombuffer(content, np.uint8)
    return len(content)


def _of_gdal() -> Inflate | None:
    """By the function of GDAL's C interface that unpacks a stream in memory; None where rasterio's own file does not lead to it."""
    try:
        inflate = ctypes.CDLL(linked_to_gdal.__file__).CPLZLibInflate
    except (AttributeError, OSError):
        return None
    inflate.restype = ctypes.c_void_p
    inflate.argtypes = [
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_size_t),
    ]

    def by_gdal(packed: UInt8[np.ndarray, " N"], room: UInt8[np.ndarray, " M"]) -> int | None:
        came = ctypes.c_size_t()
        is_whole = inflate(_address(packed), packed.size, _address(room), room.size, ctypes.byref(came))
        return came.value if is_whole else None

    return by_gdal


def _address(content: UInt8[np.ndarray, " N"]) -> int:
    """Where it lies in memory. Not `ctypes.data`, which takes 30 us: a fortieth of the unpacking."""
    return int(content.__array_interface__["data"][0])


by_gdal: Final = _of_gdal()
"""As `by_zlib`; None where GDAL cannot be reached, as on systems that hide what a library is linked to."""
_INFLATE: Final = by_gdal or by_zlib


def inflated(packed: bytes | memoryview, most_bytes: int) -> UInt8[np.ndarray, " n"] | None:
    """What the stream unpacks to; None where it does not fit its checksum, or is more than it may be."""
    room = np.empty(most_bytes, np.uint8)
    n_bytes = _INFLATE(np.frombuffer(packed, np.uint8), room) if packed else None
    return None if n_bytes is None else room[:n_bytes]
