"""Files that came to harm on the way: read, or refused in one line that names the file; never anything else."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published_files import clay_columns, majortom_columns, write_alphaearth, write_rows, write_tessera

from terrashot.errors import InputError, IntegrityError
from terrashot.published import alphaearth, clay, majortom, tessera
from terrashot.published.join_rows import one_table
from terrashot.raster.windows import TiffShelf

NAME = "grid_9.05_45.15"


def read_pixels(maker, folder):
    with TiffShelf() as shelf:
        for tile in maker.find_tiles(folder, shelf)[0]:
            rows, cols = (np.arange(4) % side for side in (tile.place.height_px, tile.place.width_px))
            tile.vectors(rows, cols)


READERS = {
    "a.tif": lambda folder: read_pixels(alphaearth, folder),
    f"{NAME}.npy": lambda folder: read_pixels(tessera, folder),
    f"{NAME}.tiff": lambda folder: read_pixels(tessera, folder),
    "a.parquet": lambda folder: one_table("majortom", [majortom.read_rows(folder / "a.parquet")]),
    "a.gpq": lambda folder: one_table("clay", [clay.read_rows(folder / "a.gpq")]),
}


@cache
def good_files(name):
    """Bytes by relative path of a folder that would be read."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        if name == "a.tif":
            write_alphaearth(folder / name, 32)
        elif name.startswith(NAME):
            write_tessera(folder)
        else:
            write_rows(folder / name, clay_columns() if name == "a.gpq" else majortom_columns())
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def bent_up_to(content):
    """Bytes before the footer of a Parquet file: pyarrow 26 ends the process over some that are bent."""
    footer = int.from_bytes(content[-8:-4], "little") + 8 if content[:4] == b"PAR1" else 0
    return len(content) - footer


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    kept=st.floats(0.5, 1),
)
def test_a_damaged_file_is_read_or_refused(name, flips, kept, tmp_path):
    for relative, content in good_files(name).items():
        path = tmp_path / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name == name:
            damaged, room = bytearray(content), bent_up_to(content)
            for place, value in flips:
                damaged[int(place**3 * room)] = value  # headers lie at the beginning
            content = damaged[: int(len(damaged) * kept)] if kept < 0.9 else damaged
        path.write_bytes(content)
    try:
        READERS[name](tmp_path)
    except (InputError, IntegrityError) as error:
        assert "\n" not in str(error)
