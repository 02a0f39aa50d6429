"""A scene's offset by what its item says, checked against its clear land; found once, so that its chips never differ by 0.1."""

from terrashot.domain.acquisition import Acquisition
from terrashot.errors import InputError
from terrashot.ingest.boa_offset import Offset, clear_land, decide_offset, guard_offset
from terrashot.ingest.reflectance import NO_DATA_DN
from terrashot.ingest.window import OpenPlane, Window, read_overview
from terrashot.raster.onto_chip import nearest_onto
from terrashot.remote.profiles import Profile, plane_of

GUARD_KIND = "red"
GUARD_SIDE_PX = 1100
"""Of the overview of a whole scene by which an offset is checked; a coarser one shows as well what is dark."""
NO_CLASS = 0
"""Of the scene classification: no data."""


def checked_offset(acquisition: Acquisition, product: Profile, open_plane: OpenPlane) -> Offset:
    """The scene's offset; its files are opened only where one is to be subtracted.

    Raises:
        InputError: it cannot be known, the item lacks the red channel or its mask, or a file cannot be read.
        NetworkError: a file cannot be fetched within its budget.
    """
    offset = decide_offset(acquisition, product, GUARD_KIND)
    if offset.harmonised:
        return offset
    red, classes = (_overview(acquisition, product, kind, open_plane) for kind in (GUARD_KIND, "mask"))
    on_red = nearest_onto(classes.stored, classes.place, red.place, outside=NO_CLASS)
    return guard_offset(offset, red.stored[clear_land(on_red) & (red.stored != NO_DATA_DN)])


def _overview(acquisition: Acquisition, product: Profile, kind: str, open_plane: OpenPlane) -> Window:
    plane = plane_of(acquisition, product, kind)
    if plane is None:
        raise InputError(f"item {acquisition.id}: has no asset for {kind}; leave it out, or choose other channels")
    found = read_overview(plane, GUARD_SIDE_PX, open_plane)
    if found.stored.dtype.kind not in "ui":
        raise InputError(
            f"{found.name}: {found.stored.dtype} where Sentinel-2 has whole numbers; this is another product"
        )
    return found
