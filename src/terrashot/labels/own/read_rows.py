"""A user's file as rows with a place and a value; what cannot be used is told by row."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from jaxtyping import Float64, Int64

from terrashot.errors import InputError
from terrashot.labels.own.bad_rows import BadRows
from terrashot.labels.own.feature_file import is_feature_file, read_features
from terrashot.labels.own.in_degrees import DEGREES, crs_of, off_the_globe, points_in_degrees, shapes_in_degrees
from terrashot.labels.own.label_rows import LabelRows
from terrashot.labels.own.values import amounts_of, classes_of, no_number
from terrashot.own_label_sections import OwnLabelsSection
from terrashot.store.csv_columns import CsvColumns, numbers_of, read_csv_columns

TABLES = (".csv", ".tsv", ".txt")
KINDS = {0: "points", 1: "lines", 2: "polygons"}
LINES, RINGS, COLLECTION = (1, 5), 2, 7
"""By shapely's numbers."""
ALLOWED_AREA_CHANGE = 1e-6
"""Of a polygon that is mended: a ring that only touches itself means one thing."""


def read_rows(path: Path, section: OwnLabelsSection) -> tuple[LabelRows, BadRows]:
    """The rows that can be used, and the others.

    Raises:
        InputError: the file as a whole cannot be used.
    """
    bad = BadRows()
    if is_feature_file(path):
        rows = _of_features(path, section, bad)
    elif path.suffix.lower() in TABLES:
        rows = _of_table(path, section, bad)
    else:
        raise InputError(
            f"{path}: by its name it is neither a table ({', '.join(TABLES)}) nor a map (.geojson, .gpkg, .shp, .fgb, .parquet)"
        )
    if not len(rows) and not len(bad):
        raise InputError(f"{path}: holds no row")
    return rows.take(~bad.is_bad(rows.number)), bad


def _of_table(path: Path, section: OwnLabelsSection, bad: BadRows) -> LabelRows:
    if section.layer is not None:
        raise InputError(f"{path}: a table has no layers; drop layer")
    content = read_csv_columns(path)
    wanted = (section.lon, section.lat, *([section.column] if section.column else []))
    absent = [name for name in wanted if name not in content.table.column_names]
    if absent:
        hint = "; labels by id belong in [labels] file" if "id" in content.table.column_names else ""
        raise InputError(
            f"{path}: no column '{absent[0]}'; columns are {', '.join(content.table.column_names)[:200]}{hint}"
        )
    bad.reasons.update(content.odd)
    crs = crs_of(None, section.crs, str(path)) if section.crs else DEGREES
    x, y = (_coordinate(content, name, bad) for name in (section.lon, section.lat))
    lon, lat = points_in_degrees(x, y, crs)
    _refuse_no_degrees(path, content.number, lon, lat, bad)
    return _with_values(path, section, content.table, content.number, LabelRows(content.number, lon, lat), bad)


def _coordinate(content: CsvColumns, name: str, bad: BadRows) -> Float64[np.ndarray, " R"]:
    cells = content.table.column(name)
    numbers = numbers_of(cells)
    bad.add(content.number, ~np.isfinite(numbers), lambda row: f"{name}: {no_number(cells[row].as_py())}")
    return numbers


def _of_features(path: Path, section: OwnLabelsSection, bad: BadRows) -> LabelRows:
    found = read_features(path, section.layer, [section.column] if section.column else [])
    number = np.arange(1, len(found.table) + 1)
    shapes = _shapes(path, found.table.column(found.geometry), number, bad)
    kinds = shapely.get_dimensions(shapes)
    there = np.unique(kinds[kinds >= 0]).tolist()
    if len(there) > 1:
        told = " and ".join(KINDS[kind] for kind in there)
        raise InputError(f"{path}: holds {told}; labels are made of one kind: part the file, a layer for each")
    dimension = there[0] if there else 0
    crs = crs_of(found.crs, section.crs, str(path))
    if dimension == 0:
        points, owner = shapely.get_parts(shapes, return_index=True)
        lon, lat = points_in_degrees(shapely.get_x(points), shapely.get_y(points), crs)
        _refuse_no_degrees(path, number[owner], lon, lat, bad)
        rows = LabelRows(number[owner], lon, lat)
        return _with_values(path, section, found.table.take(pa.array(owner)), number[owner], rows, bad)
    shapes = shapes_in_degrees(shapes, crs, str(path))
    rows = _of_shapes(path, shapes, dimension, number, bad)
    return _with_values(path, section, found.table, number, rows, bad)


def _shapes(path: Path, column: pa.ChunkedArray, number: Int64[np.ndarray, " R"], bad: BadRows) -> np.ndarray:
    """Two-dimensional geometries; None where there is none that can be used."""
    coded = column.to_numpy(zero_copy_only=False)
    shapes = shapely.force_2d(shapely.from_wkb(coded, on_invalid="ignore"))
    is_absent = shapely.is_missing(shapes)
    was_there = np.array([each is not None for each in coded], dtype=bool) if is_absent.any() else ~is_absent
    bad.add(number, is_absent, lambda row: "its geometry is damaged" if was_there[row] else "has no geometry")
    empty = shapely.is_empty(shapes) & ~is_absent
    bad.add(number, empty, lambda row: "its geometry is empty")
    mixed = shapely.get_type_id(shapes) == COLLECTION
    bad.add(number, mixed, lambda row: "is a collection of geometries; part it")
    bounds = shapely.bounds(shapes)
    infinite = ~np.isfinite(bounds).all(axis=1) & ~is_absent & ~empty
    bad.add(number, infinite, lambda row: "a coordinate is no finite number")
    shapes[empty | mixed | infinite] = None
    return _valid(shapes, number, bad)


def _valid(shapes: np.ndarray, number: Int64[np.ndarray, " R"], bad: BadRows) -> np.ndarray:
    """Mended where there is one right way: the same ground."""
    broken = np.flatnonzero(~shapely.is_valid(shapes) & ~shapely.is_missing(shapes))
    whole = shapely.make_valid(shapes[broken])
    same = np.abs(shapely.area(whole) - shapely.area(shapes[broken])) <= ALLOWED_AREA_CHANGE * shapely.area(whole)
    same &= shapely.get_dimensions(whole) == shapely.get_dimensions(shapes[broken])
    reasons = shapely.is_valid_reason(shapes[broken[~same]])
    bad.add(
        number[broken[~same]],
        np.ones(len(reasons), dtype=bool),
        lambda row: f"invalid polygon: {str(reasons[row])[:80]}",
    )
    shapes[broken[~same]] = None
    shapes[broken[same]] = whole[same]
    return shapes


def _of_shapes(path: Path, shapes: np.ndarray, dimension: int, number: np.ndarray, bad: BadRows) -> LabelRows:
    west, south, east, north = shapely.bounds(shapes).T
    there = ~shapely.is_missing(shapes)
    off = there & (off_the_globe(west, south) | off_the_globe(east, north))
    _refuse_if_all(path, off, there)
    bad.add(
        number,
        off,
        lambda row: f"reaches from {west[row]:.6g}, {south[row]:.6g} to {east[row]:.6g}, {north[row]:.6g}: no degrees",
    )
    usable = shapes.copy()
    usable[off] = None
    on_it = shapely.point_on_surface(usable)
    return LabelRows(number, shapely.get_x(on_it), shapely.get_y(on_it), usable, dimension)


def _refuse_no_degrees(path: Path, number: np.ndarray, lon: np.ndarray, lat: np.ndarray, bad: BadRows) -> None:
    there = np.isfinite(lon) & np.isfinite(lat)
    off = there & off_the_globe(lon, lat)
    _refuse_if_all(path, off, there)
    bad.add(number, off, lambda row: f"{lon[row]:.6g}, {lat[row]:.6g} are no degrees of longitude and latitude")
    bad.add(number, ~there, lambda row: "lies where its coordinate system does not reach")


def _refuse_if_all(path: Path, off: np.ndarray, there: np.ndarray) -> None:
    if off.any() and off.sum() == there.sum():
        raise InputError(
            f'{path}: no row lies on the globe by degrees of longitude and latitude; say what its coordinates are: crs = "EPSG:..."'
        )


def _with_values(
    path: Path, section: OwnLabelsSection, table: pa.Table, number: np.ndarray, rows: LabelRows, bad: BadRows
) -> LabelRows:
    if section.column is None:
        return rows
    column, where = table.column(section.column), f"{path}: column '{section.column}'"
    if section.how == "mean":
        amount = amounts_of(where, column, number, bad)
        return LabelRows(number, rows.lon_deg, rows.lat_deg, rows.shapes, rows.dimension, amount=amount)
    found = classes_of(where, column, number, section.classes, bad)
    return LabelRows(number, rows.lon_deg, rows.lat_deg, rows.shapes, rows.dimension, found.names, found.code)
