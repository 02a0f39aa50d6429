"""Block scores come back as they were written, of classes and of a regression."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from terrashot.domain.results import BlockScores, FitName
from terrashot.errors import IntegrityError
from terrashot.store.block_scores import read_block_scores, write_block_scores

FITS = (FitName("forest", 5, 5, 0), FitName("forest", None, 70, 0), FitName("logistic", 5, 5, 0))
COUNTS = np.array([3, 9])


def scores(task="water", *, regression=False, features="s2rgbm"):
    table = np.arange(6).reshape(3, 2)
    key = (task, "a", "a", "bands", features, FITS, ("north", "south"), COUNTS)
    if not regression:
        return BlockScores(*key, table)
    return BlockScores(*key, None, table / 7, np.array([0.5, 0.25]), np.array([0.1, 0.2]))


def test_what_is_written_is_read(tmp_path):
    written = [scores(), scores("trees", regression=True), scores(features="gunw")]
    write_block_scores(tmp_path / "b.parquet", written)
    for mine, theirs in zip(written, read_block_scores(tmp_path / "b.parquet"), strict=True):
        assert (mine.task, mine.features, mine.fits, mine.blocks) == (
            theirs.task,
            theirs.features,
            theirs.fits,
            theirs.blocks,
        )
        for name in ("n", "correct", "squared_error", "label_sum", "label_square_sum"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def test_another_program_finds_a_row_a_fit_and_block(tmp_path):
    write_block_scores(tmp_path / "b.parquet", [scores()])
    rows = pq.read_table(tmp_path / "b.parquet").to_pylist()
    assert len(rows) == 6
    assert rows[2] == {
        "task": "water", "area": "a", "train_area": "a", "split_scheme": "bands", "features": "s2rgbm", "head": "forest",
        "n_labels_asked": None, "n_labels": 70, "repeat": 0, "block": "north", "n": 3, "correct": 2,
        "squared_error": None, "label_sum": None, "label_square_sum": None,
    }  # fmt: skip


def test_no_fit_at_all_is_an_empty_table(tmp_path):
    write_block_scores(tmp_path / "b.parquet", [])
    assert read_block_scores(tmp_path / "b.parquet") == []


def test_a_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "b.parquet"
    write_block_scores(path, [scores()])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(IntegrityError):
        read_block_scores(path)
