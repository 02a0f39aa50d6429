"""From the cells that a chip lies on to the share of classes, or the mean, of a map over it.

h, w: pixels of a block. N: chips. T: targets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Shaped, UInt8

from terrashot.domain.reference_maps import MapProduct
from terrashot.errors import InputError
from terrashot.labels.cell_spans import Spans
from terrashot.labels.cell_weights import add_totals, add_weights
from terrashot.raster.asset import AssetHeader
from terrashot.raster.met_blocks import Block

MOST_CODES = 253


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken of a map."""

    targets: tuple[tuple[int, ...] | None, ...]
    """Classes of each target, or None: its mean."""
    product: MapProduct | None = None
    nodata: tuple[float, ...] = ()
    """Beside the product's and the file's own."""
    scale: float | None = None
    offset: float | None = None
    """None: as the file says."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a tile says of its numbers."""

    name: str
    nodata: tuple[float, ...]
    """All that say nothing."""
    scale: float
    offset: float
    dtype: str


def cell_of(taken: Taken, header: AssetHeader, band: int, area_m2: float | None) -> Cell:
    """Of a tile.

    Args:
        area_m2: of one of its pixels; None where that differs from row to row.

    Raises:
        InputError: the product's numbers are square metres a cell, and the cells differ.
    """
    product, name, nodata = taken.product, header.name, header.nodata
    missing = (*taken.nodata, *(() if nodata is None else (nodata,)), *(product.nodata if product else ()))
    if product is None:
        scale = header.scales[band - 1] if taken.scale is None else taken.scale
        offset = header.offsets[band - 1] if taken.offset is None else taken.offset
        return Cell(name, missing, scale, offset, header.dtype)
    if product.is_area and area_m2 is None:
        raise InputError(
            f"{name}: {product.title} in degrees: square metres of cells that shrink towards the poles; take the tiles in "
            "Mollweide (ESRI:54009)"
        )
    return Cell(name, missing, 1 / area_m2 if product.is_area and area_m2 else product.scale, 0.0, header.dtype)


def weighted(blocks: Iterable[Block], spans: Spans, taken: Taken, cell: Cell) -> Float64[np.ndarray, "N K"]:
    """Of each chip its valid cells, then of each target the sum of its values over them: K = 1 + T.

    Raises:
        InputError: numbers that the product does not have.
    """
    is_classes = all(classes is not None for classes in taken.targets)
    if cell.dtype != "uint8" and not is_classes:
        return _of_numbers(blocks, spans, taken, cell)
    named = None if cell.dtype == "uint8" else _named(taken, cell)
    weights = np.zeros((len(spans), 256))
    for block in blocks:
        add_weights(
            weights, spans, block.row, block.col, block.pixels if named is None else _coded(block.pixels, named)
        )
    values = np.arange(256.0) if named is None else _meant(named)
    values[np.isin(values, cell.nodata)] = np.nan
    met = weights.any(axis=0)
    _refuse_strange(values[met & ~np.isnan(values)], taken, cell)
    is_valid = ~np.isnan(values)
    columns = [is_valid.astype(np.float64), *(_worth(values, classes, cell) for classes in taken.targets)]
    # Not as a product of matrices, whose sums depend on how many rows there are.
    return np.stack([(weights * np.where(is_valid, column, 0)).sum(axis=1) for column in columns], axis=1)


def _worth(values: Float64[np.ndarray, "256"], classes: Sequence[int] | None, cell: Cell) -> Float64[np.ndarray, "256"]:
    """What a cell of each value adds to a target."""
    return values * cell.scale + cell.offset if classes is None else np.isin(values, classes).astype(np.float64)


def _of_numbers(blocks: Iterable[Block], spans: Spans, taken: Taken, cell: Cell) -> Float64[np.ndarray, "N K"]:
    dtype = np.result_type(cell.dtype, np.float32)
    lost, limits = _lost(cell, dtype), _limits(taken, cell)
    totals = np.column_stack([np.zeros((len(spans), 2)), np.full(len(spans), np.nan)])
    for block in blocks:
        numbers = np.ascontiguousarray(block.pixels, dtype)
        for other in lost[1:]:
            numbers = np.where(numbers == other, dtype.type(lost[0]), numbers)
        add_totals(totals, spans, block.row, block.col, numbers, lost[0] if lost else np.nan, limits)
    _refuse_strange(totals[~np.isnan(totals[:, 2]), 2], taken, cell)
    sums = totals[:, 1] * cell.scale + cell.offset * totals[:, 0]
    return np.column_stack([totals[:, 0], *[sums] * len(taken.targets)])


def _lost(cell: Cell, dtype: np.dtype) -> list[float]:
    """All finite numbers that say nothing, as such pixels hold them."""
    # A file of float32 states its no data in double precision.
    with np.errstate(over="ignore"):
        found = np.unique(np.array(cell.nodata, np.float64).astype(dtype))
    return [float(number) for number in found[np.isfinite(found)]]


def _coded(pixels: Shaped[np.ndarray, "h w"], named: np.ndarray) -> UInt8[np.ndarray, "h w"]:
    """Numbers of classes that take more than a byte as bytes; all that nobody asks for as one, what is no number as another."""
    place = np.searchsorted(named, pixels)
    place[place == len(named)] = 0
    codes = np.where(named[place] == pixels, place, len(named)).astype(np.uint8)
    codes[~np.isfinite(pixels)] = len(named) + 1
    return codes


def _meant(named: np.ndarray) -> Float64[np.ndarray, "256"]:
    """What number each code stands for; of those that nobody asks for one that no class has."""
    values = np.full(256, np.nan)
    values[: len(named)] = named
    values[len(named)] = float(np.floor(named.max(initial=0.0))) + 0.5
    return values


def _named(taken: Taken, cell: Cell) -> np.ndarray:
    """All numbers that mean something to a target or to the product, in order."""
    legend = taken.product.legend if taken.product else ()
    asked = (one for own in taken.targets for one in own or ())
    found = np.unique(np.array([*legend, *filter(np.isfinite, cell.nodata), *asked], np.float64))
    if len(found) > MOST_CODES:
        raise InputError(
            f"[labels.maps]: {len(found)} classes of one map; {MOST_CODES} at most, take it in two studies"
        )
    return found


def _refuse_strange(found: np.ndarray, taken: Taken, cell: Cell) -> None:
    product = taken.product
    if product is None:
        return
    low, most = _limits(taken, cell)
    strange = found[~np.isin(found, product.legend)] if product.legend else found[(found < low) | (found > most)]
    if len(strange):
        has = ", ".join(map(str, product.legend)) or f"{low:g} to {most:g}"
        raise InputError(f"{cell.name}: holds {strange[0]:g}, and {product.title} has {has}; is it another map?")


def _limits(taken: Taken, cell: Cell) -> tuple[float, float]:
    """The least and the greatest number that a map of amounts may hold."""
    if taken.product is None:
        return -np.inf, np.inf
    return 0.0, (1 / cell.scale if taken.product.is_area else taken.product.highest) * (1 + 1e-6)
