"""Each kind of bad label file: its exit code, one line that says what is wrong and where, and nothing half labelled."""

import json
import os
import shutil
import sqlite3
import warnings

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from test_bad_input import in_process

STUDY = """
[study]
name = "bad"
workers = 1
[grid]
chip_px = 16
pixel_m = 40.0
[areas.a]
bbox = [9.0, 45.0, 9.1, 45.1]
[split]
scheme = "random"
[labels]
{labels}
[labels.own.crop]
{own}
"""
CLASSES = 'file = "{}"\nhow = "majority"\ncolumn = "crop"'
KNOWN = CLASSES + '\nclasses = ["maize", "rice"]'
NUMBERS = 'file = "{}"\nhow = "mean"\ncolumn = "yield"'
GROUND = 'file = "{}"\nhow = "fraction"'
FIELD = shapely.box(9.02, 45.02, 9.04, 45.04)
POINTS = [shapely.Point(9.02 + 0.01 * n, 45.05) for n in range(4)]
GOOD = "lon,lat,crop\n9.02,45.05,maize\n9.05,45.05,rice\n"


def text(content, name="l.csv"):
    return name, lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode())


def rows(*lines, head="lon,lat,crop"):
    return text("\n".join((head, "9.02,45.05,maize", *lines, "")))


def vectors(name, shapes, crs: object = 4326, **columns):
    columns = columns or {"crop": ["maize", "rice"] * (len(shapes) // 2) + ["maize"] * (len(shapes) % 2)}

    def write(path):
        table = geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
        with warnings.catch_warnings(action="ignore"):
            table.to_parquet(path) if path.suffix == ".parquet" else table.to_file(path)

    return name, write


def features(*geometries, crop: object = "maize", **more):
    listed = [{"type": "Feature", "properties": {"crop": crop}, "geometry": each} for each in geometries]
    return text(json.dumps({"type": "FeatureCollection", "features": listed, **more}), "l.geojson")


def point(*coordinates):
    return {"type": "Point", "coordinates": coordinates}


def two_layers(path):
    for layer in ("one", "two"):
        geopandas.GeoDataFrame({"crop": ["maize"]}, geometry=[FIELD], crs=4326).to_file(path, layer=layer)


def cut(name, shapes, keep):
    def write(path):
        vectors(name, shapes)[1](path)
        path.write_bytes(path.read_bytes()[:keep])

    return name, write


def renamed(name, written):
    def write(path):
        vectors(written, [FIELD])[1](path.with_name(written))
        path.with_name(written).rename(path)

    return name, write


def plain_parquet(path):
    pq.write_table(pa.table({"id": ["a"], "crop": ["maize"]}), path)


def odd_parquet(path, change):
    vectors("l.parquet", [FIELD])[1](path)
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    change(geo["columns"]["geometry"])
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), path)


def bent_wkb(path):
    vectors("l.gpkg", [FIELD, FIELD])[1](path)
    with sqlite3.connect(path) as open_file:
        (wkb,) = open_file.execute("SELECT geom FROM l WHERE fid = 2").fetchone()
        for (name,) in open_file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            open_file.execute(f'DROP TRIGGER "{name}"')
        open_file.execute("UPDATE l SET geom = ? WHERE fid = 2", (wkb[:40] + b"\xff\xff\xff\x7f" + wkb[44:60],))


def linked_round(path):
    path.symlink_to(path.name)


def no_sidecar(path):
    vectors("l.shp", [FIELD])[1](path)
    path.with_suffix(".shx").unlink()
    path.with_suffix(".dbf").unlink()


NESTED = '{"type":"GeometryCollection","geometries":[' * 40 + '{"type":"Point","coordinates":[9.02,45.05]}' + "]}" * 40
BOWTIE = shapely.Polygon([(9.02, 45.02), (9.04, 45.04), (9.04, 45.02), (9.02, 45.04)])
KINDS = {
    # The file as a whole.
    "no file": (CLASSES, ("l.csv", lambda path: None), "no such file"),
    "a folder": (CLASSES, ("l.csv", lambda path: path.mkdir()), "cannot be read"),
    "a pipe": (CLASSES, ("l.csv", os.mkfifo), "no plain file"),
    "a pipe for a map": (CLASSES, ("l.gpkg", os.mkfifo), "no plain file"),
    "a link to itself": (CLASSES, ("l.csv", linked_round), "cannot be read"),
    "a link to itself for a map": (CLASSES, ("l.gpkg", linked_round), "no such file"),
    "an unknown ending": (CLASSES, text(GOOD, "l.xlsx"), "neither a table"),
    "an empty file": (CLASSES, text(""), "its first line is empty"),
    "a header alone": (CLASSES, text("lon,lat,crop\n"), "holds no row"),
    "an empty first line": (CLASSES, text("\n" + GOOD), "its first line is empty"),
    "UTF-16": (CLASSES, text(GOOD.encode("utf-16")), "is not UTF-8"),
    "Latin-1": (CLASSES, text(GOOD.replace("rice", "maïs").encode("latin-1")), "is not UTF-8"),
    "zero bytes": (CLASSES, text(GOOD.replace("rice", "ri\0ce")), "zero bytes"),
    "a column twice": (CLASSES, text("lon,lat,crop,crop\n9.02,45.05,a,b\n"), "each name once"),
    "a column without a name": (CLASSES, text("lon,lat,,crop\n9.02,45.05,a,b\n"), "each name once"),
    "bars for commas": (CLASSES, text(GOOD.replace(",", "|")), "no column 'lon'"),
    "spaces for commas": (CLASSES, text(GOOD.replace(",", " ")), "no column 'lon'"),
    "no longitude": (CLASSES, text("x,y,crop\n9.02,45.05,maize\n"), "no column 'lon'"),
    "ids for places": (CLASSES, text("id,crop\nc0,maize\n"), "labels by id belong in [labels] file"),
    "another column": (CLASSES, text("lon,lat,kind\n9.02,45.05,maize\n"), "no column 'crop'"),
    "a line without end": (CLASSES, text("lon,lat,crop\n" + "9" * (3 << 20)), "a line of over 1 MiB"),
    "a quote that never closes": (CLASSES, rows('9.03,45.05,"rice', "9.04,45.05,rice"), "row 3"),
    "a page of the web": (CLASSES, text("<html><body>404</body></html>"), "no column 'lon'"),
    # Rows of a table.
    "a cell too few": (CLASSES, rows("9.03,45.05"), "row 3: has 2 cells where the first row has 3"),
    "a cell too many": (CLASSES, rows("9.03,45.05,rice,2020"), "row 3: has 4 cells"),
    "a decimal comma": (CLASSES, text("lon;lat;crop\n9,02;45.05;maize\n"), "write it with a point: 9.02"),
    "degrees and minutes": (CLASSES, rows("9°03'E,45.05,rice"), "is no number"),
    "a thousands mark": (CLASSES, rows("9_03,45.05,rice"), "is no number"),
    "not a number": (CLASSES, rows("nan,45.05,rice"), "row 3: lon: has no number"),
    "infinity": (CLASSES, rows("inf,45.05,rice"), "row 3: lon: 'inf' is no number"),
    "an endless exponent": (CLASSES, rows("9e999999,45.05,rice"), "is no number"),
    "a place left out": (CLASSES, rows(",45.05,rice"), "row 3: lon: has no number"),
    "longitude beyond 180": (CLASSES, rows("189.03,45.05,rice"), "are no degrees"),
    "latitude beyond 90": (CLASSES, rows("9.03,145.05,rice"), "are no degrees"),
    "out of the area": (CLASSES, rows("12.0,45.05,rice"), "row 3: 12.000000, 45.050000 lies in no chip"),
    "the zero island": (CLASSES, rows("0,0,rice"), "row 3: 0.000000, 0.000000 lies in no chip"),
    "swapped axes": (CLASSES, text("lat,lon,crop\n9.02,45.05,maize\n"), "swapped some do"),
    "metres for degrees": (CLASSES, text("lon,lat,crop\n501000,4985000,maize\n"), 'crs = "EPSG:..."'),
    "all of it elsewhere": (CLASSES, text("lon,lat,crop\n12,45,maize\n"), "none of its 1 rows lies in a chip"),
    "no class": (CLASSES, rows("9.03,45.05,"), "row 3: has no class"),
    "an unknown class": (KNOWN, rows("9.03,45.05,mais"), "unknown class 'mais'; did you mean 'maize'?"),
    "a class in other letters": (KNOWN, rows("9.03,45.05,MAIZE"), "unknown class 'MAIZE'"),
    "HTML for a class": (KNOWN, rows("9.03,45.05,<script>alert(1)</script>"), "unknown class '<script>alert(1)</script>'"),
    "a formula for a class": (KNOWN, rows('9.03,45.05,"=HYPERLINK(""x"")"'), "unknown class '=HYPERLINK"),
    "signs that command a terminal": (CLASSES, rows("9.03,45.05,\x1b[2Jrice"), "signs that cannot be shown"),
    "letters written backwards": (CLASSES, rows("9.03,45.05,\u202eecir"), "signs that cannot be shown"),
    "a class of a page": (CLASSES, rows("9.03,45.05," + "rice" * 500), "has 2,000 characters"),
    "ids for classes": (CLASSES, rows(*(f"9.03,45.05,n{n}" for n in range(300))), "is it the right column?"),
    "a row twice": (CLASSES, rows("9.02,45.05,maize"), "row 3: repeats row 2"),
    "one place, two classes": (CLASSES, rows("9.02,45.05,rice"), "disagrees with row 3 of the same place: 'maize', not 'rice'"),
    "a chip torn in two": (CLASSES, rows("9.021,45.051,rice"), "has as much of 'maize' as of 'rice'"),
    "text for numbers": (NUMBERS, rows("9.03,45.05,much", head="lon,lat,yield"), "is no number"),
    "a table in the future": (CLASSES + '\nlayer = "one"', text(GOOD), "a table has no layers"),
    "points for ground": (GROUND, text(GOOD), "which have no area"),
    "a system that nobody knows": (CLASSES + '\ncrs = "EPSG:9999999"', text(GOOD), "no such coordinate system"),
    "a system of the depths": (CLASSES + '\ncrs = "EPSG:5703"', text(GOOD), "which is no map's"),
    # Vector files.
    "no GeoJSON": (CLASSES, text("nothing of the kind", "l.geojson"), "does not begin with an object"),
    "GeoJSON cut short": (CLASSES, text('{"type": "FeatureCollection", "features": [{"type"', "l.geojson"), "cannot be read as a vector"),
    "GeoJSON in UTF-16": (CLASSES, text('{"type":"Point"}'.encode("utf-16"), "l.geojson"), "is not UTF-8"),
    "no feature": (CLASSES, features(), "l.geojson: no"),
    "collections within collections": (CLASSES, text('{"type":"Feature","properties":{"crop":"a"},"geometry":' + NESTED + "}", "l.geojson"), "l.geojson"),
    "a feature without a geometry": (CLASSES, features(point(9.02, 45.05), None), "row 2: has no geometry"),
    "a collection of geometries": (CLASSES, features(point(9.02, 45.05), {"type": "GeometryCollection", "geometries": [point(9.03, 45.05)]}), "row 2: is a collection"),
    "an empty geometry": (CLASSES, vectors("l.gpkg", [FIELD, shapely.Polygon()]), "row 2: its geometry is empty"),
    "points among polygons": (CLASSES, vectors("l.gpkg", [FIELD, POINTS[0]]), "holds points and polygons"),
    "a polygon that crosses itself": (CLASSES, vectors("l.gpkg", [FIELD, BOWTIE]), "row 2: invalid polygon: Self-intersection"),
    "an infinite corner": (CLASSES, vectors("l.parquet", [POINTS[0], shapely.Point(np.inf, 45)]), "row 2: a coordinate is no finite number"),
    "a field elsewhere": (CLASSES, vectors("l.gpkg", [FIELD, shapely.box(20, 20, 21, 21)]), "row 2: 20.500000, 20.500000 lies in no chip"),
    "a field twice": (CLASSES, vectors("l.gpkg", [FIELD, FIELD], crop=["maize"] * 2), "row 2: repeats row 1"),
    "a field of two classes": (CLASSES, vectors("l.gpkg", [FIELD, FIELD]), "row 1: disagrees with row 2"),
    "lines for ground": (GROUND, vectors("l.gpkg", [shapely.LineString([(9.02, 45.02), (9.04, 45.04)])]), "which have no area"),
    "no word on coordinates": (CLASSES, vectors("l.gpkg", [FIELD], crs=None), "does not say what its coordinates mean"),
    "a shapefile without its .prj": (CLASSES, vectors("l.shp", [FIELD], crs=None), "does not say what its coordinates mean"),
    "two words on coordinates": (CLASSES + '\ncrs = "EPSG:32632"', vectors("l.gpkg", [FIELD]), "drop the key"),
    "degrees that are metres": (CLASSES, vectors("l.gpkg", [shapely.box(5e5, 4.98e6, 5.1e5, 4.99e6)]), "no row lies on the globe"),
    "two layers": (CLASSES, ("l.gpkg", two_layers), "2 layers with geometries (one, two)"),
    "no such layer": (CLASSES + '\nlayer = "three"', ("l.gpkg", two_layers), "no layer 'three'"),
    "no such column": (CLASSES.replace('"crop"', '"kind"'), vectors("l.gpkg", [FIELD]), "no column 'kind'"),
    "a GeoPackage cut short": (CLASSES, cut("l.gpkg", [FIELD] * 2, 40_000), "l.gpkg"),
    "a GeoPackage of nothing": (CLASSES, text(b"nothing of the kind", "l.gpkg"), "is no gpkg file"),
    "a bent geometry": (CLASSES, ("l.gpkg", bent_wkb), "row 2: "),
    "a FlatGeobuf by another name": (CLASSES, renamed("l.gpkg", "o.fgb"), "is no gpkg file"),
    "a driver that reads other files": (CLASSES, text("<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>", "l.gpkg"), "is no gpkg file"),
    "a shapefile alone": (CLASSES, ("l.shp", no_sidecar), "l.shp"),
    "a Parquet cut short": (CLASSES, cut("l.parquet", [FIELD], 600), "l.parquet"),
    "a Parquet of ids": (CLASSES, ("l.parquet", plain_parquet), "is no GeoParquet"),
    "a Parquet in another code": (CLASSES, ("l.parquet", lambda path: odd_parquet(path, lambda own: own.update(encoding="point"))), "coded as point"),
    "a Parquet without a word on coordinates": (CLASSES, ("l.parquet", lambda path: odd_parquet(path, lambda own: own.update(crs=None))), "does not say"),
    "a column of lists": (CLASSES, vectors("l.parquet", [FIELD], crop=[["maize"]]), "which is neither text nor a number"),
    "nothing but absent numbers": (NUMBERS, vectors("l.gpkg", POINTS[:2], **{"yield": [np.nan, 1.0]}), "row 1: has no number"),
    "an infinite number": (NUMBERS, vectors("l.parquet", POINTS[:2], **{"yield": [np.inf, 1.0]}), "row 1: has an infinite number"),
}  # fmt: skip
"""By kind, what the study file says of it, the file, and what is said."""

KEYS = {
    "no column of classes": ('file = "l.csv"\nhow = "majority"', "needs column"),
    "no column of numbers": ('file = "l.csv"\nhow = "mean"', "needs column"),
    "classes without a column": ('file = "l.csv"\nhow = "count"\nof = ["maize"]', "need column"),
    "classes of a mean": ('file = "l.csv"\nhow = "mean"\ncolumn = "y"\nclasses = ["a"]', "reads numbers"),
    "a class that is none": ('file = "l.csv"\nhow = "count"\ncolumn = "c"\nof = ["a"]\nclasses = ["b"]', "'a' is none of the classes"),
    "an unknown way": ('file = "l.csv"\nhow = "mode"', "how"),
    "an unknown key": ('file = "l.csv"\nhow = "count"\ncolum = "a"', "did you mean 'column'?"),
    "cover of a count": ('file = "l.csv"\nhow = "count"\nmin_covered = 0.5', "min_covered belongs to"),
    "elsewhere of a majority": ('file = "l.csv"\nhow = "majority"\ncolumn = "c"\nelsewhere = "unknown"', "belong to presence"),
}  # fmt: skip
"""By kind, what stands in the study file and what is said of it."""


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    """A study whose chips are there."""
    from terrashot.steps.progress import finish
    from terrashot.steps.run import Wishes, run_study
    from terrashot.store.study import find_study

    folder = tmp_path_factory.mktemp("placed")
    (folder / "study.toml").write_text(STUDY.format(labels="", own=CLASSES.format("l.csv")))
    finish(run_study(find_study(folder), Wishes(only=("chips",))))
    return folder


def run(placed, folder, own, capsys, monkeypatch, labels=""):
    shutil.copytree(placed, folder, dirs_exist_ok=True)
    (folder / "study.toml").write_text(STUDY.format(labels=labels, own=own))
    code, line, _ = in_process(capsys, monkeypatch, "run", folder, "--only", "labels", "--json")
    return code, line


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_label_file_gets_exit_code_3_and_one_line_that_names_it(kind, placed, tmp_path, capsys, monkeypatch):
    own, (name, write), said = KINDS[kind]
    write(tmp_path / name)
    code, line = run(placed, tmp_path, own.format(name), capsys, monkeypatch)
    assert (code, said in line) == (3, True), line
    assert name in line or "crs = " in line, line
    assert line.startswith("terrashot: ") and line.isprintable(), line
    assert not (tmp_path / "labels.parquet").exists()


@pytest.mark.parametrize("kind", KEYS)
def test_a_bad_key_gets_exit_code_2_and_one_line(kind, placed, tmp_path, capsys, monkeypatch):
    own, said = KEYS[kind]
    code, line = run(placed, tmp_path, own, capsys, monkeypatch)
    assert (code, said in line) == (2, True), line


def test_bad_rows_are_all_listed_and_left_out_only_where_that_is_asked_for(placed, tmp_path, capsys, monkeypatch):
    name, write = rows("12,45,rice", "9.05,45.05,rice", '9.03,45.05,"\x1b"', "9.02,45.05")
    write(tmp_path / name)
    code, line = run(placed, tmp_path, CLASSES.format(name), capsys, monkeypatch)
    assert code == 3 and "3 bad rows: row 3: " in line
    listed = (tmp_path / "labels.rejected.csv").read_text().splitlines()
    assert [row.split(",")[2] for row in listed[1:]] == ["3", "5", "6"]
    code, _ = run(placed, tmp_path, CLASSES.format(name), capsys, monkeypatch, labels="skip_bad = true")
    found = pq.read_table(tmp_path / "labels.parquet").column("crop").to_pylist()
    assert code == 0 and sorted(value for value in found if value) == ["maize", "rice"]
    assert (tmp_path / "labels.rejected.csv").read_text().splitlines() == listed


def test_no_cell_of_the_list_of_bad_rows_is_a_formula(placed, tmp_path, capsys, monkeypatch):
    from terrashot.store.csv_text import csv_bytes

    assert csv_bytes(("a",), [("=1+1",), ("+1",), ("-1",), ("@x",), (-1,)]) == b"a\n'=1+1\n'+1\n'-1\n'@x\n-1\n"
