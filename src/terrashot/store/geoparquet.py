"""The columns that say where chips are, as GeoParquet 1.1 with a bounding-box covering.

Source: GeoParquet specification 1.1.0 (metadata key `geo`, WKB encoding, covering by `bbox`).
"""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj
import shapely
from jaxtyping import Int64

from terrashot.domain.hilbert import hilbert_distances
from terrashot.domain.major_tom import grid_cells
from terrashot.domain.tables import Chips
from terrashot.errors import InputError, one_line
from terrashot.store.wkb import wkb_column

KINDS = {3: "Polygon", 6: "MultiPolygon"}
"""Of footprints, by shapely's numbers."""
BBOX_TYPE = pa.struct([(side, pa.float64()) for side in ("xmin", "ymin", "xmax", "ymax")])


def chip_columns(chips: Chips) -> dict[str, pa.Array]:
    """Every column of chips.parquet (docs/files.md); what is not known is null."""
    n = len(chips)
    utm = _nulls_or(chips.utm, n, 3)
    return {
        "id": pa.array(chips.ids, pa.string()),
        "area": pa.array(chips.area, pa.string()),
        "group": pa.array(chips.group, pa.string()),
        "split": pa.array(chips.split, pa.string()),
        "geometry": _wkb(chips.footprint, n),
        "bbox": _bounds(chips.footprint, n),
        **dict(zip(("utm_epsg", "row", "col"), utm, strict=True)),
        "lon": _degrees(chips.lon_deg, n),
        "lat": _degrees(chips.lat_deg, n),
        "grid_cell": _cells(chips),
    }


def geo_footer(chips: Chips) -> dict[str, str]:
    """The `geo` entry of the footer; empty where no chip has a place."""
    if chips.footprint is None:
        return {}
    kinds = sorted(KINDS[number] for number in set(shapely.get_type_id(chips.footprint).tolist()))
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": kinds,
        "crs": pyproj.CRS("EPSG:4326").to_json_dict(),
        "covering": {"bbox": {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}},
    }
    if len(chips):
        column["bbox"] = [float(value) for value in shapely.total_bounds(chips.footprint)]
    return {"geo": json.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}})}


def hilbert_order(chips: Chips) -> Int64[np.ndarray, " N"]:
    """Row numbers along a Hilbert curve over the whole Earth, so that chips near each other lie near in a file.

    Chips in one cell of the curve (about 600 m), and those without a place, which come last, follow their ids: the order
    of a chip does not depend on the other chips.
    """
    curve = np.full(len(chips), np.iinfo(np.int64).max)
    if chips.lon_deg is not None and chips.lat_deg is not None:
        placed = np.isfinite(chips.lon_deg) & np.isfinite(chips.lat_deg)
        curve[placed] = hilbert_distances(chips.lon_deg[placed], chips.lat_deg[placed])
    order = np.argsort(curve, kind="stable")
    edges = np.append(np.flatnonzero(np.diff(curve[order], prepend=-1)), len(chips))
    several = np.flatnonzero(np.diff(edges) > 1)
    for start, stop in zip(edges[several].tolist(), edges[several + 1].tolist(), strict=True):
        order[start:stop] = sorted(order[start:stop].tolist(), key=chips.ids.__getitem__)
    return order


def chips_of_table(table: pa.Table, where: str) -> Chips:
    """Chips from any table with an `id` column; `area` is `all` where the table has none.

    Raises:
        InputError: no ids, or one twice; places or texts of another type.
    """
    ids = _ids(table, where)
    try:
        return _chips(table, ids)
    except (ValueError, TypeError, OverflowError, pa.ArrowException, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"{where}: area, split, group or place are not of the types they should be ({one_line(error, 80)}); "
            "docs/files.md tells them"
        ) from None


def _chips(table: pa.Table, ids: tuple[str, ...]) -> Chips:
    lon_deg, lat_deg, footprint = _places(table)
    return Chips(
        ids=ids,
        area=tuple(value or "all" for value in _texts(table, "area")),
        group=_texts(table, "group"),
        split=_texts(table, "split"),
        footprint=footprint,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        utm=_utm(table),
    )


def _ids(table: pa.Table, where: str) -> tuple[str, ...]:
    if "id" not in table.column_names:
        raise InputError(f"{where}: no column 'id'; columns are {table.column_names[:8]}")
    ids = tuple(str(value) for value in table.column("id").to_pylist())
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        twice = next(value for value in ids if value in seen or seen.add(value))  # type: ignore[func-returns-value]
        raise InputError(f"{where}: chip id '{twice}' stands in more than one row; each chip has one")
    return ids


def _places(table: pa.Table) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    footprint = _footprint(table)
    if {"lon", "lat"} <= set(table.column_names) and table.column("lon").null_count < len(table):
        lon_deg, lat_deg = (table.column(name).to_numpy().astype(np.float64) for name in ("lon", "lat"))
        return lon_deg, lat_deg, footprint
    if footprint is None:
        return None, None, None
    centres = shapely.centroid(footprint)
    return shapely.get_x(centres), shapely.get_y(centres), footprint


def _footprint(table: pa.Table) -> np.ndarray | None:
    if "geometry" not in table.column_names:
        return None
    column = table.column("geometry")
    if column.null_count or not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        return None
    shapes: np.ndarray = shapely.from_wkb(np.array(column.to_pylist(), dtype=object), on_invalid="raise")
    return shapes


def _utm(table: pa.Table) -> np.ndarray | None:
    names = ("utm_epsg", "row", "col")
    if not set(names) <= set(table.column_names) or any(table.column(name).null_count for name in names):
        return None
    return np.column_stack([table.column(name).to_numpy().astype(np.int64) for name in names])


def _texts(table: pa.Table, name: str) -> tuple[str | None, ...]:
    if name not in table.column_names:
        return (None,) * len(table)
    return tuple(None if value is None else str(value) for value in table.column(name).to_pylist())


def _nulls_or(columns: np.ndarray | None, n: int, width: int) -> list[pa.Array]:
    if columns is None:
        return [pa.nulls(n, pa.int64()) for _ in range(width)]
    return [pa.array(columns[:, index], pa.int64()) for index in range(width)]


def _degrees(values: np.ndarray | None, n: int) -> pa.Array:
    return pa.nulls(n, pa.float64()) if values is None else pa.array(values, pa.float64(), from_pandas=True)


def _wkb(footprint: np.ndarray | None, n: int) -> pa.Array:
    return pa.nulls(n, pa.binary()) if footprint is None else wkb_column(footprint)


def _bounds(footprint: np.ndarray | None, n: int) -> pa.Array:
    if footprint is None:
        return pa.nulls(n, BBOX_TYPE)
    sides = [pa.array(column, pa.float64()) for column in shapely.bounds(footprint).T]
    return pa.StructArray.from_arrays(sides, fields=list(BBOX_TYPE))


def _cells(chips: Chips) -> pa.Array:
    if chips.lon_deg is None or chips.lat_deg is None:
        return pa.nulls(len(chips), pa.string())
    return pa.array(grid_cells(chips.lon_deg, chips.lat_deg), pa.string())
