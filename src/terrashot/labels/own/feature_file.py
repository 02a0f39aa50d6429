"""Rows of a vector file as an Arrow table with geometries in WKB: GeoJSON, GeoPackage, shapefile, FlatGeobuf, GeoParquet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyogrio
import pyproj

from terrashot.errors import InputError, one_line
from terrashot.store.parquet import read_table

MAX_BYTES = 2 << 30
MAX_TEXT_BYTES = 200 << 20
"""Of GeoJSON, which is held whole several times over."""
LARGEST_CELL_BYTES = 1 << 20
DEEPEST = 30
"""Brackets within brackets of a GeoJSON: GDAL gives up a little beyond."""
PARQUET = (".parquet", ".geoparquet", ".pq")
GEOJSON = (".geojson", ".json")
SIGNS = {".gpkg": b"SQLite format 3\x00", ".shp": b"\x00\x00\x27\x0a", ".fgb": b"fgb"}
"""First bytes of a file by how its name ends: no other reader of GDAL's may be tempted to open it."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """All rows of one layer."""

    table: pa.Table
    geometry: str
    """Name of the column of geometries."""
    crs: pyproj.CRS | None
    """What their coordinates mean; None where the file does not say."""


def is_feature_file(path: Path) -> bool:
    """Whether the name is that of a vector file."""
    return path.suffix.lower() in (*SIGNS, *PARQUET, *GEOJSON)


def read_features(path: Path, layer: str | None, columns: Sequence[str]) -> Features:
    """Geometries, and those of these columns that are there.

    Raises:
        InputError: missing, too large, not what its name says, several layers, no geometry, or damaged.
    """
    _refuse(path)
    try:
        if path.suffix.lower() in PARQUET:
            return _of_parquet(path, columns)
        return _of_layer(path, layer, columns)
    except InputError:
        raise
    except (
        ValueError,
        OSError,
        TypeError,
        KeyError,
        RuntimeError,
        pa.ArrowException,
        pyproj.exceptions.CRSError,
    ) as error:
        raise InputError(f"{path}: cannot be read as a vector file: {one_line(error)}") from None


def _refuse(path: Path) -> None:
    """Nothing, for a plain file of a size that is read, which begins as its name says."""
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if not path.is_file():
        raise InputError(f"{path}: cannot be read: it is no plain file")
    kind, size = path.suffix.lower(), path.stat().st_size
    most = MAX_TEXT_BYTES if kind in GEOJSON else MAX_BYTES
    if size > most:
        raise InputError(f"{path}: over {most >> 20} MiB; write it as GeoPackage or GeoParquet, or cut it")
    if kind in GEOJSON:
        _refuse_no_geojson(path)
        return
    with path.open("rb") as file:
        sign = SIGNS.get(kind, b"")
        if file.read(len(sign)) != sign:
            raise InputError(f"{path}: is no {kind[1:]} file, whatever its name says; name it as what it is")


def _refuse_no_geojson(path: Path) -> None:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from None
    if not text.lstrip().startswith("{"):
        raise InputError(f"{path}: is no GeoJSON: it does not begin with an object; name it as what it is")
    if "[" * DEEPEST in "".join(sign for sign in text[: 1 << 16] if sign in "[]{}"):
        raise InputError(f"{path}: is no GeoJSON: brackets nested over {DEEPEST} deep")


def _of_layer(path: Path, wanted: str | None, columns: Sequence[str]) -> Features:
    layers = [str(name) for name, kind in pyogrio.list_layers(path).tolist() if kind is not None]
    if wanted is not None and wanted not in layers:
        raise InputError(f"{path}: no layer '{wanted}' with geometries; there are {', '.join(layers[:5]) or 'none'}")
    if wanted is None and len(layers) != 1:
        told = f"there are {len(layers)} layers with geometries ({', '.join(layers[:5])}); name one with layer"
        raise InputError(f"{path}: {told}" if layers else f"{path}: no layer with geometries")
    layer = wanted or layers[0]
    fields = list(pyogrio.read_info(path, layer=layer)["fields"])
    meta, table = pyogrio.read_arrow(path, layer=layer, columns=[name for name in columns if name in fields])
    _refuse_absent(path, columns, fields)
    crs = None if meta["crs"] is None else pyproj.CRS.from_user_input(meta["crs"])
    return Features(table, meta["geometry_name"] or "wkb_geometry", crs)


def _of_parquet(path: Path, columns: Sequence[str]) -> Features:
    table = read_table(path)
    geo = (table.schema.metadata or {}).get(b"geo")
    if geo is None:
        raise InputError(
            f"{path}: is no GeoParquet: its footer tells of no geometry; labels by id belong in [labels] file"
        )
    told = json.loads(geo)
    name = told["primary_column"]
    column = told["columns"][name]
    if column.get("encoding") != "WKB":
        raise InputError(f"{path}: geometries are coded as {str(column.get('encoding'))[:20]}; write them as WKB")
    _refuse_absent(path, columns, [each for each in table.column_names if each != name])
    # The specification: not given is longitude and latitude; null is unknown.
    crs = (
        pyproj.CRS.from_user_input(column.get("crs", "OGC:CRS84") or "OGC:CRS84")
        if column.get("crs", 0) is not None
        else None
    )
    return Features(table.select([name, *columns]), name, crs)


def _refuse_absent(path: Path, columns: Sequence[str], there: Sequence[str]) -> None:
    absent = [name for name in columns if name not in there]
    if absent:
        raise InputError(f"{path}: no column '{absent[0]}'; columns are {', '.join(map(str, there))[:200] or 'none'}")
