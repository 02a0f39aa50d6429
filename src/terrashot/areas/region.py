"""Countries and regions by name, from a table of boundaries such as those of Natural Earth."""

from difflib import get_close_matches
from pathlib import Path

import geopandas
import pandas as pd
import shapely

from terrashot.areas.drawn import Drawn
from terrashot.areas.mend import mended
from terrashot.areas.vector_file import read_boundaries
from terrashot.domain.area import Outline
from terrashot.errors import InputError

COLUMNS = (
    "name", "name_en", "name_long", "admin", "formal_en", "iso_a2", "iso_a3", "adm0_a3", "sovereignt", "sov_a3",
    "continent", "region_un", "subregion", "region_wb",
)  # fmt: skip
"""Of Natural Earth, from the narrowest meaning to the widest; the first that holds the name counts."""


def read_region(path: Path, name: str) -> tuple[Outline, tuple[str, ...]]:
    """The union of all shapes of that name, in degrees, and by which column they were found.

    Raises:
        InputError: no such file or table, or no such name; says which are near.
    """
    table = read_boundaries(path)
    columns = [column for wanted in COLUMNS for column in table.columns if column.lower() == wanted]
    if not columns:
        raise InputError(f"{path}: none of its columns holds names; expected one of {', '.join(COLUMNS[:5]).upper()}")
    for column in columns:
        rows = table[_plain(table[column]) == name.strip().casefold()]
        if len(rows):
            outline, notes = mended(_drawn(rows), path)
            return outline, (*notes, f"{path.name}: '{name}' is {len(rows)} shapes by {column}")
    raise InputError(f"{path}: no '{name}' in it{_hint(table, columns, name)}")


def _plain(values: "pd.Series[str]") -> "pd.Series[str]":
    return values.astype(str).str.strip().str.casefold()


def _drawn(rows: geopandas.GeoDataFrame) -> Drawn:
    shapes = rows.geometry.to_numpy()
    return Drawn(shapely.force_2d(shapes), rows.crs, bool(shapely.has_z(shapes).any()))


def _hint(table: geopandas.GeoDataFrame, columns: list[str], name: str) -> str:
    known = {value.casefold(): value for column in columns for value in table[column].dropna().astype(str)}
    near = get_close_matches(name.strip().casefold(), known, n=3)
    return f"; near to it: {', '.join(known[value] for value in near)}" if near else "; look at its names in a GIS"
