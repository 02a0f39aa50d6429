"""Stored numbers of one channel as what may be averaged: reflectance, or a radar's power."""

import numpy as np
from jaxtyping import Float32

from terrashot.errors import InputError
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.decibels import as_power
from terrashot.ingest.reflectance import reflectance
from terrashot.ingest.scaled import scaled
from terrashot.ingest.window import Window
from terrashot.remote.profiles import Plane, Profile


def quantity(window: Window, plane: Plane, product: Profile, offset: Offset | None) -> Float32[np.ndarray, "h w"]:
    """Reflectance of optical products, power of radar; NaN where the file has no data.

    Args:
        offset: of products whose numbers may be shifted by 1000 (`boa_offset.py`); None of all others.

    Raises:
        InputError: numbers that are none of the product's, or radar that nobody calibrated.
    """
    if product.offset_rule is not None:
        assert offset is not None, "found for every scene when it was searched"
        if window.stored.dtype.kind not in "ui":
            raise InputError(
                f"{window.name}: {window.stored.dtype} where Sentinel-2 has whole numbers; this is another product"
            )
        return reflectance(window.stored, offset)
    values = _scaled(window, plane)
    return values if product.unit == "reflectance" else as_power(values[None], product.unit)[0]


def _scaled(window: Window, plane: Plane) -> Float32[np.ndarray, "h w"]:
    """value = stored * scale + offset, as the plane says, else the file; what is no data in either is NaN."""
    scale = window.scale if plane.scale is None else plane.scale
    offset = window.offset if plane.offset is None else plane.offset
    return scaled(window.stored, scale, offset, (plane.nodata, window.nodata))
