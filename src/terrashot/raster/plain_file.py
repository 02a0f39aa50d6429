"""Windows and blocks of one image of a GeoTIFF that we unpack ourselves, each block once, by any number of threads at a time."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, Final

import numpy as np
from jaxtyping import Shaped

from terrashot.errors import InputError
from terrashot.raster.kept_blocks import KeptBlocks
from terrashot.raster.met_blocks import MetBlock
from terrashot.raster.tiff_layout import Layout, Read, layout_of
from terrashot.raster.unpack import most_packed_bytes, unpacked

_KEPT = KeptBlocks()
"""Of all files of this process."""
GAP_BYTES: Final = 64 << 10
"""Between two blocks up to which both are read at once: what lies between them costs less than a request."""
TOGETHER_BYTES: Final = 8 << 20


class PlainFile:
    """The full image or an overview; its blocks are let go by `close`."""

    def __init__(self, name: str, layout: Layout, read: Read) -> None:
        self._name, self._layout, self._read = name, layout, read

    def window(self, rows: slice, cols: slice, bands: Sequence[int]) -> Shaped[np.ndarray, "C H W"] | None:
        """The pixels as stored; None where a block of them was never written, whose pixels GDAL knows.

        Args:
            bands: counted from 1.

        Raises:
            InputError: a block does not fit its checksum; names the file. What `read` raises is left as it is.
        """
        layout = self._layout
        shape = len(bands), rows.stop - rows.start, cols.stop - cols.start
        pixels = np.empty(shape, layout.dtype.newbyteorder("="))
        wanted = self._wanted(rows, cols, bands)
        kept = {number: _KEPT.get(self, number) for number in wanted}
        missing = [number for number, block in kept.items() if block is None]
        if not all(layout.sizes[number] and layout.starts[number] for number in missing):
            return None
        for number, block in kept.items():
            if block is not None:
                self._lay(pixels, block, rows, cols, wanted[number])
        for number, block in self._unpacked(missing):
            _KEPT.put(self, number, block)
            self._lay(pixels, block, rows, cols, wanted[number])
        return pixels

    def blocks(self, met: Sequence[MetBlock], band: int) -> Iterator[tuple[MetBlock, Shaped[np.ndarray, "h w"] | None]]:
        """Each of them with its pixels, in the order of the file; None where it was never written.

        One that lies in the piece whole is not kept: nobody asks for it again.

        Args:
            band: counted from 1.

        Raises:
            InputError: as `window`.
        """
        layout, sample = self._layout, band - 1 if self._layout.is_by_pixel else 0
        wanted = {layout.number(one.row, one.col, band - 1): one for one in met}
        kept = {number: _KEPT.get(self, number) for number, one in wanted.items() if not one.is_whole}
        places = self._places(wanted)
        fresh = self._unpacked([at[2] for at in places if all(at[:2]) and kept.get(at[2]) is None])
        for start, size, number in places:
            block = kept.get(number)
            if block is None and start and size:
                _, block = next(fresh)
                if not wanted[number].is_whole:
                    _KEPT.put(self, number, block)
            yield wanted[number], None if block is None else block[..., sample]

    def close(self) -> None:
        """Nothing; none of its blocks is kept."""
        _KEPT.forget(self)

    def _wanted(self, rows: slice, cols: slice, bands: Sequence[int]) -> dict[int, list[tuple[int, int, int, int]]]:
        """Blocks by number; of each the row and column of blocks, which band of it, and for which of the window."""
        layout, found = self._layout, dict[int, list[tuple[int, int, int, int]]]()
        sides = layout.block_height_px, layout.block_width_px
        down, across = (
            range(part.start // side, -(-part.stop // side)) for part, side in zip((rows, cols), sides, strict=True)
        )
        for (place, band), row, col in product(enumerate(bands), down, across):
            sample = band - 1 if layout.is_by_pixel else 0
            found.setdefault(layout.number(row, col, band - 1), []).append((row, col, sample, place))
        return found

    def _lay(
        self,
        pixels: np.ndarray,
        block: np.ndarray,
        rows: slice,
        cols: slice,
        parts: Sequence[tuple[int, int, int, int]],
    ) -> None:
        """The block's part of the window goes where it belongs."""
        for row, col, sample, place in parts:
            top, left = row * self._layout.block_height_px, col * self._layout.block_width_px
            low, high = max(rows.start, top), min(rows.stop, top + len(block))
            first, end = max(cols.start, left), min(cols.stop, left + block.shape[1])
            part = block[low - top : high - top, first - left : end - left, sample]
            pixels[place, low - rows.start : high - rows.start, first - cols.start : end - cols.start] = part

    def _unpacked(self, missing: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        for number, packed in self._packed(missing):
            block = unpacked(packed, self._layout, number)
            if block is None:
                raise self._damage()
            yield number, block

    def _packed(self, missing: Sequence[int]) -> Iterator[tuple[int, memoryview]]:
        for run in self._runs(missing):
            start, end = run[0][1], run[-1][2]
            content = memoryview(self._read(start, end))
            if len(content) < end - start:
                raise self._damage()
            yield from ((number, content[first - start : last - start]) for number, first, last in run)

    def _runs(self, missing: Sequence[int]) -> Iterator[list[tuple[int, int, int]]]:
        """Number, start and end of blocks that are read at once."""
        layout, run = self._layout, list[tuple[int, int, int]]()
        most = most_packed_bytes(layout.block_height_px * layout.row_bytes)
        for start, size, number in self._places(missing):
            if size > most:
                raise self._damage()
            if run and (not run[-1][2] <= start <= run[-1][2] + GAP_BYTES or start + size - run[0][1] > TOGETHER_BYTES):
                yield run
                run = []
            run.append((number, start, start + size))
        if run:
            yield run

    def _places(self, numbers: Iterable[int]) -> list[tuple[int, int, int]]:
        """Start, size and number of blocks, in the order of the file."""
        return sorted((int(self._layout.starts[n]), int(self._layout.sizes[n]), n) for n in numbers)

    def _damage(self) -> InputError:
        return InputError(f"{self._name}: a block of it does not fit its own checksum; copy it again")


def plain_file(name: str, read: Read, level: int, file: Any) -> PlainFile | None:
    """The image of that level, its overviews from 1 on; None where GDAL has to read it.

    Args:
        file: the same image as rasterio opened it; where its header tells of something else, GDAL has the last word.
    """
    layout = layout_of(read, level)
    return PlainFile(name, layout, read) if layout is not None and _is_same(layout, file) else None


def _is_same(layout: Layout, file: Any) -> bool:
    own = layout.dtype.newbyteorder("=").name
    block = layout.block_height_px, layout.block_width_px
    return (
        (file.width, file.height, file.count) == (layout.width_px, layout.height_px, layout.bands)
        and set(file.dtypes) == {own}
        and set(file.block_shapes) == {block}
    )
