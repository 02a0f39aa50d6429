"""Outlines from files."""

from pathlib import Path

from terrashot.areas.drawn import Drawn, refuse_size
from terrashot.areas.geojson import read_geojson
from terrashot.areas.mend import mended
from terrashot.areas.vector_file import DRIVERS, PARQUET, read_vector_file
from terrashot.areas.wkt import read_wkt
from terrashot.domain.area import Outline
from terrashot.errors import InputError, one_line


def read_outline(path: Path) -> tuple[Outline, tuple[str, ...]]:
    """The union of all polygons of a file, in degrees, and what was mended on the way.

    The name says what the file is: `.wkt` text, `.gpkg`, `.parquet`, `.shp`, `.fgb`, all else GeoJSON.

    Raises:
        InputError: missing, too large, not of that form, no polygon, invalid, or not in degrees; says which.
    """
    return mended(_drawn(path), path)


def _drawn(path: Path) -> Drawn:
    refuse_size(path)
    kind = path.suffix.lower()
    if kind in DRIVERS or kind in PARQUET:
        return read_vector_file(path)
    return read_wkt(_text(path, "WKT"), path) if kind == ".wkt" else read_geojson(_text(path, "GeoJSON"), path)


def _text(path: Path, form: str) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read as {form}: {one_line(error)}") from None
