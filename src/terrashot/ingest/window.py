"""The part of one channel's file that a chip needs, as stored: near or far, at the level that is enough."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from terrashot.raster.asset import Asset
from terrashot.raster.place import RasterPlace, is_geographic
from terrashot.raster.window_needed import window_needed
from terrashot.remote.profiles import Plane

OpenPlane = Callable[[Plane], AbstractContextManager[Asset]]
"""Opens the file of a channel, near or far."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of one channel as stored, and what its file says of it."""

    stored: Shaped[np.ndarray, "h w"]
    place: RasterPlace
    name: str
    """Of the file, for messages."""
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    """value = stored * scale + offset, as the file says; 1 and 0 where it does not."""


def read_window(plane: Plane, target: RasterPlace, open_plane: OpenPlane, *, finest: bool = False) -> Window | None:
    """The part that the chip needs, from the coarsest level that is no coarser than it; None where the file ends before.

    Args:
        finest: from the file itself, as classes need, which no overview averages.

    Raises:
        InputError: the file cannot be read, or has no lattice.
        NetworkError: it cannot be fetched within its budget.
    """
    with open_plane(plane) as asset:
        header = asset.header()
        level = 0 if finest or is_geographic(header.place.crs) else header.level_of(abs(target.affine[0]))
        needed = window_needed(asset.header(level).place, target)
        return None if needed is None else _window(asset, plane, *needed, level)


def read_overview(plane: Plane, most_side_px: int, open_plane: OpenPlane) -> Window:
    """All of a channel, at the finest level whose sides are no longer.

    Raises:
        InputError, NetworkError: as `read_window`.
    """
    with open_plane(plane) as asset:
        levels = range(len(asset.header().overviews) + 1)
        small = (level for level in levels if max(_shape(asset, level)) <= most_side_px)
        level = next(small, levels[-1])
        height_px, width_px = _shape(asset, level)
        return _window(asset, plane, slice(0, height_px), slice(0, width_px), level)


def _window(asset: Asset, plane: Plane, rows: slice, cols: slice, level: int) -> Window:
    read, header = asset.read(rows, cols, (plane.band,), level), asset.header(level)
    band = plane.band - 1
    return Window(read.pixels[0], read.place, asset.name, header.nodata, header.scales[band], header.offsets[band])


def _shape(asset: Asset, level: int) -> tuple[int, int]:
    header = asset.header(level)
    return header.height_px, header.width_px
