"""Each kind of bad outline: its exit code, and one line that says what is wrong and where."""

import json
import os
import warnings

import geopandas
import pytest
import shapely
from test_bad_input import in_process

STUDY = """
[study]
name = "bad"
[grid]
chip_px = 16
pixel_m = 40.0
[areas.a]
{area}
"""
BOX = shapely.box(9.0, 45.0, 9.4, 45.2)
RING = [[9.0, 45.0], [9.4, 45.0], [9.4, 45.2], [9.0, 45.2], [9.0, 45.0]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}


def geojson(content):
    return "outline.geojson", lambda path: path.write_text(content if isinstance(content, str) else json.dumps(content))


def polygon(*ring):
    return geojson({"type": "Polygon", "coordinates": [[list(point) for point in ring]]})


def wkt(text):
    return "outline.wkt", lambda path: path.write_text(text)


def vectors(name, *shapes, crs: object = 4326):
    def write(path):
        table = geopandas.GeoDataFrame({"n": [str(n) for n in range(len(shapes))]}, geometry=list(shapes), crs=crs)
        with warnings.catch_warnings(
            action="ignore", category=UserWarning
        ):  # of a file that is to say nothing on its degrees
            table.to_parquet(path) if path.suffix == ".parquet" else table.to_file(path)

    return name, write


def content(name, found):
    return name, lambda path: path.write_bytes(found)


def two_layers(path):
    for layer in ("one", "two"):
        geopandas.GeoDataFrame(geometry=[BOX], crs=4326).to_file(path, layer=layer)


def under_another_name(path):
    geopandas.GeoDataFrame(geometry=[BOX], crs=4326).to_file(path.with_suffix(".fgb"))
    path.with_suffix(".fgb").rename(path)


def nested(depth):
    found = POLYGON
    for _ in range(depth):
        found = {"type": "GeometryCollection", "geometries": [found]}
    return found


FILES = {
    "no file": (("outline.geojson", lambda path: None), "no such outline file"),
    "a folder": (("outline.geojson", lambda path: path.mkdir()), "is no file"),
    "a pipe": (("outline.geojson", os.mkfifo), "is no file"),
    "an empty file": (content("outline.geojson", b""), "cannot be read as GeoJSON"),
    "another coding than UTF-8": (content("outline.geojson", json.dumps(POLYGON).encode("utf-16")), "cannot be read as GeoJSON"),
    "text cut short": (geojson(json.dumps(POLYGON)[:-9]), "cannot be read as GeoJSON"),
    "no object": (geojson("[1, 2]"), "where an object with a 'type' belongs"),
    "an object without a type": (geojson({"coordinates": [RING]}), "where an object with a 'type' belongs"),
    "a key twice": (geojson(json.dumps(POLYGON)[:-1] + ', "coordinates": []}'), "a key stands twice in one object"),
    "brackets without end": (geojson("[" * 100_000), "cannot be read as GeoJSON"),
    "collections within collections": (geojson(nested(30)), "nested over 20 deep"),
    "features that are no list": (geojson({"type": "FeatureCollection", "features": 5}), "without a list of features"),
    "geometries that are no list": (geojson({"type": "GeometryCollection"}), "without a list of geometries"),
    "no feature": (geojson({"type": "FeatureCollection", "features": []}), "no polygon in it"),
    "a point": (geojson({"type": "Point", "coordinates": [9, 45]}), "holds a Point"),
    "a line": (geojson({"type": "LineString", "coordinates": RING}), "holds a LineString"),
    "a polygon without coordinates": (geojson({"type": "Polygon"}), "no rings"),
    "a ring of two positions": (polygon((9, 45), (9.4, 45)), "no rings"),
    "positions of text": (polygon(("9", "45"), ("10", "45"), ("10", "46")), "no rings"),
    "positions of one number": (polygon((9,), (10,), (10,)), "no rings"),
    "a ring where a list of rings belongs": (geojson({"type": "Polygon", "coordinates": RING}), "no rings"),
    "no ring": (geojson({"type": "Polygon", "coordinates": []}), "empty"),
    "a coordinate that is no number": (geojson('{"type":"Polygon","coordinates":[[[9,45],[NaN,45],[9,46],[9,45]]]}'), "no finite number"),
    "metres without a word on them": (polygon((5e5, 5e6), (6e5, 5e6), (6e5, 6e6)), "reproject to EPSG:4326"),
    "both axes beyond 90": (polygon((-181, 120), (46, 120), (46, 121)), "longitude first"),
    "longitudes beyond 360": (polygon((179, 1), (361, 1), (361, 2)), "longitude first"),
    "a projection that nobody knows": (geojson(POLYGON | {"crs": {"type": "name", "properties": {"name": "EPSG:9999999"}}}), "names no coordinates"),
    "a projection by a link": (geojson(POLYGON | {"crs": {"type": "link"}}), "names no coordinates"),
    "a ring that crosses itself": (polygon((0, 0), (1, 1), (1, 0), (0, 1)), "invalid polygon"),
    "a ring without ground": (polygon((0, 0), (1, 1), (2, 2)), "invalid polygon"),
    "beyond 84 degrees north": (polygon((9, 83), (10, 83), (10, 85), (9, 85)), "UTM ends at 84 N and 80 S"),
    "beyond 80 degrees south": (polygon((9, -82), (10, -82), (10, -79), (9, -79)), "UTM ends at 84 N and 80 S"),
    "smaller than a chip": (polygon((9, 45), (9.001, 45), (9.001, 45.001)), "holds no chip of 640 m"),
    "text that is no WKT": (wkt("POLYGONE ((0 0, 1 0, 1 1, 0 0))"), "cannot be read as WKT"),
    "WKT with an open ring": (wkt("POLYGON ((0 0, 1 0, 1 1))"), "cannot be read as WKT"),
    "WKT with a projection by a name": (wkt("SRID=utm;POLYGON ((0 0, 1 0, 1 1, 0 0))"), "cannot be read as WKT"),
    "WKT of a point among polygons": (wkt("GEOMETRYCOLLECTION (POINT (0 0), POLYGON ((0 0, 1 0, 1 1, 0 0)))"), "holds a Point"),
    "an empty polygon": (wkt("POLYGON EMPTY"), "empty"),
    "an infinite coordinate": (wkt("POLYGON ((0 0, inf 0, 1 1, 0 0))"), "no finite number"),
    "a hole outside its polygon": (wkt("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (5 5, 6 5, 6 6, 5 5))"), "invalid polygon"),
    "where its projection does not reach": (wkt("SRID=32632;POLYGON ((9 45, 1e30 45, 9.4 45.2, 9 45))"), "does not reach"),
    "no GeoPackage": (content("outline.gpkg", b"nothing of the kind"), "cannot be read as a vector file"),
    "no shapefile": (content("outline.shp", b"nothing of the kind"), "cannot be read as a vector file"),
    "no FlatGeobuf": (content("outline.fgb", b"nothing of the kind"), "cannot be read as a vector file"),
    "no GeoParquet": (content("outline.parquet", b"PAR1PAR1"), "cannot be read as a vector file"),
    "two layers": (("outline.gpkg", two_layers), "2 layers with geometries (one, two)"),
    "a file under another form's name": (("outline.gpkg", under_another_name), "name it as what it is"),
    "a table of points": (vectors("outline.gpkg", shapely.Point(9, 45)), "holds a Point"),
    "a table without a shape": (vectors("outline.parquet", None), "no polygon in it"),
    "a shapefile in metres without its projection": (vectors("outline.shp", shapely.box(5e5, 5e6, 6e5, 6e6), crs=None), "reproject to EPSG:4326"),
}  # fmt: skip
"""By kind, the file and what is said of it."""

KEYS = {
    "south above north": ("bbox = [9.0, 46.0, 10.0, 45.0]", 3, "south below north"),
    "no width": ("bbox = [9.0, 45.0, 9.0, 46.0]", 3, "needs west, south, east, north in degrees"),
    "a box in metres": ("bbox = [500000, 0, 510000, 1]", 3, "metres or swapped latitude and longitude do not fit"),
    "a box of three numbers": ("bbox = [9.0, 45.0, 10.0]", 2, "3: Field required"),
    "a box and a file": ('bbox = [9.0, 45.0, 9.4, 45.2]\noutline = "a.geojson"', 2, "give one of bbox"),
    "no outline at all": ("band_angle_rad = 0.3", 2, "give one of bbox"),
    "a region without its table": ('region = "Luxembourg"', 2, "belong together"),
}
"""By kind, what stands in the study file, the exit code and what is said of it."""


def run(folder, area, capsys, monkeypatch):
    (folder / "study.toml").write_text(STUDY.format(area=area))
    code, line, _ = in_process(capsys, monkeypatch, "run", folder, "--only", "chips", "--json")
    assert not (folder / "chips.parquet").exists()
    return code, line


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_outline_file_gets_exit_code_3_and_one_line_that_names_it(kind, tmp_path, capsys, monkeypatch):
    (name, write), said = FILES[kind]
    write(tmp_path / name)
    code, line = run(tmp_path, f'outline = "{name}"', capsys, monkeypatch)
    assert (code, said in line) == (3, True), line
    assert line.startswith("terrashot: ") and (name in line or "area 'a'" in line or "UTM ends" in line), line


@pytest.mark.parametrize("kind", KEYS)
def test_a_bad_area_in_the_study_file_gets_its_exit_code_and_one_line(kind, tmp_path, capsys, monkeypatch):
    area, expected, said = KEYS[kind]
    code, line = run(tmp_path, area, capsys, monkeypatch)
    assert (code, said in line) == (expected, True), line


def test_a_name_that_no_table_holds_gets_exit_code_3(tmp_path, capsys, monkeypatch):
    geopandas.GeoDataFrame({"NAME": ["Atlantis"]}, geometry=[BOX], crs=4326).to_file(tmp_path / "a.gpkg")
    area = 'region = "{}"\nboundaries = "a.gpkg"'
    assert "near to it: Atlantis" in run(tmp_path, area.format("Atlantos"), capsys, monkeypatch)[1]
    geopandas.GeoDataFrame(geometry=[BOX], crs=4326).to_file(tmp_path / "b.gpkg")
    code, line = run(tmp_path, area.format("Atlantis").replace("a.gpkg", "b.gpkg"), capsys, monkeypatch)
    assert (code, "none of its columns holds names" in line) == (3, True), line
