"""The one GeoTIFF in a zip file, in memory: nothing is unpacked onto the disk, so that no name in it can lead anywhere."""

import zipfile
import zlib
from pathlib import Path

from terrashot.errors import InputError, one_line
from terrashot.remote.ranges import ByteRanges

MOST_BYTES = 512 << 20
"""Of the GeoTIFF; a tile of GHS-BUILT-S of 1000 km in cells of 100 m is some 30 MB, packed."""
MOST_MEMBERS = 10_000
SUFFIXES = (".tif", ".tiff")


class ZipMember:
    """A GeoTIFF that was read out of a zip file."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            InputError: no zip file, none or several GeoTIFFs in it, one that is encrypted, too large or damaged.
        """
        try:
            with zipfile.ZipFile(path) as packed:
                told = _the_geotiff(path, packed)
                self.name = f"{path}/{told.filename}"
                self._content = _unpacked(self.name, packed, told)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path}: cannot be read as a zip file: {one_line(error)}; fetch it again") from None

    @property
    def size(self) -> int:
        return len(self._content)

    def read_into(self, room: memoryview, start: int) -> int:
        """How many bytes, from `start` on, stand in `room` now; fewer than it holds only where the file ends before."""
        found = self._content[start : start + len(room)]
        room[: len(found)] = found
        return len(found)


def _the_geotiff(path: Path, packed: zipfile.ZipFile) -> zipfile.ZipInfo:
    if len(packed.infolist()) > MOST_MEMBERS:
        raise InputError(f"{path}: holds over {MOST_MEMBERS} files; unpack it, and keep the GeoTIFF alone")
    found = [told for told in packed.infolist() if told.filename.lower().endswith(SUFFIXES)]
    if len(found) != 1:
        names = ", ".join(told.filename[:80] for told in found[:3])
        raise InputError(
            f"{path}: holds {len(found)} GeoTIFFs ({names or 'none'}), one was expected; unpack the one to be read"
        )
    if found[0].flag_bits & 1:
        raise InputError(f"{path}: its GeoTIFF is encrypted; unpack it")
    return found[0]


def _unpacked(name: str, packed: zipfile.ZipFile, told: zipfile.ZipInfo) -> bytes:
    """The member, held against its checksum; never more than it claims, nor than we allow."""
    if told.file_size > MOST_BYTES:
        raise InputError(f"{name}: {told.file_size} bytes; {MOST_BYTES} at most inside a zip file, unpack it")
    with packed.open(told) as member:
        content = member.read(told.file_size + 1)
    if len(content) != told.file_size:
        raise InputError(
            f"{name}: is {len(content)} bytes long, not {told.file_size} as its zip file says; fetch it again"
        )
    return content


_: type[ByteRanges] = ZipMember
