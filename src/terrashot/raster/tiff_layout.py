"""Where the blocks of a GeoTIFF lie and how they are packed, as its own directories say.

Only what `unpack.py` can unpack is told; of any other file, and of one whose directories make no sense, nothing is: GDAL reads those.

Source: TIFF 6.0 (Adobe 1992), sections 2, 8, 14 and 15; Adobe Photoshop TIFF Technical Notes 2002 (compression 8) and
Technical Note 3 2005 (predictor 3); BigTIFF (Aware Systems 2007).
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import UInt64

Read = Callable[[int, int], bytes | memoryview]
"""Bytes of the file from a place up to another; fewer where it ends."""

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 254, 256, 257, 258, 259, 262, 266
SAMPLES, STRIP_ROWS, PLANAR, PREDICTOR, SAMPLE_FORMAT = 277, 278, 284, 317, 339
STRIP_PLACES, TILE_SIDES, TILE_PLACES = (273, 279), (322, 323), (324, 325)
DEFLATE: Final = (8, 32946)
STORED_AS_IS: Final = (0, 1, 2, 3)
"""Photometric interpretations whose numbers GDAL gives as they are stored: grey, RGB, palette."""
KIND_OF: Final = {1: "u", 2: "i", 3: "f"}
ITEM_OF: Final = {3: "u2", 4: "u4", 16: "u8"}
"""Types of the numbers of a tag: SHORT, LONG, LONG8."""
MOST_DIRECTORIES, MOST_ENTRIES, MOST_BLOCKS = 64, 512, 1 << 16
HEAD_BYTES: Final = 64 << 10
"""The directories of a cloud-optimised file lie there."""
SMALL, MASK = 1, 4
"""Bits of the subfile type."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """One image of a file: the full one, or an overview."""

    width_px: int
    height_px: int
    block_width_px: int
    block_height_px: int
    """Of strips, of all but the last one."""
    is_tiled: bool
    bands: int
    is_by_pixel: bool
    """Each block holds all bands, pixel by pixel; else one band."""
    dtype: np.dtype
    """As stored, with its byte order."""
    predictor: int
    """1 none, 2 differences of neighbours, 3 those of the bytes of floats."""
    starts: UInt64[np.ndarray, " n"]
    sizes: UInt64[np.ndarray, " n"]
    """In bytes, packed, row by row and band by band; 0 where nothing was written."""

    @property
    def across(self) -> int:
        """Blocks from left to right."""
        return -(-self.width_px // self.block_width_px)

    @property
    def down(self) -> int:
        return -(-self.height_px // self.block_height_px)

    @property
    def bands_together(self) -> int:
        """In one block."""
        return self.bands if self.is_by_pixel else 1

    @property
    def row_bytes(self) -> int:
        """Of one row of a block, unpacked."""
        return self.block_width_px * self.bands_together * self.dtype.itemsize

    def number(self, row: int, col: int, band: int) -> int:
        """Of the block in a row and column of blocks; `band` counts from 0."""
        plane = 0 if self.is_by_pixel else band
        return (plane * self.down + row) * self.across + col

    def rows_of(self, number: int) -> int:
        """Rows of pixels that a block must hold: tiles are filled up, the last strip is not."""
        row = number // self.across % self.down
        rest = self.height_px - row * self.block_height_px
        return self.block_height_px if self.is_tiled else min(rest, self.block_height_px)


def layout_of(read: Read, level: int) -> Layout | None:
    """Of the full image (0), or of its overviews in the file's order (from 1); None where only GDAL can read it."""
    try:
        first, *others = _directories(_with_head(read))
        small = [tags for tags in others if tags.first(SUBFILE, 0) & (SMALL | MASK) == SMALL]
        tags = (first, *small)[level]
        found = _claimed(tags)
        return found if _is_plain(tags, found) else None
    except (struct.error, ValueError, LookupError):
        return None


def _with_head(read: Read) -> Read:
    """The same bytes; those at the beginning, of which a hundred places are looked at, are read once."""
    head = read(0, HEAD_BYTES)
    return lambda start, stop: head[start:stop] if stop <= len(head) else read(start, stop)


@dataclass(frozen=True, slots=True)
class _Tags:
    """The entries of one directory: type and count of their numbers, and where those lie."""

    order: str
    read: Read
    entries: Mapping[int, tuple[int, int, int]]

    def numbers(self, tag: int, most: int) -> np.ndarray:
        kind, count, place = self.entries[tag]
        item = np.dtype(self.order + ITEM_OF[kind])
        if not 1 <= count <= most:
            raise ValueError(f"tag {tag} has {count} numbers")
        content = self.read(place, place + count * item.itemsize)
        return np.frombuffer(content, item, count)  # a ValueError where the file ends before

    def first(self, tag: int, default: int | None = None) -> int:
        if default is not None and tag not in self.entries:
            return default
        return int(self.numbers(tag, MOST_BLOCKS)[0])

    def same(self, tag: int, default: int) -> int:
        """The one number that all bands share."""
        found = {default} if tag not in self.entries else set(self.numbers(tag, MOST_BLOCKS).tolist())
        (number,) = found
        return int(number)


def _directories(read: Read) -> list[_Tags]:
    head = read(0, 16)
    order = {b"II": "<", b"MM": ">"}[bytes(head[:2])]
    (magic,) = struct.unpack_from(order + "H", head, 2)
    # Counts of entries, whole entries, and the place of the next directory; classic or BigTIFF.
    count, entry, next_ = {42: ("H", "HHI4s", "I"), 43: ("Q", "HHQ8s", "Q")}[magic]
    (place,) = struct.unpack_from(order + next_, head, 4 if magic == 42 else 8)
    found: dict[int, _Tags] = {}
    while place and place not in found and len(found) < MOST_DIRECTORIES:
        n_entries, start = _one(read, place, order + count)
        if n_entries > MOST_ENTRIES:
            raise ValueError(f"{n_entries} entries in a directory")
        size = struct.calcsize(order + entry)
        content = read(start, start + n_entries * size)
        rows = [struct.unpack_from(order + entry, content, number * size) for number in range(n_entries)]
        values = [start + number * size + size - len(row[3]) for number, row in enumerate(rows)]
        entries = {
            row[0]: (row[1], row[2], _place(row, at, order + next_)) for row, at in zip(rows, values, strict=True)
        }
        found[place] = _Tags(order, read, entries)
        place, _ = _one(read, start + n_entries * size, order + next_)
    return list(found.values())


def _one(read: Read, place: int, form: str) -> tuple[int, int]:
    """The number at a place, and where it ends."""
    end = place + struct.calcsize(form)
    return int(struct.unpack(form, read(place, end))[0]), end


def _place(row: tuple[int, int, int, bytes], at: int, form: str) -> int:
    """Where the numbers of an entry lie: in it, if they fit."""
    _, kind, count, value = row
    size = np.dtype(ITEM_OF[kind]).itemsize if kind in ITEM_OF else 1
    return at if count * size <= len(value) else int(struct.unpack(form, value)[0])


def _claimed(tags: _Tags) -> Layout:
    width_px, height_px, bands = (tags.first(tag) for tag in (WIDTH, HEIGHT, SAMPLES))
    is_tiled = TILE_PLACES[0] in tags.entries
    strip = width_px, min(tags.first(STRIP_ROWS, height_px), height_px)
    block_px = (tags.first(TILE_SIDES[0]), tags.first(TILE_SIDES[1])) if is_tiled else strip
    if min(width_px, height_px, bands, *block_px) < 1:
        raise ValueError("no pixels")
    starts, sizes = (
        tags.numbers(tag, MOST_BLOCKS).astype(np.uint64) for tag in (TILE_PLACES if is_tiled else STRIP_PLACES)
    )
    if len(starts) != len(sizes):
        raise ValueError(f"{len(starts)} places of blocks, {len(sizes)} sizes")
    is_by_pixel = bands == 1 or tags.first(PLANAR, 1) == 1
    return Layout(
        width_px,
        height_px,
        *block_px,
        is_tiled,
        bands,
        is_by_pixel,
        _dtype(tags),
        tags.first(PREDICTOR, 1),
        starts,
        sizes,
    )


def _dtype(tags: _Tags) -> np.dtype:
    bits, kind = tags.same(BITS, 1), KIND_OF[tags.same(SAMPLE_FORMAT, 1)]
    if bits not in (8, 16, 32, 64):
        raise ValueError(f"{bits} bits a number")
    return np.dtype(f"{tags.order}{kind}{bits // 8}")


def _is_plain(tags: _Tags, found: Layout) -> bool:
    """Whether there are as many blocks as there must be, packed in one of the ways that we unpack."""
    n_blocks = found.down * found.across * found.bands // found.bands_together
    is_number = found.dtype.itemsize in ((4, 8) if found.dtype.kind == "f" else (1, 2, 4, 8))
    return (
        len(found.starts) == len(found.sizes) == n_blocks
        and is_number
        and found.predictor in ((1, 2, 3) if found.dtype.kind == "f" else (1, 2))
        and tags.first(COMPRESSION, 1) in DEFLATE
        and tags.first(FILL_ORDER, 1) == 1
        and tags.first(PHOTOMETRIC, 1) in STORED_AS_IS
    )
