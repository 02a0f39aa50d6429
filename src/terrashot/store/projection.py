"""projection.parquet: where every chip lies on the maps, kept so that chips that come later change no place."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from terrashot.domain.projection import Projection, VectorMap
from terrashot.errors import InputError
from terrashot.store.parquet import read_table, write_table

FOOTER = "terrashot_projection"
PLACES, COMPONENTS, LAID_OUT = ("x", "y"), ("pc1", "pc2"), "laid_out"


def write_projection(path: Path, projection: Projection) -> None:
    """A row a chip; of each block `<block>_x`, `_y` (t-SNE), `_pc1`, `_pc2`, null where it has no vector, and `_laid_out`."""
    columns: dict[str, pa.Array] = {"id": pa.array(projection.chip_ids, pa.string())}
    for block, made in projection.maps.items():
        for names, numbers in ((PLACES, made.places), (COMPONENTS, made.components)):
            for name, column in zip(names, numbers.T, strict=True):
                columns[f"{block}_{name}"] = pa.array(column, pa.float32(), from_pandas=True)
        columns[f"{block}_{LAID_OUT}"] = pa.array(made.is_laid_out)
    made_from = {
        "model": projection.model, "seed": projection.seed, "most_laid_out": projection.most_laid_out,
        "variance": {block: list(made.variance) for block, made in projection.maps.items()},
    }  # fmt: skip
    write_table(path, pa.table(columns), footer={FOOTER: json.dumps(made_from, sort_keys=True)})


def read_projection(path: Path) -> Projection:
    """What `write_projection` wrote.

    Raises:
        InputError: not such a table.
        IntegrityError: its bytes are not those that were written.
    """
    table = read_table(path)
    try:
        made_from: dict[str, Any] = json.loads((table.schema.metadata or {})[FOOTER.encode()])
        maps = {block: _map(table, block, shares) for block, shares in made_from["variance"].items()}
        ids = tuple(map(str, table.column("id").to_pylist()))
        return Projection(ids, maps, made_from["model"], int(made_from["seed"]), int(made_from["most_laid_out"]))
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path}: no map of ours; make it again: terrashot run --redo report") from None


def _map(table: pa.Table, block: str, variance: list[float]) -> VectorMap:
    def numbers(names: tuple[str, str]) -> np.ndarray:
        columns = [table.column(f"{block}_{name}").to_numpy() for name in names]
        return np.column_stack(columns).astype(np.float32)

    first, second = map(float, variance)
    is_laid_out = table.column(f"{block}_{LAID_OUT}").to_numpy().astype(bool)
    return VectorMap(numbers(PLACES), is_laid_out, numbers(COMPONENTS), (first, second))
