"""The health card beside a table: read back as written, and nothing else is taken for one."""

import json

import pytest

from terrashot.domain.health import HealthCard, Measure
from terrashot.errors import InputError, IntegrityError
from terrashot.store.health import health_path, read_health, told_channel_policy, write_health

CARD = HealthCard(
    (
        Measure("finite", "s2rgbm", 0.0, "good", "all finite"),
        Measure("norms", "s2rgbm", 12.5, "look", "lengths differ"),
        Measure("batch", "", None, None, "not measured: needs the model"),
    ),
    n_chips=30, n_sampled=20, seed=0, model="abc",
)  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """A table, or what stands for one, and its card."""
    table = tmp_path / "embeddings.parquet"
    table.write_bytes(b"vectors")
    write_health(health_path(table), CARD, table)
    return table, health_path(table)


def changed(path, **entries):
    """The card's file with other entries, as a stranger would write it: without a digest."""
    content = {**json.loads(path.read_bytes()), **entries}
    path.with_name(f"{path.name}.sha256").unlink()
    path.write_text(json.dumps(content))
    return path


def test_what_is_written_is_read_back_and_lies_beside_the_table(written):
    table, path = written
    assert path.name == "embeddings.parquet.health.json"
    assert read_health(path) == read_health(path, table) == CARD
    assert json.loads(path.read_bytes())["worst"] == "look"


def test_the_same_card_gives_the_same_bytes(written):
    table, path = written
    before = path.read_bytes()
    write_health(path, CARD, table)
    assert path.read_bytes() == before


def test_a_card_of_another_table_is_refused(written):
    table, path = written
    table.write_bytes(b"other vectors")
    with pytest.raises(IntegrityError, match="of another table than embeddings"):
        read_health(path, table)


def test_a_flipped_bit_is_noticed(written):
    _, path = written
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(IntegrityError):
        read_health(path)


def test_a_newer_format_is_refused_by_its_number(written):
    with pytest.raises(IntegrityError, match="format 2, this terrashot reads 1; update terrashot"):
        read_health(changed(written[1], format=2))


GOOD = {"name": "finite", "block": "a", "value": 0.5, "verdict": "good", "sentence": "fine"}


@pytest.mark.parametrize(
    "entries",
    [
        {"measures": [{**GOOD, "verdict": "great"}], "worst": "good"},
        {"measures": [{**GOOD, "value": "much"}], "worst": "good"},
        {"measures": [{**GOOD, "value": True}], "worst": "good"},
        {"measures": [{**GOOD, "value": float("nan")}], "worst": "good"},
        {"measures": [{**GOOD, "sentence": 3}], "worst": "good"},
        {"measures": [{**GOOD, "more": 1}], "worst": "good"},
        {"measures": [[]], "worst": "good"},
        {"measures": {"a": 1}, "worst": "good"},
        {"n_chips": "many"},
        {"n_chips": True},
        {"model": 5},
        {"worst": "good"},
        {"table_sha256": None, "measures": None},
    ],
)
def test_anything_else_is_not_taken_for_a_card(written, entries):
    with pytest.raises(IntegrityError, match=r"none of ours|not of its type"):
        read_health(changed(written[1], **entries))


def test_what_is_no_json_or_not_there_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"[" * 100_000)
    (tmp_path / "b").write_bytes(b"[1, 2]")
    for name in "ab":
        with pytest.raises(IntegrityError, match="none of ours"):
            read_health(tmp_path / name)
    with pytest.raises(InputError, match="run terrashot health"):
        read_health(tmp_path / "nowhere")


def test_a_table_of_no_parquet_tells_no_policy(tmp_path):
    assert told_channel_policy(tmp_path / "vectors.npy") is None
