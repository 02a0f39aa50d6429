"""Damaged blocks of a packed GeoTIFF are noticed where the file has what tells: its own checksums."""

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from affine import Affine  # noqa: E402
from faults.targets import InMemory  # noqa: E402

from terrashot.errors import InputError  # noqa: E402
from terrashot.raster.asset import open_asset  # noqa: E402
from terrashot.remote.file import Blocks  # noqa: E402

PIXELS = np.random.default_rng(0).integers(0, 900, (2, 96, 96)).astype(np.uint16)
TILES = {"tiled": True, "blockxsize": 32, "blockysize": 32}


def write(path, **form):
    with rasterio.open(
        path, "w", driver="GTiff", width=96, height=96, count=2, dtype="uint16", crs="EPSG:32629",
        transform=Affine(10, 0, 500_000, 0, -10, 4_000_000), **form,
    ) as file:  # fmt: skip
        file.write(PIXELS)
        file.build_overviews([2])
    return path


def read(place, level=0):
    with open_asset(place) as asset:
        side = asset.header(level).width_px
        return asset.read(slice(0, side), slice(0, side), (1, 2), level).pixels


def places_of_blocks(path, bands=(1, 2)):
    with rasterio.open(path) as file:
        return [
            tuple(int(file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=band)) for what in ("OFFSET", "SIZE"))
            for band in bands for row in range(3) for col in range(3)
        ]  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        {"compress": "deflate", **TILES},
        {"compress": "deflate", "interleave": "pixel", **TILES},
        {"compress": "deflate", "predictor": 2, "zlevel": 9},
        {"compress": "lzw", **TILES},
        TILES,
    ],
)
def test_whole_files_of_any_form_are_read_as_they_are(tmp_path, form):
    path = write(tmp_path / "a.tif", **form)
    for place in (path, Blocks(InMemory(path.read_bytes(), "a.tif"))):
        np.testing.assert_array_equal(read(place), PIXELS)
        assert read(place, level=1).shape == (2, 48, 48)


@pytest.mark.parametrize("interleave", ["band", "pixel"])
def test_any_flipped_bit_in_a_packed_block_is_noticed_and_the_file_is_named(tmp_path, interleave):
    path = write(tmp_path / "a.tif", compress="deflate", interleave=interleave, **TILES)
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    blocks = places_of_blocks(path)
    for start, size in (blocks[n] for n in rng.integers(0, len(blocks), 150)):
        content, at = bytearray(whole), start + int(rng.integers(0, size))
        content[at] ^= 1 << int(rng.integers(0, 8))
        with pytest.raises(InputError, match=r"a\.tif"):
            read(Blocks(InMemory(bytes(content), "a.tif")))


def test_only_the_blocks_that_are_read_are_asked(tmp_path):
    path = write(tmp_path / "a.tif", compress="deflate", **TILES)
    start, size = places_of_blocks(path, bands=(1,))[-1]
    content = bytearray(path.read_bytes())
    content[start + size - 1] ^= 1
    path.write_bytes(content)
    with open_asset(path) as asset:
        np.testing.assert_array_equal(asset.read(slice(0, 64), slice(0, 96)).pixels[0], PIXELS[0, :64])
        with pytest.raises(InputError, match=r"a\.tif"):
            asset.read(slice(64, 96), slice(64, 96))


def test_a_flipped_bit_is_noticed_in_blocks_that_are_read_whole_and_in_those_that_are_read_in_part(tmp_path):
    """Of one band and without a predictor, blocks read whole are not unpacked a second time."""
    path = tmp_path / "one.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=90, height=96, count=1, dtype="uint8", crs="EPSG:32629", compress="deflate", **TILES,
        transform=Affine(10, 0, 500_000, 0, -10, 4_000_000),
    ) as file:  # fmt: skip
        file.write((PIXELS[:1, :, :90] // 100).astype(np.uint8))
    content = path.read_bytes()
    with open_asset(path) as asset:
        whole = asset.read(slice(0, 96), slice(0, 90)).pixels
    starts = [start + size // 2 for start, size in places_of_blocks(path, (1,))]
    for at in [*starts, *(start + 9 for start in starts), *(sum(place) - 2 for place in places_of_blocks(path, (1,)))]:
        for cols in (slice(0, 90), slice(1, 90)):
            damaged = bytearray(content)
            damaged[at] ^= 4
            path.write_bytes(damaged)
            try:
                with open_asset(path) as asset:
                    found = asset.read(slice(0, 96), cols).pixels
            except InputError as error:
                assert "one.tif" in str(error)
            else:
                np.testing.assert_array_equal(found, whole[:, :, cols])
