"""A label map's files: table, rasters, picture, and what they were made from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float32

from terrashot.domain.tables import Chips
from terrashot.durable.backup import forget_digest, write_digest
from terrashot.durable.files import write_bytes
from terrashot.plots.label_map import MapLayers, label_map
from terrashot.plots.style import house_style, rendered
from terrashot.raster.cog import cog_bytes
from terrashot.steps.map_raster import Raster
from terrashot.store.geoparquet import chip_columns, geo_footer
from terrashot.store.parquet import write_table

CHIP_COLUMNS = ("id", "area", "geometry", "bbox", "lon", "lat")


def probability_names(classes: tuple[str, ...]) -> dict[str, int]:
    """Class by column or band: of two classes only the second, as `probability`; of more each its own."""
    if len(classes) == 2:
        return {"probability": 1}
    return {f"probability_{name}": number for number, name in enumerate(classes)}


def write_map_table(path: Path, chips: Chips, layers: MapLayers) -> None:
    """map.parquet: a row a chip, in the chips' order; null where a chip has no vector."""
    columns = {name: column for name, column in chip_columns(chips).items() if name in CHIP_COLUMNS}
    absent = np.isnan(layers.distance)
    for name, number in probability_names(layers.classes).items():
        columns[name] = pa.array(layers.probability[:, number], pa.float32(), mask=absent)
    best = np.where(absent, -1, layers.probability.argmax(axis=1))
    columns["predicted"] = _named(best, layers.classes)
    columns["distance"] = pa.array(layers.distance, pa.float32(), mask=absent)
    columns["inside"] = pa.array(layers.distance <= layers.threshold, pa.bool_(), mask=absent)
    columns["label"] = _named(layers.label, layers.classes)
    write_table(path, pa.table(columns), footer=geo_footer(chips))


def write_map_raster(folder: Path, raster: Raster, layers: MapLayers) -> Path:
    """Where one cloud-optimised GeoTIFF lies now, its digest beside it."""
    names = probability_names(layers.classes)
    bands = [layers.probability[:, number] for number in names.values()] + [layers.distance]
    path = folder / raster.name
    forget_digest(path)
    write_bytes(path, cog_bytes(raster.grid, _pixels(raster, bands), (*names, "distance")))
    write_digest(path)
    return path


def write_map_picture(path: Path, chips: Chips, layers: MapLayers) -> None:
    """map.png."""
    with house_style():
        write_bytes(path, rendered(label_map(chips, layers), "png"))


def write_map_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """map.json; the last file of a map, so that a folder with it is finished."""
    write_bytes(path, (json.dumps(facts, indent=1, sort_keys=True) + "\n").encode())


def _pixels(raster: Raster, bands: list[np.ndarray]) -> Float32[np.ndarray, "C H W"]:
    shown = raster.owner >= 0
    pixels = np.full((len(bands), *raster.owner.shape), np.nan, dtype=np.float32)
    for band, values in zip(pixels, bands, strict=True):
        band[shown] = values[raster.owner[shown]]
    return pixels


def _named(number: np.ndarray, classes: tuple[str, ...]) -> pa.Array:
    words = np.array([*classes, ""], dtype=object)
    return pa.array(words[number], pa.string(), mask=number < 0)
