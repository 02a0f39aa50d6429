"""The Zarr metadata of a chip store, made by zarr-python itself, so that any Zarr v3 reader opens the store."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from terrashot.store.layout import Layout

FORMAT_VERSION = 1


def metadata_files(layouts: Mapping[str, Layout], chip_ids: Sequence[str | None]) -> dict[str, bytes]:
    """Content of every `zarr.json`, by its path below the store.

    Args:
        chip_ids: by position along the chip axis; None where no chip lies.
    """
    memory = MemoryStore()
    attributes: dict[str, Any] = {"terrashot_format": FORMAT_VERSION, "chip_ids": list(chip_ids)}
    group = zarr.open_group(memory, mode="w", zarr_format=3, attributes=attributes)
    for name in sorted(layouts):
        _create_array(group, layouts[name], len(chip_ids))
    names = ["zarr.json", *(f"{name}/zarr.json" for name in sorted(layouts))]
    return {name: _content(memory, name) for name in names}


def _content(memory: MemoryStore, name: str) -> bytes:
    buffer = sync(memory.get(name, default_buffer_prototype()))
    assert buffer is not None, "zarr-python has just written it"
    return buffer.to_bytes()


def _create_array(group: zarr.Group, layout: Layout, n_chips: int) -> None:
    dtype = np.dtype(layout.dtype)
    shards = -(-n_chips // layout.shard_chips)
    attributes: dict[str, Any] = {"unit": layout.unit, "long_name": layout.modality}
    if layout.nodata is not None:
        # The CF names, so that xarray masks and scales on opening.
        attributes |= {"scale_factor": layout.scale, "add_offset": layout.offset, "_FillValue": int(layout.nodata)}
    if layout.channels is not None:
        attributes["channels"] = list(layout.channels)
    group.create_array(
        layout.modality,
        shape=(shards * layout.shard_chips, layout.slots, layout.side_px, layout.side_px),
        dtype=dtype,
        chunks=(1, 1, layout.side_px, layout.side_px),
        shards=(layout.shard_chips, layout.slots, layout.side_px, layout.side_px),
        compressors=(
            BloscCodec(cname="lz4", clevel=5, shuffle=BloscShuffle.bitshuffle, typesize=dtype.itemsize),
            Crc32cCodec(),
        ),
        fill_value=float("nan") if layout.nodata is None else int(layout.nodata),
        # Each modality has channels and a lattice of its own, so that xarray opens all of them as one data set.
        dimension_names=("chip", *(f"{layout.modality}_{axis}" for axis in ("channel", "y", "x"))),
        attributes=attributes,
    )
