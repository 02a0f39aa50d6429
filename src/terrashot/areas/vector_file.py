"""Polygons of the vector files of a GIS: GeoPackage, GeoParquet, shapefile, FlatGeobuf."""

from pathlib import Path

import geopandas
import pyogrio
import pyproj
import shapely

from terrashot.areas.drawn import MAX_VERTICES, POLYGONS, Drawn, refuse_size
from terrashot.errors import InputError, one_line

DRIVERS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".fgb": "FlatGeobuf"}
"""The readers that may see a file, by how its name ends: the rest of the library's stay shut."""
PARQUET = (".parquet", ".geoparquet")
GEOJSON = "GeoJSON"


def read_vector_file(path: Path) -> Drawn:
    """Every polygon of the one layer that has geometries.

    Raises:
        InputError: not of this form, more layers than one, no polygon, or far too much of it.
    """
    table = _table(path, columns=[])
    shapes = table.geometry.to_numpy()
    return Drawn(shapely.force_2d(shapes), table.crs, bool(shapely.has_z(shapes).any()))


def read_boundaries(path: Path) -> geopandas.GeoDataFrame:
    """Rows with a polygon, and all that stands beside it; GeoJSON too.

    Raises:
        InputError: as `read_vector_file`.
    """
    return _table(path, columns=None)


def _table(path: Path, columns: list[str] | None) -> geopandas.GeoDataFrame:
    refuse_size(path)
    try:
        is_parquet = path.suffix.lower() in PARQUET
        table = geopandas.read_parquet(path) if is_parquet else _layer(path, columns)
    except InputError:
        raise
    except (ValueError, OSError, TypeError, KeyError, RuntimeError, pyproj.exceptions.CRSError) as error:
        raise InputError(f"{path}: cannot be read as a vector file: {one_line(error)}") from None
    shapes = table.geometry.to_numpy()
    table = table[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    others = sorted({shape.geom_type for shape in table.geometry} - set(POLYGONS))
    if others:
        raise InputError(f"{path}: holds a {others[0]}; an outline is a Polygon or a MultiPolygon")
    if int(shapely.get_num_coordinates(table.geometry.to_numpy()).sum()) > MAX_VERTICES:
        raise InputError(f"{path}: over {MAX_VERTICES} vertices; simplify the outline")
    return table


def _layer(path: Path, columns: list[str] | None) -> geopandas.GeoDataFrame:
    layers = [name for name, kind in pyogrio.list_layers(path).tolist() if kind is not None]
    if len(layers) != 1:
        raise InputError(
            f"{path}: {len(layers)} layers with geometries ({', '.join(layers[:5])}); an outline is in one"
        )
    found, expected = pyogrio.read_info(path, layer=layers[0])["driver"], DRIVERS.get(path.suffix.lower(), GEOJSON)
    if found != expected:
        raise InputError(f"{path}: is {found} and not the {expected} that its name says; name it as what it is")
    return pyogrio.read_dataframe(path, layer=layers[0], columns=columns)
