"""Opens the files of scenes that lie on this disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terrashot.raster.asset import Asset, open_asset
from terrashot.remote.profiles import Plane


@dataclass(frozen=True, slots=True)
class NearFiles:
    """An `OpenPlane` on this disk; addresses are paths, seen from one folder."""

    folder: Path

    @contextmanager
    def __call__(self, plane: Plane) -> Iterator[Asset]:
        """The file, open.

        Raises:
            InputError: no GeoTIFF, or not there.
        """
        with open_asset(self.folder / plane.href) as asset:
            yield asset
