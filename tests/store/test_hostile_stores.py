"""Stores and tables made to harm: digests and seals fit, and what they say is refused before it is used."""

import os
import struct
from contextlib import closing

import google_crc32c
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrashot.domain.modality import Channel, Imagery
from terrashot.durable.ledger import Ledger
from terrashot.errors import InputError, IntegrityError
from terrashot.ingest.harvest import harvest
from terrashot.steps.progress import finish
from terrashot.store.chips import open_chip_store
from terrashot.store.csvfile import read_csv
from terrashot.store.layout import LEDGER
from terrashot.store.manifest import MAX_BYTES, read
from terrashot.store.parquet import read_table
from terrashot.store.shard import open_shard, read_index
from terrashot.store.vectors import read_embeddings

CHANNELS = (Channel("c1", "c1", "dn"), Channel("c2", "c2", "dn"))


class Source:
    modality, side_px, max_channels, channels, unit, differences = "s1grdm", 4, 2, CHANNELS, "dn", ()

    def read(self, chip_id):
        return Imagery(CHANNELS, np.ones((2, 4, 4), np.float32))


@pytest.fixture
def store(tmp_path):
    """Three chips of 4 px and two channels."""
    finish(harvest([Source()], ["a", "b", "c"], tmp_path, workers=1))
    return tmp_path


def forge(store, kind, key, content):
    with closing(Ledger(store / LEDGER, writable=True)) as ledger:
        ledger.put([(kind, key, content)])


def row(store, **changes):
    with closing(Ledger(store / LEDGER)) as ledger:
        rows = ledger.get("image", "s1grdm/a")
    return [rows[0] | changes, *rows[1:]]


def layout(store, **changes):
    with closing(Ledger(store / LEDGER)) as ledger:
        return ledger.get("layout", "s1grdm") | changes


def use(store):
    opened = open_chip_store(store)
    opened.presence()
    opened.read("s1grdm", [("a", stored.slot) for stored in opened.channels("a", "s1grdm")])


def test_an_unforged_store_is_read(store):
    use(store)


@pytest.mark.parametrize("changes", [{"slot": 2}, {"slot": -1}, {"slot": 0.5}, {"slot": "0"}, {"slot": True}, {"kind": ["c1"]},
                                     {"valid_fraction": float("nan")}, {"valid_fraction": "1"}, {"channel": None}, {"unit": 3}])  # fmt: skip
def test_a_forged_presence_row_is_refused(store, changes):
    forge(store, "image", "s1grdm/a", row(store, **changes))
    with pytest.raises(IntegrityError, match=r"ledger\.sqlite"):
        use(store)


@pytest.mark.parametrize("rows", [5, "ok", ["ok"], [None], {"a": 1}])
def test_rows_that_are_no_rows_are_refused(store, rows):
    forge(store, "image", "s1grdm/a", rows)
    with pytest.raises(IntegrityError, match="no presence row"):
        use(store)


@pytest.mark.parametrize("place", ["0", -1, 1, 1 << 38, 0.0, None, True])
def test_a_chip_has_one_place_of_its_own(store, place):
    forge(store, "chip", "a", place)
    with pytest.raises(IntegrityError, match=r"lies? at"):
        open_chip_store(store)


@pytest.mark.parametrize(
    "changes",
    [{"side_px": 8192, "slots": 4096}, {"side_px": 4.0}, {"slots": 1.5}, {"slots": 1}, {"shard_chips": True}, {"dtype": "|O"}, {"nodata": 3.0},
     {"channels": ["c1", "c1"]}, {"channels": [1, 2]}, {"modality": "gunw"}, {"unit": 5},
     {"derived": [{"channel": {"name": "d", "kind": "d"}, "minuend": 0.5, "subtrahend": 0}]}],
)  # fmt: skip
def test_a_forged_layout_is_refused_before_anything_is_allocated(store, changes):
    forge(store, "layout", "s1grdm", layout(store, **changes))
    with pytest.raises(IntegrityError, match=r"ledger\.sqlite"):
        open_chip_store(store)


@pytest.mark.parametrize(
    ("kind", "key", "content"),
    [("shard", "../../x/0", {"sha256": "0"}), ("shard", "s1grdm/../0", {"sha256": "0"}), ("shard", "s1grdm/-1", {"sha256": "0"}),
     ("shard", "s1grdm/1", 7), ("damage", "/x/0", []), ("metadata", "../../victim", "0"), ("metadata", "/victim", "0"),
     ("layout", "../x", None)],
)  # fmt: skip
def test_a_name_in_the_ledger_is_no_path(store, kind, key, content):
    forge(store, kind, key, layout(store) if content is None else content)
    with pytest.raises(IntegrityError, match=r"ledger\.sqlite"):
        open_chip_store(store)


def write_index(path, *places):
    table = np.array([*places, *[(2**64 - 1, 2**64 - 1)] * (4 - len(places))], dtype="<u8").tobytes()
    path.write_bytes(bytes(100) + table + google_crc32c.value(table).to_bytes(4, "little"))


@pytest.mark.parametrize(
    "places",
    [
        [(0, 10), (0, 10)],
        [(0, 10), (9, 10)],
        [(0, 101)],
        [(100, 5)],
        [(2**64 - 5, 10)],
        [(0, 2**63)],
        [(50, 10), (0, 60)],
    ],
)
def test_chunks_lie_inside_the_file_and_apart(tmp_path, places):
    write_index(tmp_path / "shard", *places)
    descriptor = open_shard(tmp_path / "shard")
    with pytest.raises(IntegrityError, match="bytes twice, or beyond the file"):
        read_index(descriptor, 4, tmp_path / "shard")
    os.close(descriptor)


def test_chunks_in_any_order_are_read(tmp_path):
    write_index(tmp_path / "shard", (60, 40), (0, 60))
    descriptor = open_shard(tmp_path / "shard")
    assert read_index(descriptor, 4, tmp_path / "shard")[0].tolist() == [60, 40]
    os.close(descriptor)


def test_a_manifest_of_gigabytes_is_not_read(tmp_path):
    (tmp_path / "manifest.jsonl").touch()
    os.truncate(tmp_path / "manifest.jsonl", MAX_BYTES + 1)
    with pytest.raises(IntegrityError, match="no manifest of ours is"):
        read(tmp_path / "manifest.jsonl")


def test_a_text_that_many_rows_share_counts_as_often_as_it_stands(tmp_path):
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000, np.int32)), pa.array(["x" * (1 << 20)]))
    pq.write_table(pa.table({"id": text}), tmp_path / "t.parquet", compression="zstd")
    with pytest.raises(InputError, match="unpack to over 1024 MiB"):
        read_table(tmp_path / "t.parquet")


def test_a_table_that_repeats_itself_a_little_is_read(tmp_path):
    pq.write_table(pa.table({"id": ["x" * 1000] * 10_000}), tmp_path / "t.parquet", compression="zstd")
    assert read_table(tmp_path / "t.parquet").num_rows == 10_000


def test_a_column_that_stands_twice_is_refused(tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["id", "id"]), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="two columns are called 'id'"):
        read_table(tmp_path / "t.parquet")


def test_what_is_no_parquet_is_refused_before_its_digest_is_sought(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    os.truncate(tmp_path / "t.parquet", 1 << 40)
    (tmp_path / "t.parquet.sha256").write_text("0" * 64)
    with pytest.raises(IntegrityError, match="no Parquet, or damaged"):
        read_table(tmp_path / "t.parquet")


def test_one_long_vector_among_many_absent_ones_is_refused(tmp_path):
    vectors = pa.array([np.zeros(100_000, np.float32), *[None] * 10_000], pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": [str(row) for row in range(10_001)], "clay": vectors}), tmp_path / "e.parquet")
    with pytest.raises(InputError, match="1 vectors of 100000 numbers in 10001 rows"):
        read_embeddings(tmp_path / "e.parquet")


def test_an_embedding_table_of_the_future_names_what_is_read(tmp_path):
    table = pa.table({"id": ["a"], "clay": [[1.0]]}).replace_schema_metadata({"terrashot_format": "2"})
    pq.write_table(table, tmp_path / "e.parquet")
    with pytest.raises(IntegrityError, match=r"format 2, .*update terrashot"):
        read_embeddings(tmp_path / "e.parquet")


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04" + bytes(200), b"\x80\x02cposix\nsystem\n", b"\x93NUMPY\x01\x00\x0c\x00{'descr': [\n"]
)
def test_what_numpy_would_take_for_something_else_is_no_table(tmp_path, content):
    (tmp_path / "e.npy").write_bytes(content)
    (tmp_path / "e.ids.txt").write_text("a")
    with pytest.raises(InputError, match=r"e\.npy: cannot be read as \.npy"):
        read_embeddings(tmp_path / "e.npy")


def test_ids_that_are_no_text_are_refused(tmp_path):
    np.save(tmp_path / "e.npy", np.ones((1, 2), np.float32))
    (tmp_path / "e.ids.txt").write_bytes(struct.pack("<I", 0xFFFFFFFF))
    with pytest.raises(InputError, match=r"e\.ids\.txt: byte 0 is not UTF-8"):
        read_embeddings(tmp_path / "e.npy")


def test_places_of_another_type_are_refused(tmp_path):
    pq.write_table(pa.table({"id": ["a"], "lon": ["x"], "lat": ["y"], "clay": [[1.0]]}), tmp_path / "e.parquet")
    with pytest.raises(InputError, match="not of the types they should be"):
        read_embeddings(tmp_path / "e.parquet")


def test_a_line_without_an_end_is_no_table(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"id\n" + b"x" * (3 << 20))
    with pytest.raises(InputError, match="a line of over 1 MiB"):
        read_csv(tmp_path / "t.csv")


def test_a_pipe_is_no_table(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(InputError, match="no plain file"):
        read_csv(tmp_path / "t.csv")
