"""Blocks that we unpack ourselves are those of GDAL to the bit; what is packed in other ways, or damaged, never passes for them."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

rasterio = pytest.importorskip("rasterio")
from faults.targets import InMemory  # noqa: E402
from rasterio.io import MemoryFile  # noqa: E402

from terrashot.errors import InputError  # noqa: E402
from terrashot.raster.asset import open_asset  # noqa: E402
from terrashot.raster.met_blocks import met_blocks  # noqa: E402
from terrashot.raster.plain_file import PlainFile, plain_file  # noqa: E402
from terrashot.raster.tiff_layout import layout_of  # noqa: E402
from terrashot.raster.turn import in_gdal  # noqa: E402
from terrashot.raster.unpack import unpacked  # noqa: E402
from terrashot.remote.file import Blocks  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "float32", "float64"]


class Told:
    """The bytes of a file, and which of them were asked for."""

    def __init__(self, content):
        self.content, self.asked = content, []

    def __call__(self, start, stop):
        self.asked.append((start, stop))
        return self.content[start:stop]


def file_of(pixels, overviews=(), **form):
    """A GeoTIFF as bytes."""
    count, height, width = pixels.shape
    with MemoryFile() as memory:
        shape = {"width": width, "height": height, "count": count, "dtype": pixels.dtype.name}
        with memory.open(driver="GTiff", **shape, **form) as file:
            file.write(pixels)
            if overviews:
                file.build_overviews(list(overviews))
        return memory.read()


def opened(content, level=0):
    """What we unpack ourselves of a file, its bytes as they are asked for, and the file as GDAL has it."""
    memory, read = MemoryFile(content), Told(content)
    _ALIVE.append(memory)
    file = rasterio.open(memory.name, **({"overview_level": level - 1} if level else {}))
    return plain_file("a.tif", read, level, file), read, file


_ALIVE: list[MemoryFile] = []


@pytest.fixture(autouse=True)
def let_go():
    yield
    while _ALIVE:
        _ALIVE.pop().close()


FORMS = st.fixed_dictionaries(
    {"interleave": st.sampled_from(["band", "pixel"]), "ENDIANNESS": st.sampled_from(["LITTLE", "BIG"]), "BIGTIFF": st.sampled_from(["YES", "NO"]),
     "zlevel": st.sampled_from([1, 9])},
)  # fmt: skip
SIDES = st.one_of(
    st.sampled_from([16, 32]).map(lambda side: {"tiled": True, "blockxsize": side, "blockysize": 48 - side}),
    st.integers(1, 50).map(lambda rows: {"blockysize": rows}),
)


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    FORMS,
    SIDES,
    st.sampled_from(TYPES),
    st.integers(1, 3),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
)
def test_every_window_of_every_form_is_what_gdal_reads(data, form, sides, dtype, bands, shape):
    predictor = data.draw(st.sampled_from([1, 2, 3] if dtype.startswith("float") else [1, 2]))
    noise = np.random.default_rng(data.draw(st.integers(0, 99)))
    content = file_of(
        noise.integers(0, 255, (bands, *shape)).astype(dtype) * np.asarray(1.37).astype(dtype),
        compress="deflate", predictor=predictor, overviews=(2,) if min(shape) > 8 else (), **form, **sides,
    )  # fmt: skip
    level = data.draw(st.integers(0, int(min(shape) > 8)))
    plain, _, file = opened(content, level)
    assert plain is not None
    rows, cols = (
        slice(*sorted(data.draw(st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True))))
        for side in file.shape
    )
    wanted = data.draw(st.lists(st.integers(1, bands), min_size=1, max_size=4))
    with file:
        told = file.read(wanted, window=((rows.start, rows.stop), (cols.start, cols.stop)))
    found = plain.window(rows, cols, wanted)
    assert found is not None and found.dtype == told.dtype
    assert found.tobytes() == told.tobytes()


PIXELS = np.random.default_rng(0).integers(0, 900, (2, 96, 96)).astype(np.uint16)
TILES = {"tiled": True, "blockxsize": 32, "blockysize": 32}


@pytest.mark.parametrize(
    "form",
    [{}, {"compress": "lzw"}, {"compress": "zstd"}, {"compress": "deflate", "NBITS": 12}, {"compress": "packbits"}],
)
def test_what_is_packed_in_other_ways_is_left_to_gdal(form):
    content = file_of(PIXELS, **form, **TILES)
    plain, _, _ = opened(content)
    assert plain is None
    with open_asset(Blocks(InMemory(content, "a.tif"))) as asset:
        np.testing.assert_array_equal(asset.read(slice(0, 96), slice(0, 96), (1, 2)).pixels, PIXELS)


def test_blocks_that_were_never_written_are_left_to_gdal_which_knows_what_they_hold():
    pixels = PIXELS.copy()
    pixels[:, 32:64, :32] = 7
    content = file_of(pixels, compress="deflate", nodata=7, SPARSE_OK=True, **TILES)
    plain, _, _ = opened(content)
    np.testing.assert_array_equal(plain.window(slice(0, 32), slice(0, 96), (1,))[0], pixels[0, :32])
    assert plain.window(slice(0, 33), slice(0, 96), (1,)) is None
    with open_asset(Blocks(InMemory(content, "a.tif"))) as asset:
        np.testing.assert_array_equal(asset.read(slice(0, 96), slice(0, 96), (1, 2)).pixels, pixels)


def test_each_block_is_fetched_once_and_neighbours_together_until_the_file_is_closed():
    plain, read, _ = opened(file_of(PIXELS, compress="deflate", **TILES))
    read.asked.clear()
    first = plain.window(slice(0, 40), slice(0, 40), (1,))
    assert len(read.asked) == 1  # four tiles, and what little lies between them
    np.testing.assert_array_equal(plain.window(slice(0, 64), slice(0, 64), (1,))[0, :40, :40], first[0])
    assert len(read.asked) == 1
    plain.close()
    plain.window(slice(0, 40), slice(0, 40), (1,))
    assert len(read.asked) == 2


WAYS = st.sampled_from([
    {"compress": "deflate", "tiled": True, "blockxsize": 32, "blockysize": 16}, {"compress": "deflate", "blockysize": 3}, {"compress": "lzw"},
    {"compress": "deflate", "nodata": 7, "SPARSE_OK": True, "tiled": True, "blockxsize": 16, "blockysize": 16},
])  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    WAYS,
    st.sampled_from(["band", "pixel"]),
    st.integers(1, 2),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.data(),
)
def test_blocks_hold_all_windows_each_once_and_as_gdal_reads_them(way, interleave, band, shape, data):
    pixels = np.random.default_rng(0).integers(0, 900, (2, *shape)).astype(np.uint16)
    pixels[:, 16:, :40] = 7
    inside = [st.lists(st.integers(0, side), min_size=2, max_size=2).map(sorted) for side in shape]
    found = data.draw(st.lists(st.tuples(*inside), max_size=3))
    windows = np.array([[*rows, *cols] for rows, cols in found], np.int64).reshape(-1, 4)
    seen, wanted = np.zeros((2, *shape), np.uint16), np.zeros(shape, bool)
    for top, bottom, left, right in windows.tolist():
        wanted[top:bottom, left:right] = True
    with open_asset(Blocks(InMemory(file_of(pixels, interleave=interleave, **way), "a.tif"))) as asset:
        for block in asset.blocks(windows, (slice(0, shape[0]), slice(0, shape[1])), band):
            place = (
                slice(block.row, block.row + block.pixels.shape[0]),
                slice(block.col, block.col + block.pixels.shape[1]),
            )
            part = block.pixels[: shape[0] - block.row, : shape[1] - block.col]
            seen[0][place], seen[1][place] = part, seen[1][place] + 1
            assert wanted[place].any(), "a block that no window meets"
    np.testing.assert_array_equal(seen[0][wanted], pixels[band - 1][wanted])
    assert (seen[1][wanted] == 1).all() and seen[1].max(initial=0) <= 1


def test_blocks_that_reach_beyond_the_piece_are_kept_for_the_next_one_and_no_others():
    content = Told(file_of(PIXELS, compress="deflate", **TILES))
    layout = layout_of(content, 0)
    plain = PlainFile("a.tif", layout, content)
    piece, again = (slice(0, 48), slice(0, 64)), (slice(48, 96), slice(0, 64))
    asked = []
    for each in (piece, piece, again):
        content.asked.clear()
        met = met_blocks(np.array([[each[0].start, each[0].stop, 0, 64]]), (32, 32), (96, 96), each)
        assert len(list(plain.blocks(met, 1))) == 4
        asked.append(
            [number for start, stop in content.asked for number in (0, 3, 6) if start <= layout.starts[number] < stop]
        )
    plain.close()
    assert asked == [[0, 3], [0], [6]], "the first block of each row"


def test_pixels_of_an_open_file_are_read_while_another_thread_is_in_gdal():
    with open_asset(Blocks(InMemory(file_of(PIXELS, compress="deflate", **TILES), "a.tif"))) as asset:
        with in_gdal():
            found = asset.read(slice(5, 50), slice(0, 96), (2,)).pixels
        np.testing.assert_array_equal(found[0], PIXELS[1, 5:50])


@pytest.mark.parametrize("predictor", [1, 2])
def test_a_flipped_bit_in_a_block_of_an_overview_is_noticed(predictor):
    whole = file_of(PIXELS, compress="deflate", predictor=predictor, overviews=(2,), **TILES)
    layout = layout_of(lambda start, stop: whole[start:stop], 1)
    rng = np.random.default_rng(1)
    for number in rng.integers(0, len(layout.starts), 20):
        at = int(layout.starts[number]) + int(rng.integers(0, int(layout.sizes[number])))
        content = bytearray(whole)
        content[at] ^= 1 << int(rng.integers(0, 8))
        with open_asset(Blocks(InMemory(bytes(content), "a.tif"))) as asset, pytest.raises(InputError, match=r"a\.tif"):
            asset.read(slice(0, 48), slice(0, 48), (1, 2), 1)


@pytest.mark.parametrize("n_rows", [0, 31, 32, 33, 5000])
def test_a_tile_that_unpacks_to_more_or_less_than_it_should_is_damaged(n_rows):
    content = file_of(PIXELS[:1], compress="deflate", **TILES)
    layout = layout_of(lambda start, stop: content[start:stop], 0)
    found = unpacked(zlib.compress(bytes(64 * n_rows)), layout, 0)
    assert (found is not None) == (n_rows == 32)


def test_the_last_strip_may_be_filled_up_like_all_others():
    content = file_of(PIXELS[:1, :50, :], compress="deflate", blockysize=32)
    layout = layout_of(lambda start, stop: content[start:stop], 0)
    shapes = {rows: unpacked(zlib.compress(bytes(192 * rows)), layout, 1) for rows in (17, 18, 19, 32)}
    assert {rows: found is not None for rows, found in shapes.items()} == {17: False, 18: True, 19: False, 32: True}


BENT = {
    form: file_of(PIXELS[:, :40, :40], compress="deflate", overviews=(2,), BIGTIFF=form, **TILES)
    for form in ("YES", "NO")
}


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(BENT)))
def test_no_directory_however_bent_is_an_error_or_takes_long(data, bigtiff):
    content = bytearray(BENT[bigtiff])
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=6)):
        content[min(place, len(content) - 1)] = value
    read = Told(bytes(content))
    for level in (0, 1, 9):
        found = layout_of(read, level)
        assert found is None or found.down * found.across * found.bands // found.bands_together == len(found.starts)
    assert len(read.asked) < 9000
