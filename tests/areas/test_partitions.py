"""Partitions files: written and read again they are what they were, theirs too; and what is wrong is told by file and row."""

import json
import math
from dataclasses import replace

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.areas import partitions
from terrashot.areas.partition_files import partition_files
from terrashot.areas.partitions import read_partitions
from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.tables import SPLIT_NAMES
from terrashot.errors import InputError

BOXES = {"plain": (9.0, 45.0, 9.2, 45.1), "seam": (11.9, 45.0, 12.1, 45.1), "fiji": (179.9, -17.0, -179.9, -16.9)}
IDS = ("0141dce56d692", "1f00aa0000003", "09b3c5a1d2e4f", "0000000000001")


def study_chips(names=("plain", "seam", "fiji")):
    chips, _ = chips_of_areas([Area(name, box_outline(*BOXES[name])) for name in names], 4480.0)
    return chips


def write(folder, files):
    (folder / files.geojson).write_bytes(files.features)
    (folder / files.csv).write_bytes(files.rows)
    return folder / files.geojson, folder / files.csv


def theirs(**changes):
    """As geetiles writes them: rectangles along the meridians, thirteen hexadecimal digits, an area of one UTM zone."""
    features = []
    for number, chip_id in enumerate(IDS):
        west, south = -124.1 + 0.0561234 * number, 40.123456789012345 + 0.01 * number
        ring = [
            [west, south],
            [west + 0.056, south],
            [west + 0.056, south + 0.0404],
            [west, south + 0.0404],
            [west, south],
        ]
        columns = {"area_km2": 21.965738, "identifier": chip_id, "split": ("train", "test", "val", "train")[number]}
        features.append(
            {"type": "Feature", "properties": columns, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    return {
        "type": "FeatureCollection", "name": "conus",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, "features": features, **changes,
    }  # fmt: skip


def put(tmp_path, content, rows=None):
    path = tmp_path / "conus_partitions_aschips_293d95e3ee589.geojson"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    if rows is None:
        return path, None
    csv = tmp_path / f"{path.stem}_splits_60bands_angle09_60-20-20.csv"
    csv.write_text(rows)
    return path, csv


def same(one, other):
    """Whether ids, footprints to the last bit, places and splits agree, row by row."""
    return (
        (one.ids, one.area, one.split) == (other.ids, other.area, other.split)
        and shapely.to_wkb(one.footprint).tolist() == shapely.to_wkb(other.footprint).tolist()
        and np.abs(one.lon_deg - other.lon_deg).max() < 1e-9
        and np.abs(one.lat_deg - other.lat_deg).max() < 1e-9
        and (one.utm is None) == (other.utm is None)
        and (one.utm is None or one.utm.tolist() == other.utm.tolist())
    )


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_written_and_read_again_a_study_is_the_same_and_its_bytes_know_no_order(tmp_path_factory, data):
    chips = study_chips()
    chips = replace(chips, split=tuple(data.draw(st.sampled_from(SPLIT_NAMES)) for _ in chips.ids))
    files = partition_files(chips)
    assert [one.geojson.split("_")[0] for one in files] == ["fiji", "plain", "seam"]
    assert partition_files(chips.take(data.draw(st.permutations(range(len(chips)))))) == files
    folder = tmp_path_factory.mktemp("written")
    for one in files:
        name = one.geojson.split("_")[0]
        own = chips.take(np.flatnonzero([area == name for area in chips.area]))
        found, notes = read_partitions(*write(folder, one), name)
        assert same(found, own.take(sorted(range(len(own)), key=own.ids.__getitem__))) and notes == ()


def test_theirs_read_and_written_again_are_the_same_but_for_their_area(tmp_path):
    path, _ = put(tmp_path, theirs())
    chips, _ = read_partitions(path, None, "conus")
    assert chips.ids == IDS and chips.utm is None and set(chips.area) == {"conus"}
    assert chips.split == ("train", "test", "val", "train")
    assert chips.lon_deg[0] == pytest.approx(-124.1 + 0.028) and chips.lat_deg[0] == pytest.approx(40.143656789)
    again, _ = read_partitions(*write(tmp_path, partition_files(chips)[0]), "conus")
    assert same(again, chips.take(sorted(range(4), key=IDS.__getitem__)))


def test_what_geopandas_writes_is_read_and_what_we_write_is_read_by_it(tmp_path):
    path, _ = put(tmp_path, theirs())
    chips, _ = read_partitions(path, None, "conus")
    files = partition_files(chips)[0]
    ours, _ = write(tmp_path, files)
    frame = geopandas.read_file(ours)
    assert list(frame.columns) == ["area_km2", "identifier", "split", "geometry"] and frame.crs == 4326
    frame.to_file(tmp_path / "again.geojson", driver="GeoJSON")
    again, _ = read_partitions(tmp_path / "again.geojson", None, "conus")
    assert again.ids == tuple(sorted(IDS))
    assert shapely.equals_exact(again.footprint, frame.geometry.to_numpy(), 1e-9).all()


def test_the_csv_names_whole_percents_and_leaves_the_buffer_out(tmp_path):
    chips = study_chips(("plain",))
    n = len(chips)
    chips = replace(chips, split=("buffer", "val", *("train", "train", "test") * n)[:n])
    (files,) = partition_files(chips)
    counted = [chips.split.count(name) for name in ("train", "val", "test")]
    label = "-".join(f"{100 * count / sum(counted):.0f}" for count in counted)
    assert files.csv == files.geojson.replace(".geojson", f"_splits_{label}.csv")
    rows = files.rows.decode().splitlines()
    assert rows[0] == "identifier,split" and len(rows) == 1 + n - 1
    assert chips.ids[0] not in files.rows.decode() and chips.ids[0] in files.features.decode()


def test_area_km2_is_the_true_size_on_the_ellipsoid(tmp_path):
    path, _ = put(tmp_path, theirs())
    chips, _ = read_partitions(path, None, "conus")
    told = [row["properties"]["area_km2"] for row in json.loads(partition_files(chips)[0].features)["features"]]
    west, south, east, north = shapely.bounds(chips.footprint[sorted(range(4), key=IDS.__getitem__)]).T
    a, e = 6378.137, math.sqrt(pyproj.Geod(ellps="WGS84").es)

    def zone(lat_deg):
        """Area from the equator to a parallel, a radian wide (Snyder 1987, Map Projections, equation 3-12)."""
        s = np.sin(np.radians(lat_deg))
        return a**2 * (1 - e**2) * (s / (1 - e**2 * s**2) + np.arctanh(e * s) / e) / 2

    assert told == pytest.approx(np.radians(east - west) * (zone(north) - zone(south)), rel=2e-6)
    assert told[1] != pytest.approx(21.965738, rel=0.01), "the area of one UTM zone is not it"


ROWS = "identifier,split\n" + "".join(f"{chip_id},train\n" for chip_id in IDS)


def changed(number, **columns):
    content = theirs()
    content["features"][number]["properties"] |= columns
    return content


def drawn(number, geometry):
    content = theirs()
    content["features"][number]["geometry"] = geometry
    return content


def ring(*points):
    return {"type": "Polygon", "coordinates": [[*map(list, points), list(points[0])]]}


def without(number, column):
    content = theirs()
    del content["features"][number]["properties"][column]
    return content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed(1, identifier=IDS[0]), "feature 2: id '0141dce56d692' stands in feature 1 and in feature 2"),
        (changed(2, identifier=None), "feature 3: no 'identifier'; its columns are area_km2, identifier, split"),
        (without(2, "identifier"), "feature 3: no 'identifier'; its columns are area_km2, split"),
        (changed(2, identifier=17), "feature 3: identifier 17 must be text"),
        (changed(2, identifier="../up"), "feature 3: identifier '../up' must be text, 1 to 128 of"),
        (changed(1, split="dev"), "feature 2: split 'dev' is none of train, val, test"),
        (changed(1, split=["train"]), "feature 2: split ['train'] is none of"),
        (without(1, "split"), "feature 2: no 'split', while others have one"),
        (drawn(0, None), "feature 1: geometry of type None; a chip is a Polygon"),
        (drawn(0, {"type": "Point", "coordinates": [0, 0]}), "feature 1: geometry of type 'Point'"),
        (drawn(0, {"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [1, 1]]]}), "feature 1: a Polygon whose coordinates are no rings"),
        (drawn(0, {"type": "Polygon", "coordinates": []}), "feature 1: a Polygon whose coordinates are no rings"),
        (drawn(0, ring((0, 0), (1, 1), (1, 0), (0, 1))), "feature 1: no valid polygon: Self-intersection"),
        (drawn(0, ring((0, 0), (1, 1), (2, 2))), "feature 1: no valid polygon"),
        (drawn(0, ring((500000, 0), (504480, 0), (504480, 4480))), "feature 1: coordinates are no degrees"),
        (drawn(0, ring((0, 0), (1, float("nan")), (1, 1))), "feature 1: a Polygon with a coordinate that is no finite number"),
        (theirs(crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32610"}}), "coordinates in WGS 84 / UTM zone 10N; partitions are in EPSG:4326"),
        (theirs(crs={"type": "name", "properties": {"name": "EPSG:4269"}}), "coordinates in NAD83; partitions are in EPSG:4326"),
        (theirs(crs={"type": "name"}), "its 'crs' names no coordinates"),
        (theirs(features=[]), "no feature in it"),
        (theirs(features={}), "a FeatureCollection without a list of features"),
        (theirs(features=[7]), "feature 1: found '7' where a Feature belongs"),
        (theirs(type="Topology"), "no FeatureCollection"),
        ("[1, 2]", "no FeatureCollection"),
        ("{", "cannot be read as GeoJSON"),
        ("[" * 33, "outlines of over 32 corners a feature, or no GeoJSON of chips at all"),
        ('{"a": 1, "a": 2}', "a key stands twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_partitions_is_told_in_one_line_with_file_and_feature(tmp_path, content, said):
    path, _ = put(tmp_path, content)
    with pytest.raises(InputError) as error:
        read_partitions(path, None, "conus")
    assert str(error.value).startswith(f"{path}: ") and said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("identifier,part\na,train\n", "line 1: no column split; found identifier, part"),
        ("id,fold\na,1\n", "line 1: no column identifier and no split"),
        (ROWS + f"{IDS[0]},test\n", "line 6: id '0141dce56d692' stands in line 2 and in line 6"),
        (ROWS.replace("train", "dev", 1), "line 2: split 'dev' is none of train, val, test"),
        (ROWS.replace("train", "buffer", 1), "line 2: split 'buffer' is none of"),
        (ROWS + "ffffffffffff0,test\n", "line 6: identifier 'ffffffffffff0' is of no chip in conus_partitions"),
        (ROWS.replace(f"{IDS[2]},train\n", ""), "no row of 1 chips of conus_partitions_aschips_293d95e3ee589.geojson, the first feature 3, '09b3c5a1d2e4f'"),
        ("", "empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_csv_of_splits_is_told_in_one_line_with_file_and_row(tmp_path, rows, said):
    path, csv = put(tmp_path, theirs(), rows)
    with pytest.raises(InputError) as error:
        read_partitions(path, csv, "conus")
    assert str(error.value).startswith(f"{csv}: ") and said in str(error.value) and "\n" not in str(error.value)


def test_several_bad_features_are_counted_and_the_first_ones_told(tmp_path):
    content = theirs()
    for feature in content["features"]:
        feature["properties"]["split"] = "x"
    path, _ = put(tmp_path, content)
    with pytest.raises(
        InputError, match=r"4 bad rows, nothing was read; feature 1: .*; feature 2: .*; feature 3: .*; \.\.\."
    ):
        read_partitions(path, None, "conus")


def test_the_csv_counts_more_than_the_column_and_a_difference_is_said(tmp_path):
    path, csv = put(tmp_path, theirs(), ROWS)
    chips, notes = read_partitions(path, csv, "conus")
    assert chips.split == ("train",) * 4
    assert "puts 2 chips elsewhere than the column 'split'" in notes[0]


def test_without_a_word_on_splits_none_is_known(tmp_path):
    content = theirs()
    for feature in content["features"]:
        del feature["properties"]["split"]
    path, _ = put(tmp_path, content)
    assert read_partitions(path, None, "conus")[0].split == (None,) * 4


def test_a_chip_that_the_column_leaves_out_is_of_the_buffer(tmp_path):
    path, csv = put(tmp_path, changed(1, split=None), ROWS.replace(f"{IDS[1]},train\n", ""))
    for splits in (csv, None):
        assert read_partitions(path, splits, "conus")[0].split[1] == "buffer"


def test_a_chip_of_our_own_grid_must_be_drawn_where_its_identifier_says(tmp_path):
    chips = replace(study_chips(("plain",)), split=("train",) * len(study_chips(("plain",))))
    (files,) = partition_files(chips)
    path, csv = write(tmp_path, files)
    content = json.loads(path.read_text())
    first, second = content["features"][:2]
    first["geometry"], second["geometry"] = second["geometry"], first["geometry"]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"2 bad rows.*feature 1: '\S+' is drawn around .* by its identifier"):
        read_partitions(path, csv, "plain")


@pytest.mark.parametrize(
    ("limit", "value", "said"), [("MAX_BYTES", 100, "over 0 MiB"), ("MAX_CHIPS", 3, "over 3 chips")]
)
def test_more_than_fits_is_refused(tmp_path, monkeypatch, limit, value, said):
    monkeypatch.setattr(partitions, limit, value)
    path, _ = put(tmp_path, theirs())
    with pytest.raises(InputError, match=said):
        read_partitions(path, None, "conus")


def test_no_such_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such partitions file"):
        read_partitions(tmp_path / "gone.geojson", None, "a")
    with pytest.raises(InputError, match="is no file"):
        read_partitions(tmp_path, None, "a")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"footprint": None}, "chips have no outline"),
        ({"split": (None,) * 100}, "split 'None' is none of train, val, test, buffer; run the step chips"),
        ({"area": ("a/b",) * 100}, "area 'a/b': a file is named after it"),
    ],
)
def test_chips_that_make_no_partitions_are_refused(how, said):
    chips = study_chips(("plain",))
    chips = replace(chips, split=("train",) * len(chips))
    how = {name: value[: len(chips)] if value else value for name, value in how.items()}
    with pytest.raises(InputError, match=said):
        partition_files(replace(chips, **how))
