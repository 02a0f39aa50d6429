"""Columns of a partitions file beyond those that every one has: shares of classes, groups."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from terrashot.areas.geojson import listed
from terrashot.areas.partitions import partition_content


def read_columns(path: Path, is_wanted: Callable[[str], bool]) -> Mapping[str, Mapping[str, Any]]:
    """By column and identifier, whatever stands there; features without an identifier are left out.

    Raises:
        InputError: as `read_partitions`, of the file as a whole.
    """
    columns: dict[str, dict[str, Any]] = {}
    for feature in listed(partition_content(path), "features", path):
        told = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(told, dict) or not isinstance(told.get("identifier"), str):
            continue
        for name, value in told.items():
            if is_wanted(name) and value is not None:
                columns.setdefault(name, {})[told["identifier"]] = value
    return columns
