"""Names of the cells of Major TOM's grid, by which tables of embeddings of the whole Earth are joined.

Source: Francis & Czerkawski 2024, arXiv:2402.12095, section 2; radius and rounding as the package majortom-eg 1.1.0.
"""

from collections.abc import Iterator
from operator import add

import numpy as np
from jaxtyping import Float64, Int64

ROW_KM, EQUATOR_RADIUS_KM = 10.0, 6378.137
MORE_THAN_COLUMNS = 10_000
LAST_NARROWED_DEG = 89.0
"""Rows nearer to a pole have as many columns as one that begins at this latitude."""


def grid_cells(lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"]) -> list[str | None]:
    """Major TOM cell name of each point (`450U_70R`), None where the point is unknown (NaN).

    A cell is named by its south-west corner: rows of 10 km count up (U) or down (D) from the equator, columns right (R)
    or left (L) from Greenwich.
    """
    known = np.flatnonzero(~(np.isnan(lon_deg) | np.isnan(lat_deg)))
    row, col = _rows_and_columns(lon_deg[known], lat_deg[known])
    # Places of one cell share its name: a fifth of the texts for chips of the paper's size.
    _, first, which = np.unique(row * MORE_THAN_COLUMNS + col, return_index=True, return_inverse=True)
    texts = list(map(add, _names(row[first], "UD", "_"), _names(col[first], "RL", "")))
    names: list[str | None] = [None] * len(lon_deg)
    for place, cell in zip(known.tolist(), which.tolist(), strict=True):
        names[place] = texts[cell]
    return names


def _names(numbers: Int64[np.ndarray, " N"], letters: str, end: str) -> Iterator[str]:
    """Half a name of each number; the letters tell zero and more from less."""
    text_of = {n: f"{abs(n)}{letters[n < 0]}{end}" for n in np.unique(numbers).tolist()}
    return map(text_of.__getitem__, numbers.tolist())


def _rows_and_columns(lon_deg: np.ndarray, lat_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    row_height_deg = 180 / np.ceil(np.pi * EQUATOR_RADIUS_KM / ROW_KM)
    row = np.floor(lat_deg / row_height_deg)
    latitude_deg = np.clip(row * row_height_deg, -LAST_NARROWED_DEG, LAST_NARROWED_DEG)
    circumference_km = 2 * np.pi * EQUATOR_RADIUS_KM * np.cos(np.radians(latitude_deg))
    in_row = np.maximum(1, np.ceil(circumference_km / ROW_KM))
    col = np.floor(lon_deg / (360 / in_row))
    # With an odd number of cells one lies across the antimeridian; it counts from the east.
    col += np.where(col < -(in_row // 2), in_row, 0)
    return row.astype(np.int64), col.astype(np.int64)
