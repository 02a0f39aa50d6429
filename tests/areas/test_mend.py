"""What is drawn in another way than asked for is put right where it can mean one thing alone, and that is said."""

import json

import geopandas
import numpy as np
import pytest
import shapely

from terrashot.areas.outline import read_outline
from terrashot.errors import InputError

BOX = shapely.box(9.0, 45.0, 9.4, 45.2)


def geojson(tmp_path, shape, crs=None):
    content = json.loads(shapely.to_geojson(shape))
    if crs:
        content["crs"] = {"type": "name", "properties": {"name": crs}}
    path = tmp_path / "outline.geojson"
    path.write_text(json.dumps(content))
    return path


def wkt(tmp_path, text):
    path = tmp_path / "outline.wkt"
    path.write_text(text)
    return path


def assert_alike(found, expected, share=1e-3):
    assert shapely.area(shapely.symmetric_difference(found, expected)) < share * shapely.area(expected)


def test_what_is_right_is_not_touched(tmp_path):
    assert read_outline(geojson(tmp_path, BOX)) == (shapely.union_all([BOX]), ())


@pytest.mark.parametrize(
    "outer",
    [shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)]), shapely.Polygon([(0, 0), (1, 0), (1, 1), (0, 1)])],
)
def test_either_winding_is_the_same_area(tmp_path, outer):
    assert_alike(read_outline(geojson(tmp_path, outer))[0], shapely.box(0, 0, 1, 1))


def test_latitude_before_longitude_is_put_right_where_it_cannot_be_else(tmp_path):
    japan = shapely.Polygon([(35, 138), (36, 138), (36, 139.5), (35, 139.5)])
    outline, notes = read_outline(geojson(tmp_path, japan))
    assert shapely.bounds(outline).tolist() == [138, 35, 139.5, 36]
    assert notes == ("outline.geojson: latitude stood before longitude: put right",)


def test_longitudes_from_0_to_360_are_moved_and_cut(tmp_path):
    outline, notes = read_outline(geojson(tmp_path, shapely.box(178, -18, 183, -16)))
    parts = shapely.union(shapely.box(178, -18, 180, -16), shapely.box(-180, -18, -177, -16))
    assert_alike(outline, parts, 1e-9)
    assert "cut at the antimeridian" in notes[0]


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:3857", "EPSG:3035", "urn:ogc:def:crs:EPSG::32632"])
def test_coordinates_that_say_what_they_are_are_reprojected(tmp_path, crs):
    drawn = geopandas.GeoSeries([shapely.segmentize(BOX, 0.01)], crs=4326).to_crs(crs)[0]
    outline, (note,) = read_outline(geojson(tmp_path, drawn, crs))
    assert_alike(outline, BOX)
    assert "reprojected from" in note


def test_a_straight_side_of_a_projection_is_followed_where_it_bends(tmp_path):
    square = shapely.box(2_500_000, 1_500_000, 6_000_000, 5_000_000)
    outline, _ = read_outline(geojson(tmp_path, square, "EPSG:3035"))
    corners = geopandas.GeoSeries([square], crs=3035).to_crs(4326)[0]
    fine = geopandas.GeoSeries([shapely.segmentize(square, 5_000)], crs=3035).to_crs(4326)[0]
    assert_alike(outline, fine)
    assert shapely.area(shapely.symmetric_difference(corners, fine)) > 0.02 * shapely.area(fine)


@pytest.mark.parametrize("crs", ["EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4258", "EPSG:4269"])
def test_degrees_that_are_named_stay_as_they_are(tmp_path, crs):
    assert read_outline(geojson(tmp_path, BOX, crs)) == (shapely.union_all([BOX]), ())


def test_heights_are_left_out_and_that_is_said(tmp_path):
    outline, notes = read_outline(wkt(tmp_path, "POLYGON Z ((0 0 5, 1 0 5, 1 1 5, 0 0 5))"))
    assert not shapely.has_z(outline) and notes == ("outline.wkt: heights are left out",)


@pytest.mark.parametrize(
    ("text", "area_deg2"),
    [
        ("POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))", 1.0),
        ("  polygon((0 0,1 0,1 1,0 1,0 0))\n", 1.0),
        ("SRID=4326;POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))", 1.0),
        ("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 1, 0 0)), ((2 0, 3 0, 3 1, 2 1, 2 0)))", 2.0),
        ("GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0)))", 1.0),
    ],
)
def test_forms_of_wkt(tmp_path, text, area_deg2):
    assert shapely.area(read_outline(wkt(tmp_path, text))[0]) == pytest.approx(area_deg2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read as WKT"),
        ("POLYGON ((0 0, 1 0", "cannot be read as WKT"),
        ("POLYGON ((0 0, 1 0, 1 1))", "cannot be read as WKT"),
        ("SRID=x;POLYGON ((0 0, 1 0, 1 1, 0 0))", "cannot be read as WKT"),
        ("SRID=99999999;POLYGON ((0 0, 1 0, 1 1, 0 0))", "cannot be read as WKT"),
        ("POINT (0 0)", "holds a Point"),
        ("LINESTRING (0 0, 1 1)", "holds a LineString"),
        ("GEOMETRYCOLLECTION (POINT (0 0), POLYGON ((0 0, 1 0, 1 1, 0 0)))", "holds a Point"),
        ("POLYGON EMPTY", "empty"),
        ("POLYGON ((0 0, nan 0, 1 1, 0 0))", "no finite number"),
        ("POLYGON ((0 0, inf 0, 1 1, 0 0))", "no finite number"),
        ("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", "invalid polygon"),
        ("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (5 5, 6 5, 6 6, 5 5))", "invalid polygon"),
        ("POLYGON ((0 0, 1 0, 0 0, 0 0))", "invalid polygon"),
        ("POLYGON ((500000 5000000, 510000 5000000, 510000 5010000, 500000 5000000))", "reproject to EPSG:4326"),
        ("SRID=32632;POLYGON ((9 45, 1e30 45, 9.4 45.2, 9 45))", "does not reach"),
    ],
)
def test_what_could_mean_more_than_one_thing_is_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as refusal:
        read_outline(wkt(tmp_path, text))
    assert str(refusal.value).startswith(str(tmp_path)) and "\n" not in str(refusal.value)


def test_the_outline_of_the_authors_tool_is_read(shared_data):
    outline, notes = read_outline(shared_data / "natural-earth" / "luxembourg_geetiles.wkt")
    assert shapely.contains_xy(outline, 6.1, 49.7) and notes == ()
    assert np.allclose(shapely.bounds(outline), [5.7, 49.4, 6.5, 50.2], atol=0.1)
