"""Embedding tables: ours come back exactly, others' are read as they come."""

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from terrashot.domain.tables import Chips, Embeddings
from terrashot.errors import InputError
from terrashot.store.vectors import read_embeddings, write_embeddings


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
    return Embeddings(
        chips(n), {"s2rgbm": optical, "s1grdm": radar}, {"s1grdm": np.array([2, 0, 1, 3], np.int16)}, "abc"
    )


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_our_own_table_comes_back_exactly(tmp_path, dtype):
    write_embeddings(tmp_path / "e.parquet", table(), dtype)
    back = read_embeddings(tmp_path / "e.parquet")
    for block in ("s2rgbm", "s1grdm"):
        np.testing.assert_array_equal(back.blocks[block], table().blocks[block])
    assert (back.chips.ids, back.chips.split, back.model) == (chips().ids, chips().split, "abc")
    assert back.n_channels["s1grdm"].tolist() == [2, 0, 1, 3]


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
        (
            {"id": ["a", "b"], "v": [[1.0], [2.0]], "model": ["clay", "prithvi"]},
            "vectors of 2 models (clay, prithvi); write a table for each model",
        ),
    ],
)
def test_a_wrong_table_is_refused_by_column_and_chip(tmp_path, columns, said):
    pq.write_table(pa.table(columns), tmp_path / "e.parquet")
    with pytest.raises(InputError, match=r"e\.parquet") as error:
        read_embeddings(tmp_path / "e.parquet")
    assert said in str(error.value)


def test_an_npy_of_objects_is_refused_and_nothing_in_it_runs(tmp_path):
    np.save(tmp_path / "v.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "v.ids.txt").write_text("a\n")
    with pytest.raises(InputError, match="cannot be read as"):
        read_embeddings(tmp_path / "v.npy")
