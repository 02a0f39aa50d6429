"""What a file draws, before anyone has asked whether it can be an outline."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj

from terrashot.errors import InputError

MAX_BYTES = 50 << 20
MAX_VERTICES = 1_000_000
POLYGONS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Polygons of a file."""

    shapes: np.ndarray
    """Shapely polygons and multi-polygons, valid or not."""
    crs: pyproj.CRS | None
    """What their coordinates mean; None where the file does not say."""
    has_heights: bool = False
    """Heights stood beside the coordinates, and are gone."""


def refuse_size(path: Path) -> None:
    """Nothing, for a file that is there and no larger than outlines are.

    Raises:
        InputError: it is not.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: over {MAX_BYTES >> 20} MiB; simplify the outline")
    except FileNotFoundError:
        raise InputError(f"{path}: no such outline file") from None
    if not path.is_file():
        raise InputError(f"{path}: cannot be read as an outline: is no file")
