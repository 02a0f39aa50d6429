"""Opens the file of a channel, wherever it lies: paths on this disk, addresses far away."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from terrashot.ingest.far_files import FarFiles
from terrashot.ingest.near_files import NearFiles
from terrashot.raster.asset import Asset
from terrashot.remote.profiles import Plane


@dataclass(frozen=True, slots=True)
class AnyFiles:
    """An `OpenPlane` for STAC items that somebody else wrote, whose addresses may be paths beside them."""

    near: NearFiles
    far: FarFiles

    def __call__(self, plane: Plane) -> AbstractContextManager[Asset]:
        """The file, open; errors as those of `near` and `far`."""
        return self.far(plane) if "://" in plane.href else self.near(plane)
