"""Opens the files of scenes that lie on this disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terrashot.ingest.kept_open import KeptOpen
from terrashot.raster.asset import Asset, opened_asset
from terrashot.remote.profiles import Plane

_OPEN: KeptOpen[Asset] = KeptOpen()


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
        path = self.folder / plane.href
        with _OPEN.lent((path, _state(path)), lambda: opened_asset(path)) as asset:
            yield asset


def _state(path: Path) -> tuple[int, int, int] | None:
    """What tells one state of a file from another; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
