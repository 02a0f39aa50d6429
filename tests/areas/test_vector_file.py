"""Outlines from the files of a GIS."""

import geopandas
import pytest
import shapely

from terrashot.areas import vector_file
from terrashot.areas.outline import read_outline
from terrashot.errors import InputError

BOX, FAR = shapely.box(9.0, 45.0, 9.4, 45.2), shapely.box(20.0, 1.0, 21.0, 2.0)


def table(*shapes, crs: object = 4326):
    return geopandas.GeoDataFrame({"name": [str(n) for n in range(len(shapes))]}, geometry=list(shapes), crs=crs)


def written(rows, path, **how):
    rows.to_parquet(path) if path.suffix == ".parquet" else rows.to_file(path, **how)
    return path


@pytest.mark.parametrize("name", ["a.gpkg", "a.parquet", "a.shp", "a.fgb", "A.GPKG"])
@pytest.mark.parametrize("crs", [4326, 32632, 3035])
def test_every_form_gives_the_union_of_its_polygons(tmp_path, name, crs):
    rows = table(shapely.segmentize(BOX, 0.01), BOX, shapely.segmentize(FAR, 0.01)).to_crs(crs)
    outline, notes = read_outline(written(rows, tmp_path / name))
    expected = shapely.union(BOX, FAR)
    assert shapely.area(shapely.symmetric_difference(outline, expected)) < 1e-3 * shapely.area(expected)
    assert len(notes) == (crs != 4326)


def test_rows_without_a_geometry_add_none(tmp_path):
    outline, _ = read_outline(written(table(BOX, None, shapely.Polygon()), tmp_path / "a.gpkg"))
    assert shapely.area(outline) == pytest.approx(shapely.area(BOX))


def test_without_a_word_on_its_coordinates_degrees_are_taken_and_metres_refused(tmp_path):
    assert read_outline(written(table(BOX, crs=None), tmp_path / "a.shp"))[1] == ()
    metres = table(shapely.box(5e5, 5e6, 6e5, 6e6), crs=None)
    with pytest.raises(InputError, match="reproject to EPSG:4326"):
        read_outline(written(metres, tmp_path / "b.shp"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (table(shapely.Point(9, 45)), "holds a Point"),
        (table(shapely.LineString([(9, 45), (10, 46)])), "holds a LineString"),
        (table(None), "no polygon in it"),
        (table(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])), "invalid polygon"),
    ],
)
@pytest.mark.parametrize("name", ["a.gpkg", "a.parquet"])
def test_what_is_no_outline_is_refused(tmp_path, rows, said, name):
    with pytest.raises(InputError, match=said):
        read_outline(written(rows, tmp_path / name))


@pytest.mark.parametrize("name", ["a.gpkg", "a.parquet", "a.shp", "a.fgb"])
@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"PAR1PAR1"])
def test_what_is_no_such_file_is_refused_in_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a vector file") as refusal:
        read_outline(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_a_file_under_another_forms_name_is_refused(tmp_path):
    written(table(BOX), tmp_path / "a.fgb").rename(tmp_path / "a.gpkg")
    with pytest.raises(InputError, match="name it as what it is"):
        read_outline(tmp_path / "a.gpkg")


def test_of_several_layers_none_is_chosen(tmp_path):
    for layer in ("one", "two"):
        written(table(BOX), tmp_path / "a.gpkg", layer=layer)
    with pytest.raises(InputError, match=r"2 layers with geometries \(one, two\)"):
        read_outline(tmp_path / "a.gpkg")


def test_a_parquet_file_without_places_is_refused(tmp_path):
    import pandas as pd

    pd.DataFrame({"name": ["x"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="cannot be read as a vector file"):
        read_outline(tmp_path / "a.parquet")


def test_far_too_many_vertices_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_file, "MAX_VERTICES", 3)
    with pytest.raises(InputError, match="over 3 vertices"):
        read_outline(written(table(BOX), tmp_path / "a.gpkg"))
