"""The Zarr copy of an embedding table: the same numbers, to any Zarr v3 reader, and whole or absent."""

import numpy as np
import pytest
import zarr
from test_vectors import parted, table

from terrashot.store import zarr_copy
from terrashot.store.vectors import read_embeddings
from terrashot.store.write_vectors import write_embeddings
from terrashot.store.zarr_copy import write_zarr_copy


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8"])
@pytest.mark.filterwarnings("error")
def test_the_copy_holds_the_table_s_numbers_in_its_order(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(zarr_copy, "CHUNK_ROWS", 2)
    write_embeddings(tmp_path / "e.parquet", table(5), dtype)
    write_zarr_copy(tmp_path / "e.zarr", tmp_path / "e.parquet", 64)
    wanted, found = read_embeddings(tmp_path / "e.parquet"), zarr.open_group(tmp_path / "e.zarr", mode="r")
    assert found["id"][:].tolist() == list(wanted.chips.ids)
    np.testing.assert_array_equal(found["lon"][:], wanted.chips.lon_deg)
    for name, block in wanted.blocks.items():
        numbers = found[f"{name}/vectors"][:]
        assert numbers.dtype == dtype
        if dtype == "int8":
            numbers = numbers * found[f"{name}/scale"][:][:, None]
        np.testing.assert_array_equal(numbers, block.astype(numbers.dtype))


def test_each_group_tells_what_its_vectors_are_in_the_words_of_the_convention(tmp_path):
    write_embeddings(tmp_path / "e.parquet", table(), "int8")
    write_zarr_copy(tmp_path / "e.zarr", tmp_path / "e.parquet", 64)
    told = zarr.open_group(tmp_path / "e.zarr", mode="r")["s1grdm"].attrs.asdict()
    assert told["zarr_conventions"][0]["name"] == "geoemb:"
    assert (told["geoemb:type"], told["geoemb:dimensions"], told["geoemb:data_type"]) == ("chip", 5, "int8")
    assert told["geoemb:model"] == "urn:sha256:abc" and told["geoemb:chip_layout"]["chip_size"] == [64, 64]
    assert told["geoemb:quantization"]["scale"]["array_name"] == "scale"


def test_a_copy_that_is_there_is_replaced_as_a_whole(tmp_path):
    write_embeddings(tmp_path / "e.parquet", table(), "float32")
    write_zarr_copy(tmp_path / "e.zarr", tmp_path / "e.parquet", 64)
    write_embeddings(tmp_path / "e.parquet", parted(), "float32")
    write_zarr_copy(tmp_path / "e.zarr", tmp_path / "e.parquet", 64)
    assert sorted(zarr.open_group(tmp_path / "e.zarr", mode="r").group_keys()) == ["s2rgbm"]


def test_the_same_table_gives_the_same_bytes(tmp_path):
    write_embeddings(tmp_path / "e.parquet", table(), "float16")
    for name in ("a", "b"):
        write_zarr_copy(tmp_path / name, tmp_path / "e.parquet", 64)
    files = [sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")) for name in "ab"]
    assert files[0] == files[1]
    assert all(
        (tmp_path / "a" / p).read_bytes() == (tmp_path / "b" / p).read_bytes()
        for p in files[0]
        if (tmp_path / "a" / p).is_file()
    )
