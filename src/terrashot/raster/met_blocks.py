"""The blocks of a raster that hold any of several windows: rectangles of one size, side by side, each unpacked whole.

h, w: pixels of a block. n: windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, Shaped


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Pixels of one band as stored, and where they lie."""

    row: int
    col: int
    """Of the first of them in the raster."""
    pixels: Shaped[np.ndarray, "h w"]
    """Those of a block at the raster's end may reach beyond it."""


@dataclass(frozen=True, slots=True)
class MetBlock:
    """A block that holds something of a window."""

    row: int
    col: int
    """Among the blocks, both from 0."""
    rows: slice
    cols: slice
    """What of it lies in the box around all windows."""
    is_whole: bool
    """All of it lies in the piece."""


def met_blocks(
    windows: Int64[np.ndarray, "n 4"], sides: tuple[int, int], shape: tuple[int, int], piece: tuple[slice, slice]
) -> list[MetBlock]:
    """Row by row.

    Args:
        windows: first row, row after the last, first column and column after the last of each; one without pixels holds nothing.
        sides: rows and columns of a block.
        shape: of the raster.
        piece: rows and columns that hold all windows.
    """
    windows = windows[(windows[:, 0] < windows[:, 1]) & (windows[:, 2] < windows[:, 3])]
    if not len(windows):
        return []
    firsts, ends = windows[:, ::2] // sides, -(-windows[:, 1::2] // sides)
    least = firsts.min(axis=0)
    is_met = np.zeros(ends.max(axis=0) - least, bool)
    for (top, left), (bottom, right) in zip(firsts - least, ends - least, strict=True):
        is_met[top:bottom, left:right] = True
    box = tuple(slice(*ends) for ends in zip(windows[:, ::2].min(axis=0), windows[:, 1::2].max(axis=0), strict=True))
    return [_met(row, col, sides, shape, piece, box) for row, col in (np.argwhere(is_met) + least).tolist()]


def _met(
    row: int, col: int, sides: tuple[int, int], shape: tuple[int, int], piece: Sequence[slice], box: Sequence[slice]
) -> MetBlock:
    whole = [(at * side, min(at * side + side, end)) for at, side, end in zip((row, col), sides, shape, strict=True)]
    rows, cols = (
        slice(max(first, int(part.start)), min(last, int(part.stop)))
        for (first, last), part in zip(whole, box, strict=True)
    )
    is_whole = all(p.start <= first and last <= p.stop for (first, last), p in zip(whole, piece, strict=True))
    return MetBlock(row, col, rows, cols, is_whole)
