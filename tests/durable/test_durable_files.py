"""A write is whole or absent."""

import os
import subprocess
import sys

import pytest

from terrashot.durable.files import (
    CRASH_AT,
    set_aside,
    sha256_of,
    sha256_of_file,
    sweep_leftovers,
    write_atomically,
    write_bytes,
)
from terrashot.errors import StorageError


def test_a_written_file_holds_its_content_and_leaves_nothing_beside_it(tmp_path):
    write_bytes(tmp_path / "a", b"one")
    write_bytes(tmp_path / "a", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"two"


def test_a_writer_that_fails_leaves_the_old_content_and_no_temporary(tmp_path):
    write_bytes(tmp_path / "a", b"old")

    def half(file):
        file.write(b"ne")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_atomically(tmp_path / "a", half)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_folder_that_is_gone_is_a_storage_error_that_names_the_file(tmp_path):
    with pytest.raises(StorageError, match="gone/a: cannot write"):
        write_bytes(tmp_path / "gone" / "a", b"x")


def test_leftovers_of_dead_writes_are_swept_and_nothing_else(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / ".a.123.part").write_bytes(b"half")
    (tmp_path / "a.part").write_bytes(b"a user's own")
    assert sweep_leftovers(tmp_path) == 1
    assert (tmp_path / "a.part").exists()


def test_digests_of_a_file_and_of_its_bytes_agree(tmp_path):
    write_bytes(tmp_path / "a", b"content")
    assert sha256_of_file(tmp_path / "a") == sha256_of(b"content")


def test_what_is_set_aside_keeps_its_content_under_another_name(tmp_path):
    for content in (b"one", b"two"):
        write_bytes(tmp_path / "a", content)
        assert set_aside(tmp_path / "a").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.damaged"]


@pytest.mark.parametrize(
    ("point", "content"), [("write", b"old"), ("flush", b"old"), ("rename", b"old"), ("renamed", b"new")]
)
def test_a_process_that_dies_at_any_write_point_leaves_the_old_content_or_the_new(tmp_path, point, content):
    path = tmp_path / "a"
    write_bytes(path, b"old")
    code = (
        "import sys; from pathlib import Path; from terrashot.durable.files import write_bytes\n"
        "write_bytes(Path(sys.argv[1]), b'new')"
    )
    child = subprocess.run(
        [sys.executable, "-c", code, str(path)], env={**os.environ, CRASH_AT: f"{point}:1"}, check=False
    )
    assert child.returncode == 137
    assert path.read_bytes() == content
    sweep_leftovers(tmp_path)
    assert [left.name for left in tmp_path.iterdir()] == ["a"]
