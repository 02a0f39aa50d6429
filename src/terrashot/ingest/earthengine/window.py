"""Pixels of a computed image on a lattice of ours: cut into requests that the service takes, and put together again.

The service's limits: 48 MiB a request before packing, each band's pixel counted with one byte for its mask; 32,768 pixels a side;
1,024 bands. Source: Earth Engine REST API v1, `projects.image.computePixels`; the byte of the mask: google/Xee issue 209.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from terrashot.errors import InputError
from terrashot.ingest.earthengine.expression import Call, expression_of
from terrashot.raster.npy_bytes import read_npy_bands
from terrashot.raster.place import RasterPlace
from terrashot.raster.window_needed import part_of
from terrashot.remote.earth_engine import Engine

REQUEST_BYTES: Final = 48 << 20
MASK_BYTES: Final = 1
LONGEST_SIDE_PX: Final = 32_768
MOST_BANDS: Final = 1_024
HEADER_BYTES: Final = 4_096
"""Of an answer: names and kinds of at most a few dozen bands, and to spare."""


@dataclass(frozen=True, slots=True)
class Band:
    """One band of a computed image."""

    name: str
    """Letters, digits and underscores."""
    dtype: str
    """numpy's name of its numbers: `float32`, `uint32`."""

    @property
    def pixel_bytes(self) -> int:
        """Of one pixel, as the service counts."""
        return np.dtype(self.dtype).itemsize + MASK_BYTES


@dataclass(frozen=True, slots=True)
class Request:
    """Some bands of some rows."""

    bands: tuple[Band, ...]
    rows: slice

    def n_bytes(self, width_px: int) -> int:
        """As the service counts them."""
        return sum(band.pixel_bytes for band in self.bands) * (self.rows.stop - self.rows.start) * width_px


def requests_for(bands: Sequence[Band], place: RasterPlace) -> tuple[Request, ...]:
    """All bands of all rows, in as few requests as the limits allow: by bands first, by rows where one band is too large.

    Raises:
        InputError: a side is too long.
    """
    if max(place.width_px, place.height_px) > LONGEST_SIDE_PX:
        raise InputError(f"{place.width_px} x {place.height_px} px: Earth Engine gives {LONGEST_SIDE_PX} a side")
    largest = max(band.pixel_bytes for band in bands)
    rows_at_once = min(place.height_px, REQUEST_BYTES // (largest * place.width_px))
    starts = range(0, place.height_px, rows_at_once)
    stripes = [slice(start, min(start + rows_at_once, place.height_px)) for start in starts]
    return tuple(Request(own, rows) for rows in stripes for own in _together(bands, rows_at_once * place.width_px))


def compute_bands(engine: Engine, image: Call, bands: Sequence[Band], place: RasterPlace) -> dict[str, np.ndarray]:
    """Each band's numbers, rows by columns, 0 where the image is masked.

    Raises:
        InputError: the service cannot compute it, or answers with something else.
        NetworkError: no answer within the limits.
    """
    expression = expression_of(image)
    found: dict[str, list[np.ndarray]] = {band.name: [] for band in bands}
    for request in requests_for(bands, place):
        for name, stripe in _answer(engine, expression, request, place).items():
            found[name].append(stripe)
    return {name: np.concatenate(stripes) for name, stripes in found.items()}


def pixels_body(expression: Mapping[str, Any], bands: Sequence[Band], place: RasterPlace) -> dict[str, Any]:
    """The question as it goes to `image:computePixels`."""
    a, b, c, d, e, f = place.affine
    return {
        "expression": expression,
        "fileFormat": "NPY",
        "bandIds": [band.name for band in bands],
        "grid": {
            "crsCode": place.crs,
            "dimensions": {"width": place.width_px, "height": place.height_px},
            "affineTransform": {
                "scaleX": a, "shearX": b, "translateX": c, "shearY": d, "scaleY": e, "translateY": f,
            },
        },
    }  # fmt: skip


def _answer(
    engine: Engine, expression: Mapping[str, Any], request: Request, place: RasterPlace
) -> Mapping[str, np.ndarray]:
    part = part_of(place, request.rows, slice(0, place.width_px))
    body = pixels_body(expression, request.bands, part)
    content = engine.pixels(body, request.n_bytes(place.width_px) + HEADER_BYTES)
    kinds = {band.name: band.dtype for band in request.bands}
    return read_npy_bands(content, kinds, (part.height_px, part.width_px), engine.name)


def _together(bands: Sequence[Band], n_pixels: int) -> Iterator[tuple[Band, ...]]:
    """Runs of bands that fit into one request."""
    run: list[Band] = []
    for band in bands:
        n_bytes = n_pixels * sum(own.pixel_bytes for own in (*run, band))
        if run and (n_bytes > REQUEST_BYTES or len(run) == MOST_BANDS):
            yield tuple(run)
            run = []
        run.append(band)
    yield tuple(run)
