"""One delivery of a satellite on a chip's lattice, behind its mask: reflectance, or a radar's power.

Clouds are taken away on the sensor's own pixels, and each channel is brought onto the chip once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, partial

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from terrashot.errors import InputError
from terrashot.ingest.clear_sky import clear_by_qa60, clear_by_scl, clear_by_score
from terrashot.ingest.composite import Seen
from terrashot.ingest.hidden import hide, is_empty
from terrashot.ingest.quantity import quantity
from terrashot.ingest.reasons import Reason
from terrashot.ingest.scene import Scene
from terrashot.ingest.window import OpenPlane, Window, read_window
from terrashot.raster.onto_chip import lay_onto, nearest_onto, onto
from terrashot.raster.place import RasterPlace
from terrashot.remote.profiles import MaskKind, Profile, plane_of

Mask = Bool[np.ndarray, "h w"]
Sky = Callable[[RasterPlace], Mask]
"""What is clear of pixels that lie there."""


def see_delivery(
    scene: Scene, product: Profile, kinds: Sequence[str], target: RasterPlace, open_plane: OpenPlane
) -> Seen:
    """What the delivery shows of the chip: (len(kinds), side, side), NaN under cloud and where nothing was sensed.

    Args:
        target: the chip's lattice, as of `chip_place`.

    Raises:
        InputError: the item lacks an optical channel or its mask, or a file cannot be read.
        NetworkError: a file cannot be fetched within its budget.
    """
    if scene.fault:
        raise InputError(scene.fault)
    mask = _mask(scene, product, target, open_plane) if product.mask else None
    # Channels of one lattice share what is clear on it.
    sky = cache(partial(_is_clear, mask, product, scene)) if product.mask else None
    values = np.empty((len(kinds), target.height_px, target.width_px), np.float32)
    reasons = []
    for own, kind in zip(values, kinds, strict=True):
        reasons.append(_show(own, scene, product, kind, target, sky, open_plane))
        if reasons[-1] is not None:
            own.fill(np.nan)
    return Seen(values, tuple(reasons))


def _show(
    values: Float32[np.ndarray, "H W"], scene: Scene, product: Profile, kind: str, target: RasterPlace, sky: Sky | None,
    open_plane: OpenPlane,
) -> Reason | None:  # fmt: skip
    """Why one channel has no pixel on the chip, if so; else `values` hold them."""
    plane = plane_of(scene.acquisition, product, kind)
    if plane is None:
        return _without_file(scene, product, kind)
    window = read_window(plane, target, open_plane)
    if window is None:
        return "outside the swath"
    sensed = quantity(window, plane, product, scene.offset)[None]
    if is_empty(sensed):
        return "outside the swath"
    clear = sensed if sky is None else hide(sensed, sky(window.place))
    lay_onto(values[None], clear, window.place, target)
    if not is_empty(values):
        return None
    return "outside the swath" if is_empty(onto(sensed, window.place, target)) else "all clouded"


def _without_file(scene: Scene, product: Profile, kind: str) -> Reason:
    """Radar is sensed in one polarisation or in two; an optical scene without one of its bands is broken."""
    if product.unit == "reflectance":
        raise InputError(
            f"item {scene.acquisition.id}: has no asset for {kind}; leave it out, or choose other channels"
        )
    return "polarisation not acquired"


def _mask(scene: Scene, product: Profile, target: RasterPlace, open_plane: OpenPlane) -> Window | None:
    plane = plane_of(scene.acquisition, product, "mask")
    if plane is None:
        raise InputError(f"item {scene.acquisition.id}: has no asset that tells clouds; leave it out")
    return read_window(plane, target, open_plane, finest=True)


def _is_clear(mask: Window | None, product: Profile, scene: Scene, place: RasterPlace) -> Mask:
    """Of pixels that lie there; where the mask does not reach nothing is clear."""
    if mask is None:
        return np.zeros((place.height_px, place.width_px), np.bool_)
    own = CLEAR_BY[product.mask_kind](mask.stored, scene.acquisition.sensed)
    return nearest_onto(own, mask.place, place, outside=False)


CLEAR_BY: dict[MaskKind, Callable[[Shaped[np.ndarray, "h w"], datetime], Mask]] = {
    "scl": lambda classes, _: clear_by_scl(classes),
    "qa60": clear_by_qa60,
    "cloud_score": lambda score, _: clear_by_score(score),
}
