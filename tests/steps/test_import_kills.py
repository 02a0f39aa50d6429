"""`terrashot import geetiles | m3leo` killed at its writes goes on to the same bytes, as it ends with any number of workers."""

import functools

import pytest

pytest.importorskip("rasterio")
from faults.child import Surroundings, run_child

from published_layout import as_parquet, write_all
from terrashot.steps.import_chips import CHIPS_A_PART, ChipImport, choices_of, import_chip_folder
from terrashot.steps.progress import finish

pytestmark = pytest.mark.faults
CHIPS = CHIPS_A_PART + 6
"""Two parts: the first is kept where the second is killed."""


@pytest.fixture(scope="module")
def published(made_once):
    return made_once("published_to_kill", lambda folder: write_all(folder, CHIPS))


@pytest.fixture(scope="module")
def packed(made_once):
    def fill(folder):
        write_all(folder, 6)
        as_parquet(folder)

    return made_once("packed_to_kill", fill)


def bring(source, out, kind="geetiles", workers=1):
    choices = choices_of("2020-01", 48, "mixed", "together", "degrees")
    finish(import_chip_folder(ChipImport(kind, source, out, choices, workers=workers)))


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(published, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    bring(published, out)
    return contents(out)


def test_two_workers_write_the_same_bytes_as_one(published, whole, tmp_path):
    bring(published, tmp_path / "out", workers=2)
    assert contents(tmp_path / "out") == whole


def killed(tmp_path, point, source, kind="geetiles"):
    """The folder that a killed import left."""
    work = functools.partial(bring, source, tmp_path / "out", kind)
    ended = run_child(work, tmp_path / "notes", Surroundings(environment={"TERRASHOT_CRASH_AT": point}))
    assert ended.code == 137, (point, ended.code, ended.error[-500:])
    assert not (tmp_path / "out" / "chips.csv").exists()
    return tmp_path / "out"


@pytest.mark.parametrize("point", ["flush:1", "renamed:107", "write:121"])
def test_a_killed_import_ends_with_the_same_bytes(published, whole, tmp_path, point):
    out = killed(tmp_path, point, published)
    bring(published, out)
    assert contents(out) == whole


def test_so_does_one_that_was_killed_while_it_unpacked(packed, tmp_path):
    bring(packed, tmp_path / "whole", kind="m3leo")
    out = killed(tmp_path, "write:20", packed, "m3leo")
    bring(packed, out, kind="m3leo")
    assert contents(out) == contents(tmp_path / "whole")
