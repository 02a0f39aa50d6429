"""What tells whether a user's file has changed: its content, and of a file that nobody here would read its size and time."""

import os

from terrashot.durable.files import sha256_of_file
from terrashot.steps.artefacts import LARGEST_GIVEN_BYTES, digest_of_given


def test_a_file_is_told_by_its_content(tmp_path):
    (tmp_path / "chips.csv").write_text("id\na\n")
    assert digest_of_given(tmp_path / "chips.csv") == sha256_of_file(tmp_path / "chips.csv")


def test_a_file_too_large_for_any_reader_is_not_read_to_be_hashed_and_its_changes_are_seen(tmp_path):
    path = tmp_path / "items.json"
    path.touch()
    found = []
    for size, time in (
        (LARGEST_GIVEN_BYTES + 1, 1),
        (LARGEST_GIVEN_BYTES + 2, 1),
        (LARGEST_GIVEN_BYTES + 2, 2),
        (240 << 30, 2),
    ):
        os.truncate(path, size)  # sparse: to read the last would take minutes
        os.utime(path, (time, time))
        found.append(digest_of_given(path))
    assert len(set(found)) == 4 and found[-1] == digest_of_given(path)
