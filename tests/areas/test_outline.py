"""An outline file gives an area, or one line that says why not."""

import json
import os

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.areas import drawn, geojson
from terrashot.areas.outline import read_outline
from terrashot.errors import InputError

SQUARE = [[[9.0, 45.0], [9.4, 45.0], [9.4, 45.2], [9.0, 45.2], [9.0, 45.0]]]
POLYGON = {"type": "Polygon", "coordinates": SQUARE}
FAR = {"type": "MultiPolygon", "coordinates": [[[[20.0, 1.0], [21.0, 1.0], [21.0, 2.0], [20.0, 1.0]]]]}


def feature(geometry):
    return {"type": "Feature", "properties": None, "geometry": geometry}


def written(tmp_path, content):
    path = tmp_path / "outline.geojson"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "area_deg2"),
    [
        (POLYGON, 0.08),
        (feature(POLYGON), 0.08),
        ({"type": "GeometryCollection", "geometries": [POLYGON, FAR]}, 0.58),
        ({"type": "FeatureCollection", "features": [feature(g) for g in (POLYGON, FAR, POLYGON, None)]}, 0.58),
        ({"type": "Polygon", "coordinates": [[[*point, 120.5] for point in SQUARE[0]]]}, 0.08),
        ({"type": "Polygon", "coordinates": [SQUARE[0][:-1]]}, 0.08),
        ("\ufeff" + json.dumps(POLYGON), 0.08),
        ({"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [1, 0], [0, 2]]]}, 2.0),
    ],
    ids=["geometry", "feature", "geometries", "overlapping-features", "heights", "open-ring", "byte-order-mark",
         "touches-itself"],
)  # fmt: skip
def test_every_form_of_geojson_gives_the_union_of_its_polygons(tmp_path, content, area_deg2):
    assert shapely.area(read_outline(written(tmp_path, content))[0]) == pytest.approx(area_deg2)


def collection(depth):
    content = POLYGON
    for _ in range(depth):
        content = {"type": "GeometryCollection", "geometries": [content]}
    return content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "cannot be read as GeoJSON"),
        ("{]", "cannot be read as GeoJSON"),
        ("[" * 100_000, "cannot be read as GeoJSON"),
        ("[1, 2]", "where an object with a 'type' belongs"),
        ({"coordinates": SQUARE}, "where an object with a 'type' belongs"),
        (collection(30), "nested over 20 deep"),
        ({"type": "FeatureCollection", "features": 5}, "without a list of features"),
        ({"type": "FeatureCollection", "features": []}, "no polygon in it"),
        ({"type": "Point", "coordinates": [9, 45]}, "holds a Point"),
        ({"type": "LineString", "coordinates": SQUARE[0]}, "holds a LineString"),
        ({"type": "Polygon"}, "no rings"),
        ({"type": "Polygon", "coordinates": [[[9, 45], [9.4, 45]]]}, "no rings"),
        ({"type": "Polygon", "coordinates": [[["9", "45"]] * 4]}, "no rings"),
        ({"type": "Polygon", "coordinates": SQUARE[0]}, "no rings"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ('{"type": "Polygon", "coordinates": [[[9, 45], [NaN, 45], [9, 46], [9, 45]]]}', "no finite number"),
        ({"type": "Polygon", "coordinates": [[[5e5, 5e6], [6e5, 5e6], [6e5, 6e6]]]}, "reproject to EPSG:4326"),
        ({"type": "Polygon", "coordinates": [[[-181, 120], [46, 120], [46, 121]]]}, "longitude first"),
        ({"type": "Polygon", "coordinates": [[[179, 1], [361, 1], [361, 2], [179, 1]]]}, "longitude first"),
        (POLYGON | {"crs": {"type": "name", "properties": {"name": "EPSG:9999999"}}}, "names no coordinates"),
        (POLYGON | {"crs": {"type": "link"}}, "names no coordinates"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "invalid polygon"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}, "invalid polygon"),
    ],
)  # fmt: skip
def test_what_is_no_outline_is_refused_in_one_line_that_names_the_file(tmp_path, content, said):
    with pytest.raises(InputError, match=said) as refusal:
        read_outline(written(tmp_path, content))
    assert str(refusal.value).startswith(str(tmp_path))
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such outline file"):
        read_outline(tmp_path / "none.geojson")
    with pytest.raises(InputError, match="cannot be read"):
        read_outline(tmp_path)


def test_a_file_or_polygon_over_the_limits_is_refused(tmp_path, monkeypatch):
    path = written(tmp_path, POLYGON)
    monkeypatch.setattr(geojson, "MAX_VERTICES", 2)
    with pytest.raises(InputError, match="over 2 vertices"):
        read_outline(path)
    monkeypatch.setattr(drawn, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="simplify the outline"):
        read_outline(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["Polygon", "Feature", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "coordinates", "geometry"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(json_values, st.sampled_from(["type", "coordinates", "geometry", "ring", "point"]))
def test_whatever_the_file_holds_only_our_own_error_comes_out(tmp_path_factory, junk, place):
    ring = [*SQUARE[0][:2], junk, *SQUARE[0][2:]] if place == "ring" else SQUARE[0]
    point = [[9.0, junk], *ring[1:]] if place == "point" else ring
    polygon = {"type": "Polygon", "coordinates": [point]} | ({place: junk} if place in ("type", "coordinates") else {})
    path = tmp_path_factory.getbasetemp() / "junk.geojson"
    path.write_text(json.dumps(feature(junk if place == "geometry" else polygon)), "utf-8")
    try:
        assert shapely.area(read_outline(path)[0]) > 0
    except InputError as refusal:
        assert "\n" not in str(refusal)


def test_countries_of_natural_earth_are_read(shared_data):
    land, _ = read_outline(shared_data / "natural-earth" / "ne_110m_land.json")
    assert shapely.contains_xy(land, 9.5, 45.1)
    assert not shapely.contains_xy(land, -30.0, 40.0)


def test_a_key_that_stands_twice_is_refused(tmp_path):
    text = json.dumps(POLYGON)[:-1] + ', "coordinates": []}'
    with pytest.raises(InputError, match="a key stands twice in one object"):
        read_outline(written(tmp_path, text))


def test_far_too_many_numbers_are_refused_before_they_are_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(geojson, "MAX_NUMBERS", 10)
    monkeypatch.setattr(geojson.json, "loads", None)
    with pytest.raises(InputError, match="simplify the outline"):
        read_outline(written(tmp_path, "[" + "1," * 11))


def test_a_pipe_is_no_outline(tmp_path):
    os.mkfifo(tmp_path / "outline.geojson")
    with pytest.raises(InputError, match="is no file"):
        read_outline(tmp_path / "outline.geojson")
