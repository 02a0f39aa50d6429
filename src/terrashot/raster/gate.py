"""The way by which GDAL reads a file that is not on this disk: every byte through our own reader, and no network of its own.

Source: rasterio 1.4, `rasterio.open(..., opener=)`: a callable that gives a new file with a place of its own at each call.
"""

import io
import os
from contextlib import AbstractContextManager, nullcontext

from terrashot.raster.turn import out_of_gdal
from terrashot.remote.file import Blocks, RemoteFile


class Gate:
    """Opens one file for rasterio, and keeps what went wrong: GDAL's C code, which calls it, can carry no error of ours."""

    path = "terrashot/asset.tif"
    """What GDAL is told; a URL could hold a signature, and GDAL and rasterio log and repeat what they open."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self.failure: BaseException | None = None

    def __call__(self, path: str, mode: str = "rb") -> "GatedFile":
        if path != self.path:
            raise FileNotFoundError(path)  # nothing lies beside it
        return GatedFile(RemoteFile(self._blocks), self)

    def raise_failure(self) -> None:
        """Nothing, unless a read through this gate has failed: then that, however GDAL took it.

        Raises:
            NetworkError, InputError: as the reader did.
        """
        if self.failure is not None:
            raise self.failure from None


class GatedFile(io.RawIOBase):
    """A file whose reads never raise: from the first failure on they are short."""

    def __init__(self, file: RemoteFile, gate: Gate) -> None:
        self._file, self._gate = file, gate

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            with self._aside(0):
                return self._file.seek(offset, whence)
        except BaseException as error:  # an interrupt, too, would be lost in C
            self._gate.failure = error
            return self._file.tell()

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes; none after a failure."""
        if self._gate.failure is not None:
            return b""
        try:
            with self._aside(size):
                return self._file.read(size)
        except BaseException as error:  # an interrupt, too, would be lost in C
            self._gate.failure = error
            return b""

    def _aside(self, size: int | None) -> AbstractContextManager[None]:
        """Others take their turn while bytes are fetched; not while we take what is kept, as the hundred small pieces of a header."""
        is_here = size is not None and size >= 0 and self._file.is_here(size)
        return nullcontext() if is_here else out_of_gdal()
