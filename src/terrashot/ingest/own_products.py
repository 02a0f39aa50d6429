"""A user's own GUNW products in a folder, under the names that they were published by."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from terrashot.domain.cells import halves_at_antimeridian
from terrashot.domain.coherence_pair import product_name
from terrashot.errors import InputError
from terrashot.ingest.inside import refuse_outside
from terrashot.ingest.pair_list import Product
from terrashot.ingest.product_claims import refuse_another
from terrashot.raster.gunw_product import GunwProduct, open_gunw_product

STEP_PX: Final = 8
"""Of the cells that are looked at to find where the frame lies."""
BAND_PX: Final = 256
"""Rows that are read at once: 10 MB of the widest frame, beside the unpacked chunks that the reader keeps."""


def own_product_paths(folder: Path) -> list[Path]:
    """The NetCDF files of a folder, by name.

    Raises:
        InputError: no such folder, no file in it, or one that leads out of it.
    """
    found = sorted(path for path in folder.glob("*.nc") if path.is_file()) if folder.is_dir() else []
    if not found:
        raise InputError(f"{folder}: holds no GUNW products (S1-GUNW-....nc); correct [source.coherence] folder")
    for path in found:
        refuse_outside(path, folder)
    return found


def own_product(path: Path, variable: str) -> Product:
    """What the file's name and its cells say.

    Raises:
        InputError: no name of a product, or that of another; unreadable, or without a single cell; names the file.
    """
    try:
        name = product_name(path.name)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    with open_gunw_product(path, variable) as product:
        refuse_another(product, name)
        return Product(name, outline_of(product), path.name)


def outline_of(product: GunwProduct) -> shapely.Geometry:
    """Around the cells that have coherence, in degrees: frames lie askew in their files.

    Raises:
        InputError: there is none, or the file cannot be read.
    """
    points = np.concatenate([*_cells_there(product)])
    if not len(points):
        raise InputError(f"{product.path}: has no cell with coherence; leave it out")
    points[:, 0] -= 360 * np.floor((points[:, 0].min() + 180) / 360)  # files may count from beyond either side of 180
    hull = shapely.buffer(shapely.MultiPoint(points).convex_hull, STEP_PX * abs(product.place.affine[0]))
    return shapely.union_all(halves_at_antimeridian(hull)) if hull.bounds[2] > 180 else hull


def _cells_there(product: GunwProduct) -> Iterator[np.ndarray]:
    """Longitude and latitude of cells with coherence, on the rim of each row that is looked at."""
    a, _, west, _, e, north = product.place.affine
    for start in range(0, product.place.height_px, BAND_PX):
        rows = slice(start, min(start + BAND_PX, product.place.height_px))
        is_there = np.isfinite(product.read(rows, slice(0, product.place.width_px))[::STEP_PX])
        some = np.flatnonzero(is_there.any(axis=1))
        first, last = is_there.argmax(axis=1)[some], is_there.shape[1] - 1 - is_there[:, ::-1].argmax(axis=1)[some]
        lat_deg = north + e * (start + STEP_PX * some + 0.5)
        yield from (np.column_stack([west + a * (cols + 0.5), lat_deg]) for cols in (first, last))
