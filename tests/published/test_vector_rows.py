"""Tables of Major TOM and Clay: rows become chips, and what is not theirs is refused by name."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely
from published_files import clay_columns, geo, majortom_columns, squares, write_rows

from terrashot.errors import InputError, IntegrityError
from terrashot.published import clay, majortom
from terrashot.published.join_rows import one_table


def read(kind, *paths):
    return one_table(kind, [{"majortom": majortom, "clay": clay}[kind].read_rows(path) for path in paths])


def test_a_row_of_major_tom_keeps_its_id_and_a_cell_is_one_group(tmp_path):
    columns = majortom_columns()
    (tmp_path / "Core-S2RGB-SigLIP").mkdir()
    table, notes = read("majortom", write_rows(tmp_path / "Core-S2RGB-SigLIP" / "part_00001.parquet", columns))
    np.testing.assert_array_equal(table.blocks["majortom"], np.stack(columns["embedding"]))
    assert table.chips.ids == tuple(columns["unique_id"]) and table.chips.group == tuple(columns["grid_cell"])
    assert shapely.equals(table.chips.footprint, squares(6)).all()
    np.testing.assert_allclose(table.chips.lon_deg, shapely.get_x(shapely.centroid(squares(6))), atol=1e-5)
    assert (table.model, notes) == ("majortom/Core-S2RGB-SigLIP", ())


def test_places_come_from_the_centres_where_there_is_no_geometry(tmp_path):
    table, _ = read(
        "majortom", write_rows(tmp_path / "a.parquet", {**majortom_columns(), "geometry": None}, {"x": "y"})
    )
    assert table.chips.footprint is None and np.isfinite(table.chips.lat_deg).all()
    assert table.model == "majortom/5d"


def test_a_two_dimensional_array_of_one_row_is_a_vector(tmp_path):
    columns = majortom_columns()
    nested = {**columns, "embedding": [[vector.tolist()] for vector in columns["embedding"]]}
    plain, _ = read("majortom", write_rows(tmp_path / "a.parquet", columns))
    wrapped, _ = read("majortom", write_rows(tmp_path / "b.parquet", nested))
    np.testing.assert_array_equal(plain.blocks["majortom"], wrapped.blocks["majortom"])


def test_the_dates_of_a_place_of_clay_v0_are_one_group(tmp_path):
    columns = clay_columns()
    table, _ = read("clay", write_rows(tmp_path / "32VLM_20170519_20211231_v001.gpq", columns))
    np.testing.assert_array_equal(table.blocks["clay"], columns["embeddings"].to_numpy_ndarray())
    assert table.chips.ids[0] == "claytile_32VLM_20170519_v02_0000"
    assert table.chips.group == ("32VLM_0000",) * 3 + ("32VLM_0001",) * 3
    assert table.model == "clay/v001"
    np.testing.assert_allclose(table.chips.lon_deg, 9.025 + 0.1 * np.arange(6))


def test_newer_tables_bring_their_own_ids_and_cells(tmp_path):
    rows = {"embedding": list(np.eye(4, dtype=np.float32)), "geometry": list(shapely.to_wkb(squares(4)))}
    of_cells = {"chips_id": [f"a:{i}" for i in range(4)], "cell_id": ["u", "u", "v", "v"], **rows}
    table, notes = read("clay", write_rows(tmp_path / "a.parquet", of_cells))
    assert table.chips.ids == ("a_0", "a_1", "a_2", "a_3") and table.chips.group == ("u", "u", "v", "v")
    assert notes == ("4 ids hold other characters than A-Z a-z 0-9 . _ -; 'a:0' is now 'a_0'",)
    emb = {"emb": json.dumps({"version": "0.0.1", "model": {"id": "dinov2_vits14_softcon", "version": "2.0.0"}})}
    table, _ = read("clay", write_rows(tmp_path / "b.parquet", {"id": list("abcd"), **rows}, {**geo(), **emb}))
    assert table.model == "clay/dinov2_vits14_softcon 2.0.0" and table.chips.group == (None,) * 4


def test_rows_without_any_id_are_named_by_file_and_row(tmp_path):
    rows = {"embeddings": [[1.0, 2.0]] * 2, "geometry": list(shapely.to_wkb(squares(2)))}
    table, _ = read("clay", write_rows(tmp_path / "worldcover_7.gpq", rows))
    assert table.chips.ids == ("worldcover_7_0000000", "worldcover_7_0000001")


def test_a_row_without_a_vector_stays_absent(tmp_path):
    rows = {"id": ["a", "b"], "embedding": [None, [1.0, 2.0]], "geometry": list(shapely.to_wkb(squares(2)))}
    table, _ = read("clay", write_rows(tmp_path / "a.parquet", rows))
    assert table.present("clay").tolist() == [False, True]


def test_files_are_joined_and_row_groups_too(tmp_path):
    first, second = majortom_columns(6, seed=1), majortom_columns(4, seed=2)
    write_rows(tmp_path / "a.parquet", first)
    grouped = pq.read_table(write_rows(tmp_path / "b.parquet", second))
    pq.write_table(grouped, tmp_path / "b.parquet", row_group_size=3)
    table, _ = read("majortom", tmp_path / "a.parquet", tmp_path / "b.parquet")
    np.testing.assert_array_equal(table.blocks["majortom"], np.stack([*first["embedding"], *second["embedding"]]))
    assert len(table.chips.footprint) == len(table.chips.lon_deg) == 10


def test_files_of_several_models_are_refused(tmp_path):
    one = write_rows(tmp_path / "a.parquet", majortom_columns(dims=5, seed=1))
    other = write_rows(tmp_path / "b.parquet", majortom_columns(dims=6, seed=2))
    with pytest.raises(IntegrityError, match=r"vectors of 6 numbers, .*a.parquet has 5"):
        read("majortom", one, other)
    named = write_rows(tmp_path / "c.parquet", {**majortom_columns(seed=3), "model": ["SigLIP"] * 6})
    (tmp_path / "Core-S2RGB-DINOv2").mkdir()
    folder = write_rows(tmp_path / "Core-S2RGB-DINOv2" / "d.parquet", majortom_columns(seed=4))
    with pytest.raises(IntegrityError, match=r"is of 'SigLIP', .* of 'Core-S2RGB-DINOv2'"):
        read("majortom", named, folder)
    mixed = write_rows(tmp_path / "e.parquet", {**majortom_columns(), "model": ["a", "b"] * 3})
    with pytest.raises(IntegrityError, match=r"of 'a', .* of 'b'"):
        read("majortom", mixed)
    old = write_rows(tmp_path / "32VLM_20170519_20211231_v001.gpq", clay_columns(seed=1))
    new = write_rows(tmp_path / "32VLN_20170519_20211231_v002.gpq", clay_columns(seed=2))
    with pytest.raises(IntegrityError, match=r"of 'v001', .* of 'v002'"):
        read("clay", old, new)


def test_an_id_that_stands_twice_is_refused_with_both_files(tmp_path):
    one, other = (write_rows(tmp_path / name, majortom_columns()) for name in ("a.parquet", "b.parquet"))
    with pytest.raises(InputError, match=r"stands in 2 rows, in .*a\.parquet and .*b\.parquet"):
        read("majortom", one, other)


def test_ids_that_would_fall_together_are_refused(tmp_path):
    rows = {"id": ["a/b", "a:b"], "embedding": [[1.0]] * 2, "geometry": list(shapely.to_wkb(squares(2)))}
    with pytest.raises(InputError, match="id 'a_b' stands in 2 rows"):
        read("clay", write_rows(tmp_path / "a.parquet", rows))


def with_nan(columns):
    return {**columns, "embedding": [np.full(5, np.nan, np.float32), *columns["embedding"][1:]]}


def ragged(columns):
    return {**columns, "embedding": [[1.0], *[[1.0, 2.0]] * 5]}


def whole_numbers(columns):
    return {**columns, "embedding": [[1, 2]] * 6}


def no_vectors(columns):
    return {**columns, "embedding": pa.array([None] * 6, pa.list_(pa.float32()))}


def several(columns):
    return {**columns, "embedding": [[[1.0], [2.0]]] * 6}


def without(name):
    def change(columns):
        return {**columns, name: None}

    return change


def lost_id(columns):
    return {**columns, "unique_id": [None, *columns["unique_id"][1:]]}


def long_id(columns):
    return {**columns, "unique_id": ["x" * 129, *columns["unique_id"][1:]]}


def beyond_globe(columns):
    return {**columns, "centre_lon": [500_000.0] * 6}


def text_as_place(columns):
    return {**columns, "centre_lat": ["north"] * 6}


def lost_place(columns):
    return {**columns, "centre_lat": [None, *[45.0] * 5]}


def no_wkb(columns):
    return {**columns, "geometry": [b"\x01\x02"] * 6}


def text_geometry(columns):
    return {**columns, "geometry": ["POINT (1 2)"] * 6}


def lost_geometry(columns):
    return {**columns, "geometry": [None, *columns["geometry"][1:]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_nan, "'embedding' holds NaN or infinity in 1 rows, first in row 0"),
        (ragged, "'embedding' holds vectors of 1 to 2 numbers"),
        (whole_numbers, "vectors are lists of floating-point numbers"),
        (no_vectors, "'embedding' holds vectors none at all"),
        (several, "'embedding' holds several vectors a row"),
        (without("embedding"), "no column embedding; columns are unique_id"),
        (without("grid_cell"), "no column grid_cell"),
        (lost_id, "row 0 has no 'unique_id'"),
        (long_id, "129 characters"),
        (beyond_globe, "6 places are none on the globe"),
        (text_as_place, "column 'centre_lat' does not hold numbers"),
        (lost_place, "column 'centre_lat' is empty or not finite in 1 rows"),
        (no_wkb, "geometry is no well-known binary"),
        (text_geometry, "geometry of type string"),
        (lost_geometry, "1 rows have no geometry"),
    ],
)
def test_what_is_not_a_table_of_major_tom_is_refused_by_name(tmp_path, change, message):
    path = write_rows(tmp_path / "bad.parquet", change(majortom_columns()))
    with pytest.raises(InputError) as error:
        read("majortom", path)
    assert message in str(error.value)


def test_geometry_in_metres_is_refused(tmp_path):
    crs = pyproj.CRS("EPSG:32632").to_json_dict()
    path = write_rows(tmp_path / "a.gpq", clay_columns(), geo(crs))
    with pytest.raises(InputError, match="geometry in WGS 84 / UTM zone 32N; reproject it to degrees"):
        read("clay", path)
    read("clay", write_rows(tmp_path / "b.gpq", clay_columns(), geo(pyproj.CRS("OGC:CRS84").to_json_dict())))


@pytest.mark.parametrize(
    ("footer", "message"),
    [
        ({"geo": '{"columns": {"geometry": {"crs": "no such"}}}'}, "'geo' cannot be read"),
        ({**geo(), "emb": "{"}, "'emb' names no model"),
    ],
)
def test_a_footer_that_cannot_be_read_is_refused(tmp_path, footer, message):
    with pytest.raises(InputError, match=message):
        read("clay", write_rows(tmp_path / "a.gpq", clay_columns(), footer))


def test_clay_without_places_is_refused(tmp_path):
    with pytest.raises(InputError, match="no column 'geometry'"):
        read("clay", write_rows(tmp_path / "a.gpq", {**clay_columns(), "geometry": None}, {"x": "y"}))


def test_a_table_cut_short_is_refused(tmp_path):
    path = write_rows(tmp_path / "a.parquet", majortom_columns())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read("majortom", path)
