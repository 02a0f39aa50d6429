"""Opens the files of scenes that lie on this disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terrashot.ingest.kept_open import KeptOpen
from terrashot.raster.asset import Asset, opened_asset
from terrashot.raster.zip_member import ZipMember
from terrashot.remote.file import Blocks
from terrashot.remote.profiles import Plane

_OPEN: KeptOpen[Asset] = KeptOpen()
_OPEN_ZIPS: KeptOpen[Asset] = KeptOpen(2)
"""Each is in memory, whole."""


@dataclass(frozen=True, slots=True)
class NearFiles:
    """An `OpenPlane` on this disk; addresses are paths, seen from one folder."""

    folder: Path

    @contextmanager
    def __call__(self, plane: Plane) -> Iterator[Asset]:
        """The file, open; of a zip file the one GeoTIFF in it.

        Raises:
            InputError: no GeoTIFF, or not there.
        """
        path = self.folder / plane.href
        is_zip = path.suffix.lower() == ".zip"
        with (_OPEN_ZIPS if is_zip else _OPEN).lent((path, _state(path)), lambda: _opened(path, is_zip)) as asset:
            yield asset


def _opened(path: Path, is_zip: bool) -> Asset:
    return opened_asset(Blocks(ZipMember(path)) if is_zip else path)


def _state(path: Path) -> tuple[int, int, int] | None:
    """What tells one state of a file from another; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
