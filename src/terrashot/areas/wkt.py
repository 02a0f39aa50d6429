"""Polygons of a text in WKT, or in EWKT (`SRID=4326;POLYGON ...`)."""

from pathlib import Path

import numpy as np
import pyproj
import shapely

from terrashot.areas.drawn import POLYGONS, Drawn
from terrashot.errors import InputError, one_line


def read_wkt(text: str, path: Path) -> Drawn:
    """Every polygon in it.

    Raises:
        InputError: no WKT, or another geometry than polygons.
    """
    head, _, body = text.strip().rpartition(";")
    try:
        shape = shapely.from_wkt(body)
        crs = pyproj.CRS.from_user_input(int(head.upper().removeprefix("SRID="))) if head else None
    except (shapely.errors.ShapelyError, ValueError, pyproj.exceptions.CRSError) as error:
        raise InputError(f"{path}: cannot be read as WKT: {one_line(error)}") from None
    parts = shapely.get_parts([shape]) if shape.geom_type == "GeometryCollection" else np.array([shape], dtype=object)
    others = [part.geom_type for part in parts if part.geom_type not in POLYGONS]
    if others:
        raise InputError(f"{path}: holds a {others[0]}; an outline is a Polygon or a MultiPolygon")
    return Drawn(shapely.force_2d(parts), crs, bool(shapely.has_z(parts).any()))
