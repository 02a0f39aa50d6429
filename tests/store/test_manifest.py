"""A step without a whole line has not happened."""

import pytest

from terrashot.errors import IntegrityError
from terrashot.store import manifest


def line(step, **changes):
    fields = {
        "step": step,
        "config": "c",
        "inputs": {"a": "1"},
        "outputs": {"b": "2"},
        "versions": {},
        "finished": "now",
        "seconds": 1.0,
    }
    return manifest.Line(**{**fields, **changes})


def test_the_last_line_of_a_step_counts(tmp_path):
    path = tmp_path / "manifest.jsonl"
    manifest.append(path, line("chips"))
    manifest.append(path, line("ingest"))
    manifest.append(path, line("chips", config="d"))
    found = manifest.read(path)
    assert list(found) == ["chips", "ingest"]
    assert found["chips"].config == "d"


def test_no_manifest_means_that_nothing_has_happened(tmp_path):
    assert manifest.read(tmp_path / "manifest.jsonl") == {}


def test_a_torn_last_line_has_not_happened(tmp_path):
    path = tmp_path / "manifest.jsonl"
    manifest.append(path, line("chips"))
    whole = path.read_bytes()
    manifest.append(path, line("ingest"))
    for cut in range(len(whole) + 1, path.stat().st_size - 1, 17):
        (tmp_path / "torn").write_bytes(path.read_bytes()[:cut])
        assert list(manifest.read(tmp_path / "torn")) == ["chips"]


def test_every_flipped_bit_of_an_earlier_line_is_noticed(tmp_path):
    path = tmp_path / "manifest.jsonl"
    manifest.append(path, line("chips"))
    first = path.stat().st_size
    manifest.append(path, line("ingest"))
    content = path.read_bytes()
    for position in range(0, first - 1, 5):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (position % 8)
        if damaged.count(b"\n") != content.count(b"\n"):
            continue
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError, match="line 1 is damaged"):
            manifest.read(path)


def test_a_manifest_of_a_newer_terrashot_is_refused(tmp_path):
    manifest.append(tmp_path / "m", line("chips", format=2))
    with pytest.raises(IntegrityError, match="update terrashot"):
        manifest.read(tmp_path / "m")
