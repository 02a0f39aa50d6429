"""One delivery of an optical satellite as reflectance on a chip's lattice, behind its mask.

Clouds are taken away on the sensor's own pixels, and each channel is brought onto the chip once.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Integer

from terrashot.domain.acquisition import Acquisition
from terrashot.errors import InputError
from terrashot.ingest.boa_offset import Offset, clear_land, decide_offset, guard_offset
from terrashot.ingest.clear_sky import clear_by_scl, hide
from terrashot.ingest.composite import Seen
from terrashot.ingest.reasons import Reason
from terrashot.ingest.reflectance import NO_DATA_DN, reflectance
from terrashot.raster.asset import Asset
from terrashot.raster.onto_chip import nearest_onto, onto
from terrashot.raster.place import RasterPlace, is_geographic
from terrashot.raster.window_needed import window_needed
from terrashot.remote.profiles import Plane, Profile, plane_of

OpenPlane = Callable[[Plane], AbstractContextManager[Asset]]
"""Opens the file of a channel, near or far."""
GUARD_KIND = "red"
GUARD_SIDE_PX = 1100
"""Of the overview of a whole scene by which an offset is checked; a coarser one shows as well what is dark."""
NO_CLASS = 0
"""Of the scene classification: no data."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of one channel as stored."""

    dn: Integer[np.ndarray, "h w"]
    place: RasterPlace


def see_optical(
    acquisition: Acquisition,
    profile: Profile,
    kinds: Sequence[str],
    target: RasterPlace,
    *,
    offset: Offset,
    open_plane: OpenPlane,
) -> Seen:
    """What the delivery shows of the chip: (len(kinds), side, side) reflectance, NaN under cloud and where nothing was sensed.

    Args:
        target: the chip's lattice, as of `chip_place`.
        offset: as `checked_offset` finds it, once for all chips of the scene.

    Raises:
        InputError: the item lacks a channel or its mask, or a file cannot be read.
        NetworkError: a file cannot be fetched within its budget.
    """
    mask = _read(acquisition, profile, "mask", target, open_plane)
    shown = [_channel(acquisition, profile, kind, target, offset, mask, open_plane) for kind in kinds]
    return Seen(np.array([values for values, _ in shown]), tuple(why for _, why in shown))


def checked_offset(acquisition: Acquisition, profile: Profile, open_plane: OpenPlane) -> Offset:
    """The scene's offset by what its item says, checked against its clear land in a coarse overview of all of it.

    Raises:
        InputError, NetworkError: as `see_optical`.
    """
    offset = decide_offset(acquisition, profile, GUARD_KIND)
    if offset.harmonised:
        return offset
    red, classes = (_overview(acquisition, profile, kind, open_plane) for kind in (GUARD_KIND, "mask"))
    on_red = nearest_onto(classes.dn, classes.place, red.place, outside=NO_CLASS)
    return guard_offset(offset, red.dn[clear_land(on_red) & (red.dn != NO_DATA_DN)])


def _channel(
    acquisition: Acquisition, profile: Profile, kind: str, target: RasterPlace, offset: Offset,
    mask: Window | None, open_plane: OpenPlane,
) -> tuple[Float32[np.ndarray, "H W"], Reason | None]:  # fmt: skip
    """One channel on the chip, and why it has no pixel, if so."""
    found = _read(acquisition, profile, kind, target, open_plane)
    nothing = np.full((target.height_px, target.width_px), np.nan, np.float32)
    if found is None or not (found.dn != NO_DATA_DN).any():
        return nothing, "outside the swath"
    values = hide(reflectance(found.dn, offset)[None], _is_clear(mask, found.place))
    shown = onto(values, found.place, target)[0]
    if not np.isnan(shown).all():
        return shown, None
    return shown, _why_nothing(found, target)


def _why_nothing(found: Window, target: RasterPlace) -> Reason:
    """Whether the chip would have had a pixel without the clouds."""
    sensed = np.where(found.dn == NO_DATA_DN, np.float32(np.nan), np.float32(1))[None]
    return "outside the swath" if np.isnan(onto(sensed, found.place, target)).all() else "all clouded"


def _is_clear(mask: Window | None, place: RasterPlace) -> Bool[np.ndarray, "h w"]:
    if mask is None:
        return np.zeros((place.height_px, place.width_px), dtype=bool)
    return clear_by_scl(nearest_onto(mask.dn, mask.place, place, outside=NO_CLASS))


def _read(
    acquisition: Acquisition, profile: Profile, kind: str, target: RasterPlace, open_plane: OpenPlane
) -> Window | None:
    """The part that the chip needs, from the coarsest level that is no coarser than it; None where the file ends before."""
    plane = _plane(acquisition, profile, kind)
    with open_plane(plane) as asset:
        pixel_m = abs(target.affine[0])
        level = 0 if kind == "mask" or is_geographic(asset.header().place.crs) else asset.header().level_of(pixel_m)
        needed = window_needed(asset.header(level).place, target)
        if needed is None:
            return None
        window = asset.read(*needed, (plane.band,), level)
        return Window(_whole_numbers(window.pixels[0], asset.name), window.place)


def _overview(acquisition: Acquisition, profile: Profile, kind: str, open_plane: OpenPlane) -> Window:
    """All of a channel, at the finest level that is small enough."""
    plane = _plane(acquisition, profile, kind)
    with open_plane(plane) as asset:
        levels = range(len(asset.header().overviews) + 1)
        small = (level for level in levels if max(_shape(asset, level)) <= GUARD_SIDE_PX)
        level = next(small, levels[-1])
        height_px, width_px = _shape(asset, level)
        window = asset.read(slice(0, height_px), slice(0, width_px), (plane.band,), level)
        return Window(_whole_numbers(window.pixels[0], asset.name), window.place)


def _shape(asset: Asset, level: int) -> tuple[int, int]:
    header = asset.header(level)
    return header.height_px, header.width_px


def _plane(acquisition: Acquisition, profile: Profile, kind: str) -> Plane:
    plane = plane_of(acquisition, profile, kind)
    if plane is None:
        raise InputError(f"item {acquisition.id}: has no asset for {kind}; leave it out, or choose other channels")
    return plane


def _whole_numbers(pixels: np.ndarray, name: str) -> Integer[np.ndarray, "h w"]:
    if pixels.dtype.kind not in "ui":
        raise InputError(f"{name}: {pixels.dtype} where Sentinel-2 has whole numbers; this is another product")
    return pixels
