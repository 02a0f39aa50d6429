"""Parquet files that notice damage."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from terrashot.durable.backup import digest_path
from terrashot.errors import InputError, IntegrityError, TerrashotError
from terrashot.store.parquet import read_table, rows_of_table, table_of_rows, write_rows, write_table


@dataclass(frozen=True)
class Row:
    name: str
    n: int | None
    score: float | None


def test_rows_come_back_as_they_went_in_with_their_nulls(tmp_path):
    rows = [Row("a", 1, 0.5), Row("b", None, None)]
    write_rows(tmp_path / "t.parquet", rows, Row)
    assert rows_of_table(read_table(tmp_path / "t.parquet"), Row) == rows


def test_no_rows_still_have_their_columns(tmp_path):
    assert table_of_rows([], Row).schema.types == [pa.string(), pa.int64(), pa.float64()]


def test_the_same_table_gives_the_same_bytes(tmp_path):
    table = pa.table({"x": np.arange(1000.0)})
    write_table(tmp_path / "a.parquet", table)
    write_table(tmp_path / "b.parquet", table)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_the_digest_beside_a_table_is_in_the_form_of_sha256sum(tmp_path):
    write_table(tmp_path / "a.parquet", pa.table({"x": [1]}))
    digest, name = digest_path(tmp_path / "a.parquet").read_text().split()
    assert (len(digest), name) == (64, "a.parquet")


def test_two_hundred_flipped_bits_are_all_noticed(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, pa.table({"x": np.random.default_rng(0).normal(size=500)}))
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    for bit in rng.integers(0, len(content) * 8, size=200):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError, match="do not fit"):
            read_table(path)


def test_without_the_digest_a_flipped_bit_in_a_page_is_still_noticed(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, pa.table({"x": np.random.default_rng(0).normal(size=5000)}))
    digest_path(path).unlink()
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    path.write_bytes(damaged)
    with pytest.raises(TerrashotError, match=r"a\.parquet"):
        read_table(path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"id,x\n1,2\n"])
def test_what_is_no_parquet_is_refused_by_name(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.parquet: cannot be read as Parquet"):
        read_table(tmp_path / "a.parquet")


def test_a_missing_table_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "a.parquet")
