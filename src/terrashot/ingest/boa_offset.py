"""Whether 1000 is to be subtracted from the numbers of a Sentinel-2 L2A file, and whether the pixels bear that out.

From processing baseline 04.00 on (2022-01-25) the files hold reflectance x 10,000 + 1,000, before that reflectance x 10,000. Archives
reprocessed since carry the 1,000 on old dates too, so the date says nothing. Earth Search subtracted it from the pixels of many files
and says so in `earthsearch:boa_offset_applied`, with the item's `raster:offset` at -0.1 all the same; and some of its items say that
it was not done where it was. Hence the guard.

Source: ESA, Sentinel-2 Products Specification Document 14.9, BOA_ADD_OFFSET; Element 84, earth-search, issues 66 and 71.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Integer, UInt8

from terrashot.domain.acquisition import Acquisition
from terrashot.errors import InputError
from terrashot.remote.profiles import Profile, plane_of

FIRST_WITH_OFFSET = "04.00"
OFFSET_DN = -1000
DN_PER_REFLECTANCE = 10_000
CLEAR_LAND = (4, 5)
"""Of the scene classification: vegetation; not vegetated."""
LOW_PERCENTILE = 3.0
"""More than so many per cent of clear land below 0 after the shift: it was shifted before. Atmospheric correction leaves fewer."""
FEWEST_PIXELS = 1000
"""Of fewer clear pixels a low percentile says little."""


@dataclass(frozen=True, slots=True)
class Offset:
    """reflectance = (number in the file + `offset_dn`) / 10,000."""

    offset_dn: int
    """0 or -1000."""
    harmonised: bool
    """Whether the file itself is already in the range of before baseline 04.00, so that nothing is to be subtracted."""
    note: str
    """Why, for the run's report."""


def decide_offset(acquisition: Acquisition, profile: Profile, kind: str) -> Offset:
    """What to subtract from one reflectance channel, by what the item says: the flag, else the baseline, else `raster:offset`.

    A flag that says the offset was applied is believed, and the item's `raster:offset` beside it is not. A baseline is believed before
    `raster:offset`, which may stem from the collection and then holds for its newest items only.

    Raises:
        InputError: the channel is no reflectance, or neither flag, baseline nor `raster:offset` is there.
    """
    if profile.offset_rule is None or kind not in profile.channels:
        raise InputError(
            f"item {acquisition.id}: {profile.collection} '{kind}' is no reflectance; it has no offset of 1000"
        )
    stated = _stated_dn(acquisition, profile, kind)
    if profile.offset_rule == "flag, then baseline" and acquisition.offset_applied:
        return Offset(0, True, f"{profile.catalogue} says that the offset was applied")
    if (baseline := acquisition.baseline) is not None:
        offset_dn = OFFSET_DN if baseline >= FIRST_WITH_OFFSET else 0
        aside = f", though the item says {stated}" if stated not in (None, offset_dn) else ""
        return Offset(offset_dn, offset_dn == 0, f"baseline {baseline}{aside}")
    if stated is None:
        raise InputError(
            f"item {acquisition.id}: says neither its processing baseline nor its offset; whether 1000 is to be subtracted cannot be "
            "known, leave it out"
        )
    return Offset(stated, stated == 0, "no baseline; the item states the offset")


def _stated_dn(acquisition: Acquisition, profile: Profile, kind: str) -> int | None:
    """`raster:offset` in numbers of the file."""
    plane = plane_of(acquisition, profile, kind)
    if plane is None:
        return None
    if plane.scale is not None and not math.isclose(plane.scale * DN_PER_REFLECTANCE, 1):
        raise InputError(
            f"item {acquisition.id}: {kind}: raster:scale {plane.scale:g}: Sentinel-2 has 0.0001; leave it out"
        )
    if plane.offset is None:
        return None
    for known in (0, OFFSET_DN):
        if math.isclose(plane.offset * DN_PER_REFLECTANCE, known, abs_tol=0.01):
            return known
    raise InputError(
        f"item {acquisition.id}: {kind}: raster:offset {plane.offset:g}: Sentinel-2 has 0 or -0.1; leave it out"
    )


def guard_offset(offset: Offset, clear_dn: Integer[np.ndarray, " N"]) -> Offset:
    """The offset, or none where the pixels show that it was subtracted before; the note says which.

    The blue and the red channel see it best, which are dark over plants. It is one-sided: where nothing is dark, as over bright
    desert, pixels that were shifted before stay above 0 when shifted again, and nothing shows.

    Args:
        clear_dn: numbers of one visible channel where the scene classification says clear land and the file is not 0.
    """
    if offset.offset_dn == 0:
        return offset
    if len(clear_dn) < FEWEST_PIXELS:
        return replace(offset, note=f"{offset.note}; {len(clear_dn)} clear land pixels are too few to check it")
    low_dn = float(np.percentile(clear_dn, LOW_PERCENTILE))
    if low_dn + offset.offset_dn < 0:
        return Offset(
            0,
            True,
            f"{offset.note}; but {LOW_PERCENTILE:g} % of clear land lie below {low_dn:g}: it was applied already",
        )
    return offset


def clear_land(classes: UInt8[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Where the scene classification says vegetation or bare land."""
    return np.isin(classes, CLEAR_LAND)
