"""Files of a catalogue opened from a folder on this disk, as if they had been fetched."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from terrashot.raster.asset import Asset, open_asset
from terrashot.remote.profiles import Plane


@dataclass(frozen=True)
class NearFiles:
    """An `OpenPlane` that opens the file of that name; picklable, as processes need it."""

    folder: Path

    def __call__(self, plane: Plane) -> AbstractContextManager[Asset]:
        return open_asset(self.folder / plane.href.rsplit("/", 1)[1])
