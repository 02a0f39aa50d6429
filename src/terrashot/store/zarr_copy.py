"""An embedding table once more as Zarr v3, for those who compute on arrays: a group a modality, in the table's order.

Source: the Zarr convention `geoemb:` for embeddings, version 1 (geo-embeddings/embeddings-zarr-convention).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zarr
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore

from terrashot.durable.files import make_folder, remove, write_bytes
from terrashot.store.parquet import open_table
from terrashot.store.write_vectors import MODEL

CHUNK_ROWS = 4096
TEXTS, NUMBERS = ("id", "area", "split"), ("lon", "lat")
CONVENTION = {
    "schema_url": "https://raw.githubusercontent.com/geo-embeddings/embeddings-zarr-convention/refs/tags/v1/schema.json",
    "spec_url": "https://github.com/geo-embeddings/embeddings-zarr-convention/blob/v1/README.md",
    "uuid": "61c12cc5-0e28-4056-999a-480cf3fb7e4c",
    "name": "geoemb:",
    "description": "Geoembeddings convention for geospatial embedding arrays with model provenance",
}


def write_zarr_copy(folder: Path, table: Path, chip_px: int) -> None:
    """`folder` holds what the table of vectors holds; memory holds some thousand rows.

    Of each modality an array `vectors` (chip, dimension), NaN where a chip has none; of whole steps also `scale`, NaN where it
    has none. The group's own `zarr.json` comes last: without it nothing is there.
    """
    if folder.exists():
        remove(folder)
    copy = _Copy(make_folder(folder))
    with open_table(table) as file:
        arrays = _arrays(copy, file, chip_px)
        start = 0
        for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=list(arrays)):
            rows = slice(start, start + len(batch))
            for name, array in arrays.items():
                array[rows] = _values(batch.column(name))
            start += len(batch)
            copy.flush(metadata=False)
    copy.flush(metadata=True)


@dataclass(slots=True)
class _Copy:
    """What zarr-python has written and we have not yet: it encodes, we put it on the disk."""

    folder: Path
    held: dict[str, Buffer] = field(default_factory=dict)

    @property
    def root(self) -> zarr.Group:
        """The group of all."""
        memory = MemoryStore(self.held)
        return zarr.open_group(memory, mode="a", zarr_format=3)

    def flush(self, *, metadata: bool) -> None:
        """Chunks, or in the end the metadata, the outermost last, are on the disk."""
        names = [name for name in self.held if name.endswith("zarr.json") == metadata]
        for name in sorted(names, key=lambda name: (-name.count("/"), name)):
            path = self.folder / name
            make_folder(path.parent)
            write_bytes(path, self.held.pop(name).to_bytes() if not metadata else self.held[name].to_bytes())


def _arrays(copy: _Copy, file: pq.ParquetFile, chip_px: int) -> dict[str, zarr.Array[Any]]:
    """Empty arrays by the table's column that fills them."""
    schema, root = file.schema_arrow, copy.root
    n_rows, model = file.metadata.num_rows, (schema.metadata or {}).get(MODEL.encode(), b"").decode()
    plain: dict[str, Any] = {name: str for name in TEXTS if name in schema.names}
    plain |= {name: np.float64 for name in NUMBERS if name in schema.names}
    arrays = {name: _array(root, name, (n_rows,), dtype) for name, dtype in plain.items()}
    for column in schema:
        if not pa.types.is_fixed_size_list(column.type):
            continue
        size, dtype = column.type.list_size, column.type.value_type.to_pandas_dtype()
        attributes = _attributes(column.name, size, np.dtype(dtype).name, model, chip_px)
        group = root.create_group(column.name, attributes=attributes)
        arrays[column.name] = _array(group, "vectors", (n_rows, size), dtype)
        if f"{column.name}_scale" in schema.names:
            arrays[f"{column.name}_scale"] = _array(group, "scale", (n_rows,), np.float32)
    return arrays


def _array(group: zarr.Group, name: str, shape: tuple[int, ...], dtype: Any) -> zarr.Array[Any]:
    chunks = (min(CHUNK_ROWS, max(1, shape[0])), *shape[1:])
    names = ("chip", f"{group.basename}_dimension")[: len(shape)]
    fill = np.nan if dtype is not str and np.dtype(dtype).kind == "f" else None
    return group.create_array(name, shape=shape, chunks=chunks, dtype=dtype, fill_value=fill, dimension_names=names)


def _attributes(name: str, size: int, dtype: str, model: str, chip_px: int) -> Mapping[str, Any]:
    steps = {
        "method": "linear", "original_dtype": "float32", "quantized_dtype": "int8",
        "scale": {"type": "array", "array_name": "scale", "nodata": "NaN"},
    }  # fmt: skip
    return {
        "zarr_conventions": [CONVENTION],
        "geoemb:type": "chip",
        "geoemb:dimensions": size,
        "geoemb:model": f"urn:sha256:{model}",
        "geoemb:source_data": [name],
        "geoemb:data_type": dtype,
        "geoemb:chip_layout": {"layout_type": "irregular", "chip_size": [chip_px, chip_px]},
        **({"geoemb:quantization": steps} if dtype == "int8" else {}),
    }


def _values(column: pa.Array) -> np.ndarray:
    """Numbers or texts of some rows; NaN, an empty text, or steps of 0 where there is none."""
    if not pa.types.is_fixed_size_list(column.type):
        filled: np.ndarray = (
            column.fill_null("").to_numpy(False) if pa.types.is_string(column.type) else column.to_numpy(False)
        )
        return filled
    numbers: np.ndarray = column.flatten().to_numpy(zero_copy_only=False)
    there = ~column.is_null().to_numpy(zero_copy_only=False)
    fill = np.nan if numbers.dtype.kind == "f" else 0
    rows = np.full((len(column), column.type.list_size), fill, dtype=numbers.dtype)
    rows[there] = numbers.reshape(-1, column.type.list_size)
    return rows
