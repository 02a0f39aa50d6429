"""Reads bands from the bytes of a .npy with named fields, as services send it: of the form that was asked for, never a pickle."""

import io
from collections.abc import Mapping

import numpy as np

from terrashot.errors import InputError, one_line
from terrashot.raster.npy import MAX_HEADER_CHARS

CHARS_A_BAND = 64
"""Of the header: name and kind."""


def read_npy_bands(
    content: bytes, dtypes: Mapping[str, str], shape: tuple[int, int], where: str
) -> dict[str, np.ndarray]:
    """Each band's numbers, rows by columns.

    Args:
        dtypes: kind of number by name of band; all must be there, and no other.
        shape: rows, columns.
        where: who sent it, for messages.

    Raises:
        InputError: not a .npy, objects in it, other bands, kinds or sizes than asked for, or too short or long.
    """
    file = io.BytesIO(content)
    try:
        stored_shape, stored = _header(file, MAX_HEADER_CHARS + CHARS_A_BAND * len(dtypes))
    except (ValueError, TypeError, SyntaxError, KeyError, RecursionError, MemoryError) as error:
        raise InputError(f"{where}: an answer that is no .npy ({one_line(error)})") from None
    kinds = {name: stored[name].newbyteorder("=") for name in stored.names or ()}
    if kinds != {name: np.dtype(kind) for name, kind in dtypes.items()} or stored_shape != shape:
        found = ", ".join(f"{name} {kind}" for name, kind in kinds.items()) or str(stored)
        raise InputError(
            f"{where}: an answer of {found[:200]} of shape {stored_shape}; asked for {shape} of {dict(dtypes)}"
        )
    n_bytes = shape[0] * shape[1] * stored.itemsize
    if len(content) - file.tell() != n_bytes:
        raise InputError(f"{where}: an answer with {len(content) - file.tell()} bytes of pixels; it claims {n_bytes}")
    table = np.frombuffer(content, stored, offset=file.tell()).reshape(shape)
    return {name: np.array(table[name], dtypes[name]) for name in dtypes}


def _header(file: io.BytesIO, most_chars: int) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and kind, rows first."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version}")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_column_first, dtype = read(file, max_header_size=most_chars)
    if is_column_first or dtype.hasobject or dtype.names is None:
        raise ValueError(f"{dtype}, columns first: {is_column_first}")
    return shape, dtype
