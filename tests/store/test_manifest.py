"""A step without a line has not happened; a damaged line is never taken for a missing one."""

import json

import pytest

from terrashot.durable.backup import backup_path
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


def two_lines(path):
    manifest.append(path, line("chips"))
    manifest.append(path, line("ingest", seconds=1e-05))
    return path.read_bytes()


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path):
    path = tmp_path / "manifest.jsonl"
    content = two_lines(path)
    flipped = (
        content[: b // 8] + bytes([content[b // 8] ^ 1 << b % 8]) + content[b // 8 + 1 :]
        for b in range(8 * len(content))
    )
    for damaged in (*flipped, *(content[:cut] for cut in range(content.index(b"\n") + 2, len(content)))):
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError, match=r"damaged; run: terrashot verify --repair"):
            manifest.read(path)


def test_a_damaged_manifest_comes_back_from_its_copy(tmp_path):
    path = tmp_path / "manifest.jsonl"
    content = two_lines(path)
    path.write_bytes(content[:-9])
    manifest.repair(path)
    assert path.read_bytes() == content


def test_without_a_whole_copy_the_damaged_line_alone_is_lost(tmp_path):
    path = tmp_path / "manifest.jsonl"
    content = two_lines(path)
    backup_path(path).write_bytes(b"x")
    path.write_bytes(b"X" + content)
    manifest.repair(path)
    assert list(manifest.read(path)) == ["ingest"]


def test_a_manifest_of_a_newer_terrashot_is_refused(tmp_path):
    manifest.append(tmp_path / "m", line("chips", format=2))
    with pytest.raises(IntegrityError, match="update terrashot"):
        manifest.read(tmp_path / "m")


@pytest.mark.parametrize(
    "changes",
    [{"format": [2]}, {"format": True}, {"step": ["chips"]}, {"inputs": {"a": 1}}, {"seconds": "1"}, {"outputs": []}],
)
def test_a_line_whose_seal_fits_and_whose_types_do_not_is_damaged(tmp_path, changes):
    path = tmp_path / "manifest.jsonl"
    manifest.append(path, line("chips"))
    fields = json.loads(path.read_bytes()) | changes
    fields.pop("digest")
    sealed = fields | {"digest": manifest.digest_of(fields)}
    path.write_text(json.dumps(sealed, sort_keys=True) + "\n")
    with pytest.raises(IntegrityError, match="line 1 is damaged"):
        manifest.read(path)
