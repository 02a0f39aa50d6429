"""Major TOM: embeddings of fragments of its grid cells, a row each.

Read are `unique_id` (64 hexadecimal digits), `embedding`, `grid_cell`, `centre_lon`, `centre_lat` and, where it is there,
`geometry` (the fragment's footprint in degrees). A cell holds several fragments, which overlap by a tenth, and may hold several
products and dates: each row keeps its own id, and all of a cell are one group, so that a cell never straddles a split.
Neighbouring cells may overlap.

Source: ESA-PhiLab/Major-TOM, src/embedder/MajorTOM_Embedder.py (columns, `unique_id`) and grid_cell_fragment.py (overlap);
dataset cards Major-TOM/Core-S2RGB-SigLIP and Core-S2RGB-DINOv2; Czerkawski et al. 2024, arXiv:2412.05600.
"""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa

from terrashot.errors import InputError
from terrashot.published.join_rows import Rows
from terrashot.published.vector_rows import maker_told, polygons, read_columns, texts

NEEDED = ("unique_id", "grid_cell", "centre_lon", "centre_lat")
PRODUCT = re.compile(r"Core-[A-Za-z0-9-]*[A-Za-z0-9]")
"""Name of the data set, whose second half is the model: `Core-S2RGB-SigLIP`."""


def read_rows(path: Path) -> Rows:
    """The rows of one file.

    Raises:
        InputError: it is not of this maker; names the column.
    """
    table, vectors, footer = read_columns(path, ("embedding",), (*NEEDED, "geometry"))
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; Major TOM's tables of embeddings have it")
    lon_deg, lat_deg = (_degrees(table.column(name), name, path) for name in ("centre_lon", "centre_lat"))
    return Rows(
        path, vectors, texts(table, "unique_id", path), texts(table, "grid_cell", path), lon_deg, lat_deg,
        polygons(table, footer, path), maker_told(table, path) or _product(path),
    )  # fmt: skip


def _degrees(column: pa.ChunkedArray, name: str, path: Path) -> np.ndarray:
    try:
        values: np.ndarray = column.to_numpy().astype(np.float64)
    except (ValueError, TypeError):
        raise InputError(f"{path}: column '{name}' does not hold numbers; it is a place in degrees") from None
    if not np.isfinite(values).all():
        raise InputError(f"{path}: column '{name}' is empty or not finite in {int((~np.isfinite(values)).sum())} rows")
    return values


def _product(path: Path) -> str | None:
    """The data set that the name of a folder tells, the nearest one first."""
    return next((found[0] for part in reversed(path.parts) if (found := PRODUCT.search(part))), None)
