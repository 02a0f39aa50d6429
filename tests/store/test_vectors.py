"""Embedding tables: ours come back exactly, others' are read as they come."""

import dataclasses
import json

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from terrashot.domain.tables import Chips, Embeddings
from terrashot.errors import InputError, IntegrityError
from terrashot.store import write_vectors
from terrashot.store.geoparquet import hilbert_order
from terrashot.store.vectors import read_embeddings, read_some_embeddings
from terrashot.store.write_vectors import TableForm, to_int8, write_embedding_groups, write_embeddings


def chips(n=4):
    lon, lat = np.linspace(9.0, 9.3, n), np.linspace(45.0, 45.1, n)
    footprint = np.array([shapely.box(x, y, x + 0.01, y + 0.01) for x, y in zip(lon, lat, strict=True)], dtype=object)
    return Chips(
        tuple(f"c{i}" for i in range(n)), ("a",) * n, (None,) * n, ("train",) * (n - 1) + ("test",), footprint, lon, lat
    )  # fmt: skip


def table(n=4):
    rng = np.random.default_rng(0)
    optical, radar = (rng.normal(size=(n, d)).astype(np.float16).astype(np.float32) for d in (3, 5))
    radar[1] = np.nan
    counts = {"s1grdm": np.array([2, 0, 1, 3, 1][:n], np.int16)}
    valid = {"s1grdm": np.array([0.5, np.nan, 1, 0.25, 1][:n], np.float32)}
    return Embeddings(
        chips(n), {"s2rgbm": optical, "s1grdm": radar}, counts, "abc", valid_fraction=valid
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_our_own_table_comes_back_exactly(tmp_path, dtype):
    write_embeddings(tmp_path / "e.parquet", table(), dtype)
    back = read_embeddings(tmp_path / "e.parquet")
    for block in ("s2rgbm", "s1grdm"):
        np.testing.assert_array_equal(back.blocks[block], table().blocks[block])
    assert (back.chips.ids, back.chips.split, back.model) == (chips().ids, chips().split, "abc")
    assert back.n_channels["s1grdm"].tolist() == [2, 0, 1, 3]
    np.testing.assert_array_equal(back.valid_fraction["s1grdm"], table().valid_fraction["s1grdm"])


def test_an_absent_vector_is_null_in_the_file(tmp_path):
    write_embeddings(tmp_path / "e.parquet", table(), "float16")
    column = pq.read_table(tmp_path / "e.parquet").column("s1grdm")
    assert column.is_null().to_pylist() == [False, True, False, False]
    assert column.type == pa.list_(pa.float16(), 5)


def test_geopandas_opens_our_table_as_geoparquet(tmp_path):
    write_embeddings(tmp_path / "e.parquet", table(), "float16")
    frame = geopandas.read_parquet(tmp_path / "e.parquet", columns=["id", "geometry"], bbox=(8.9, 44.9, 9.05, 45.2))
    assert frame.crs == "EPSG:4326"
    assert frame["id"].tolist() == ["c0"]


def test_lists_of_any_kind_become_blocks_named_as_their_columns(tmp_path):
    pq.write_table(pa.table({"id": ["a", "b"], "clay": [[1.0, 2.0], None], "name": ["x", "y"]}), tmp_path / "e.parquet")
    back = read_embeddings(tmp_path / "e.parquet")
    assert list(back.blocks) == ["clay"]
    assert back.present("clay").tolist() == [True, False]
    assert back.chips.area == ("all", "all")


def test_one_column_a_dimension_becomes_a_block_in_the_order_of_its_numbers(tmp_path):
    columns = {f"emb_{i}": [float(i), float(i)] for i in (10, 2, 1)}
    pq.write_table(pa.table({"id": ["a", "b"], **columns}), tmp_path / "e.parquet")
    assert read_embeddings(tmp_path / "e.parquet").blocks["emb"][0].tolist() == [1.0, 2.0, 10.0]


def test_an_npy_file_is_read_with_the_ids_beside_it(tmp_path):
    np.save(tmp_path / "tessera.npy", np.eye(2, dtype=np.float32))
    (tmp_path / "tessera.ids.txt").write_text("a\nb\n")
    assert read_embeddings(tmp_path / "tessera.npy").blocks["tessera"].shape == (2, 2)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"x": [1.0]}, "no column 'id'"),
        ({"id": ["a", "a"], "v": [[1.0], [2.0]]}, "chip id 'a' stands in more than one row"),
        ({"id": ["a", "b"], "v": [[1.0], [2.0, 3.0]]}, "vectors of 1 to 2 numbers"),
        ({"id": ["a", "b"], "v": [[1.0], [float("nan")]]}, "1 vectors hold NaN or infinity, first that of chip 'b'"),
        ({"id": ["a"], "name": ["x"]}, "no list column"),
        ({"id": ["a"], "v": pa.array([None], pa.list_(pa.float32()))}, "holds no vector at all"),
    ],
)
def test_a_wrong_table_is_refused_by_column_and_chip(tmp_path, columns, said):
    pq.write_table(pa.table(columns), tmp_path / "e.parquet")
    with pytest.raises(InputError, match=r"e\.parquet") as error:
        read_embeddings(tmp_path / "e.parquet")
    assert said in str(error.value)


def test_vectors_of_two_models_in_one_table_are_refused_as_a_mix(tmp_path):
    columns = {"id": ["a", "b"], "v": [[1.0], [2.0]], "model": ["clay", "prithvi"]}
    pq.write_table(pa.table(columns), tmp_path / "e.parquet")
    with pytest.raises(
        IntegrityError, match=r"e\.parquet: vectors of 2 models \(clay, prithvi\); write a table for each"
    ):
        read_embeddings(tmp_path / "e.parquet")


@pytest.mark.parametrize("joined", ["with pyarrow, footer kept", "with pandas, footer lost"])
def test_rows_of_two_models_put_into_one_table_are_refused_by_their_digests(tmp_path, joined):
    for number, name in enumerate(("0a" * 32, "1b" * 32)):
        write_embeddings(tmp_path / f"{number}.parquet", dataclasses.replace(table(), model=name), "float16")
    if joined.startswith("with pandas"):
        frames = [pq.read_table(tmp_path / f"{number}.parquet").to_pandas() for number in range(2)]
        both = pa.Table.from_pandas(
            pd.concat(frames, ignore_index=True), preserve_index=False
        ).replace_schema_metadata()
    else:
        both = pa.concat_tables([pq.read_table(tmp_path / f"{number}.parquet") for number in range(2)])
    ids = pa.array([f"x{row}" for row in range(len(both))])
    pq.write_table(both.set_column(both.column_names.index("id"), "id", ids), tmp_path / "both.parquet")
    with pytest.raises(
        IntegrityError, match=r"both\.parquet: vectors of 2 models \(0a0a.*, 1b1b.*\); write a table for each"
    ):
        read_embeddings(tmp_path / "both.parquet")


def test_a_footer_that_names_another_model_than_the_rows_is_refused(tmp_path):
    write_embeddings(tmp_path / "e.parquet", table(), "float16")
    ours = pq.read_table(tmp_path / "e.parquet")
    pq.write_table(
        ours.replace_schema_metadata({**ours.schema.metadata, b"terrashot_model": b"xyz"}), tmp_path / "o.parquet"
    )
    with pytest.raises(IntegrityError, match=r"vectors of 2 models \(abc, xyz\)"):
        read_embeddings(tmp_path / "o.parquet")


def test_whole_steps_are_within_half_a_step_of_what_was_written(tmp_path):
    write_embeddings(tmp_path / "e.parquet", table(), "int8")
    stored, back = pq.read_table(tmp_path / "e.parquet"), read_embeddings(tmp_path / "e.parquet")
    assert stored.column("s2rgbm").type == pa.list_(pa.int8(), 3)
    for name, block in table().blocks.items():
        half = stored.column(f"{name}_scale").to_numpy()[:, None] / 2
        there = table().present(name)
        assert (np.abs(back.blocks[name] - block)[there] <= half[there] * 1.001).all()
        assert np.isnan(back.blocks[name][~there]).all()


@given(hnp.arrays(np.float32, (5, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_a_row_s_largest_number_takes_the_largest_step_and_zeros_stay_zeros(vectors):
    steps, size = to_int8(vectors)
    largest = np.abs(vectors).max(axis=1)
    assert (np.abs(steps.astype(np.int64)).max(axis=1) == np.where(largest > 1e-30, 127, 0)).all()
    assert (np.abs(steps * size[:, None] - vectors) <= size[:, None] * 0.501).all()
    assert (steps[vectors == 0] == 0).all()


@pytest.mark.parametrize("size", [[0.1, None], [0.1, -1.0], [0.1, float("inf")]])
def test_a_size_of_a_step_that_is_none_is_refused(tmp_path, size):
    columns = {"id": ["a", "b"], "v": [[1], [2]], "v_scale": pa.array(size, pa.float32())}
    pq.write_table(pa.table(columns), tmp_path / "e.parquet")
    with pytest.raises(InputError, match="'v_scale' is not above 0 everywhere"):
        read_embeddings(tmp_path / "e.parquet")


def parted():
    """Vectors of two parts, of which chip c1 lacks the second and chip c2 everything."""
    block = np.arange(16, dtype=np.float32).reshape(4, 4)
    block[2] = np.nan
    absent = np.array([[False, False], [False, True], [True, True], [False, False]])
    return Embeddings(chips(), {"s2rgbm": block}, kinds={"s2rgbm": ("red", "green")}, absent={"s2rgbm": absent})


def test_parts_and_what_stands_in_for_them_come_back_with_the_vectors(tmp_path):
    write_embeddings(tmp_path / "e.parquet", parted(), "float32")
    back = read_embeddings(tmp_path / "e.parquet")
    assert back.kinds == {"s2rgbm": ("red", "green")}
    assert back.absent["s2rgbm"].tolist() == [[False, False], [False, True], [False, False], [False, False]]
    assert back.parts("s2rgbm")[3].tolist() == [[12, 13], [14, 15]]
    told = pq.read_table(tmp_path / "e.parquet").column("s2rgbm_absent").to_pylist()
    assert told == [None, ["green"], None, None]


def test_how_much_of_a_vector_modalities_share_comes_back_and_of_old_tables_it_is_all(tmp_path):
    write_embeddings(tmp_path / "e.parquet", dataclasses.replace(parted(), shared={"s2rgbm": 1}), "float32")
    back = read_embeddings(tmp_path / "e.parquet")
    assert back.shared == {"s2rgbm": 1}
    assert back.shared_parts("s2rgbm")[3].tolist() == [[13], [15]]
    write_embeddings(tmp_path / "old.parquet", parted(), "float32")
    assert b"shared" not in pq.read_schema(tmp_path / "old.parquet").metadata[b"terrashot_vectors"]
    old = read_embeddings(tmp_path / "old.parquet")
    assert old.shared_parts("s2rgbm")[3].tolist() == old.parts("s2rgbm")[3].tolist()


@pytest.mark.parametrize("shared", [0, -1, 3, True, "1", None, [1]])
def test_a_footer_that_shares_more_than_there_is_or_no_number_is_refused(tmp_path, shared):
    write_embeddings(tmp_path / "e.parquet", parted(), "float32")
    whole = pq.read_table(tmp_path / "e.parquet")
    told = json.loads(whole.schema.metadata[b"terrashot_vectors"]) | {"shared": {"s2rgbm": shared}}
    forged = whole.schema.metadata | {b"terrashot_vectors": json.dumps(told).encode()}
    pq.write_table(whole.replace_schema_metadata(forged), tmp_path / "forged.parquet")
    with pytest.raises(InputError, match="is not what we write"):
        read_embeddings(tmp_path / "forged.parquet")


def test_a_footer_whose_parts_do_not_fit_is_refused(tmp_path):
    kinds = {"s2rgbm": ("red", "green", "blue")}
    write_embeddings(tmp_path / "e.parquet", dataclasses.replace(parted(), kinds=kinds, absent={}), "float32")
    with pytest.raises(InputError, match="holds 4 numbers, which are not 3 equal parts"):
        read_embeddings(tmp_path / "e.parquet")


def test_a_table_written_in_groups_is_read_as_one_and_each_long_group_is_a_row_group(tmp_path, monkeypatch):
    monkeypatch.setattr(write_vectors, "LEAST_ROWS", 2)
    whole = table(5)
    rows = [range(0, 2), range(2, 3), range(3, 5)]
    groups = [
        dataclasses.replace(
            whole, chips=whole.chips.take(some), blocks={name: block[some] for name, block in whole.blocks.items()},
            n_channels={"s1grdm": whole.n_channels["s1grdm"][some]}, valid_fraction={},
        )
        for some in rows
    ]  # fmt: skip
    write_embedding_groups(tmp_path / "e.parquet", whole.chips, iter(groups), TableForm("float32", "abc"))
    back = read_embeddings(tmp_path / "e.parquet")
    assert (back.chips.ids, back.model) == (whole.chips.ids, "abc")
    np.testing.assert_array_equal(back.blocks["s1grdm"], whole.blocks["s1grdm"])
    sizes = pq.ParquetFile(tmp_path / "e.parquet").metadata
    assert [sizes.row_group(number).num_rows for number in range(sizes.num_row_groups)] == [2, 3]


def test_texts_have_a_dictionary_and_numbers_of_vectors_none(tmp_path):
    write_embeddings(tmp_path / "e.parquet", parted(), "float32")
    group = pq.ParquetFile(tmp_path / "e.parquet").metadata.row_group(0)
    coded = {}
    for number in range(group.num_columns):
        column = group.column(number)
        coded[column.path_in_schema] = (column.has_dictionary_page, column.is_stats_set)
    vectors = {path for path, told in coded.items() if not any(told)}
    assert {path.split(".")[0] for path in vectors} == set(parted().blocks)
    assert coded["id"] == (True, True) and coded["s2rgbm_absent.list.element"] == (True, True)


def test_neighbours_on_the_ground_are_neighbours_in_the_file_and_others_do_not_matter():
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(-170, 170, 600), rng.uniform(-80, 80, 600)
    some = Chips(tuple(f"c{i:03d}" for i in range(600)), ("a",) * 600, (None,) * 600, (None,) * 600, None, lon, lat)
    order = hilbert_order(some)
    assert sorted(order) == list(range(600))
    steps = np.hypot(np.diff(lon[order]), np.diff(lat[order])).mean()
    assert steps < 0.2 * np.hypot(np.diff(lon), np.diff(lat)).mean()
    half = some.take(range(0, 600, 2))
    ids = [some.ids[row] for row in order if row % 2 == 0]
    assert [half.ids[row] for row in hilbert_order(half)] == ids


def test_chips_without_a_place_follow_their_ids_after_the_others():
    lon, lat = np.array([np.nan, 9.0, np.nan]), np.array([np.nan, 45.0, np.nan])
    some = Chips(("b", "c", "a"), ("x",) * 3, (None,) * 3, (None,) * 3, None, lon, lat)
    assert hilbert_order(some).tolist() == [1, 2, 0]


def test_an_npy_of_objects_is_refused_and_nothing_in_it_runs(tmp_path):
    np.save(tmp_path / "v.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "v.ids.txt").write_text("a\n")
    with pytest.raises(InputError, match="cannot be read as"):
        read_embeddings(tmp_path / "v.npy")


def test_some_rows_are_read_as_they_stand_in_the_whole_table(tmp_path, monkeypatch):
    monkeypatch.setattr(write_vectors, "LEAST_ROWS", 1)
    whole = table(5)
    groups = [
        dataclasses.replace(
            whole, chips=whole.chips.take(rows), blocks={name: block[rows] for name, block in whole.blocks.items()},
            n_channels={"s1grdm": whole.n_channels["s1grdm"][rows]}, valid_fraction={},
        )
        for rows in ([0, 1], [2], [3, 4])
    ]  # fmt: skip
    write_embedding_groups(tmp_path / "e.parquet", whole.chips, iter(groups), TableForm("int8", "abc"))
    everything = read_embeddings(tmp_path / "e.parquet")
    for rows in ([0, 4], [2], [0, 3, 4], [0, 1, 2, 3, 4]):
        some = read_some_embeddings(tmp_path / "e.parquet", rows)
        assert some.chips.ids == everything.chips.take(rows).ids and some.model == "abc"
        np.testing.assert_array_equal(some.blocks["s1grdm"], everything.blocks["s1grdm"][rows])
