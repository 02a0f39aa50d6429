"""Countries and regions by name."""

import geopandas
import pytest
import shapely

from terrashot.areas.region import read_region
from terrashot.errors import InputError

ROWS = geopandas.GeoDataFrame(
    {"NAME": ["Atlantis", "Lemuria", "Mu"], "ISO_A2": ["AT", "LE", None], "CONTINENT": ["Lost", "Lost", "Sunk"]},
    geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 5, 6, 6)],
    crs=4326,
)


@pytest.fixture(params=["a.geojson", "a.gpkg", "a.shp", "a.parquet"])
def boundaries(request, tmp_path):
    path = tmp_path / request.param
    ROWS.to_parquet(path) if path.suffix == ".parquet" else ROWS.to_file(path)
    return path


@pytest.mark.parametrize(
    ("name", "area_deg2", "column"),
    [("Atlantis", 1, "NAME"), (" atlantis ", 1, "NAME"), ("LE", 1, "ISO_A2"), ("lost", 2, "CONTINENT")],
)
def test_a_name_gives_the_union_of_its_shapes_by_the_narrowest_column(boundaries, name, area_deg2, column):
    outline, notes = read_region(boundaries, name)
    assert shapely.area(outline) == pytest.approx(area_deg2)
    assert notes[-1].endswith(f"{area_deg2} shapes by {column}")


def test_an_unknown_name_is_refused_with_what_is_near(boundaries):
    with pytest.raises(InputError, match="no 'Atlantos' in it; near to it: Atlantis"):
        read_region(boundaries, "Atlantos")
    with pytest.raises(InputError, match="look at its names"):
        read_region(boundaries, "xyzzy")


def test_a_table_without_names_and_a_missing_one_are_refused(tmp_path):
    ROWS[["geometry"]].to_file(tmp_path / "a.gpkg")
    with pytest.raises(InputError, match="none of its columns holds names"):
        read_region(tmp_path / "a.gpkg", "Mu")
    with pytest.raises(InputError, match="no such outline file"):
        read_region(tmp_path / "b.gpkg", "Mu")


def test_countries_and_continents_of_natural_earth(shared_data):
    path = shared_data / "natural-earth" / "ne_110m_admin_0_countries.json"
    luxembourg, _ = read_region(path, "Luxembourg")
    assert shapely.contains_xy(luxembourg, 6.1, 49.7) and shapely.area(luxembourg) < 1
    europe, (note,) = read_region(path, "europe")
    assert shapely.contains_xy(europe, 13.4, 52.5) and "CONTINENT" in note
