"""One optical delivery on a chip's lattice: made files with known numbers, and the real tile near and far."""

import random
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from affine import Affine  # noqa: E402
from faults.server import FaultServer, SkippingClock  # noqa: E402

from near_files import NearFiles  # noqa: E402
from stac_items import of_baseline, small_item, stac_json  # noqa: E402
from terrashot.errors import InputError  # noqa: E402
from terrashot.ingest.optical_delivery import checked_offset, see_optical  # noqa: E402
from terrashot.raster.asset import open_asset  # noqa: E402
from terrashot.raster.place import RasterPlace  # noqa: E402
from terrashot.remote.budget import Budget, Limits  # noqa: E402
from terrashot.remote.client import Client  # noqa: E402
from terrashot.remote.file import Blocks  # noqa: E402
from terrashot.remote.profiles import profile_of  # noqa: E402
from terrashot.remote.ranges import RemoteRanges  # noqa: E402
from terrashot.remote.stac_item import acquisition_of  # noqa: E402

PROFILE = profile_of("earth-search/sentinel-2-l2a")
WEST, NORTH, SIDE = 500_000, 4_000_000, 80
VEGETATION, BARE, CLOUD = 4, 5, 9


def write(path, pixels, pixel_m):
    with rasterio.open(
        path, "w", driver="GTiff", width=pixels.shape[1], height=pixels.shape[0], count=1, dtype=pixels.dtype, nodata=0,
        crs="EPSG:32629", transform=Affine(pixel_m, 0, WEST, 0, -pixel_m, NORTH), tiled=True, blockxsize=16, blockysize=16,
    ) as file:  # fmt: skip
        file.write(pixels, 1)


@pytest.fixture
def scene(tmp_path):
    """Red of 10 m that counts its pixels from 2,000 on, and classes of 20 m: clear land but one clouded square."""
    red = (2000 + np.arange(SIDE * SIDE).reshape(SIDE, SIDE)).astype(np.uint16)
    classes = np.full((SIDE // 2, SIDE // 2), VEGETATION, np.uint8)
    classes[10:15, 10:15] = CLOUD
    write(tmp_path / "B04.tif", red, 10)
    write(tmp_path / "SCL.tif", classes, 20)
    return tmp_path, red, classes


def chip_over(row, col, side_px, pixel_m=10):
    """A chip of the zone whose lattice is that of the files, whose first pixel is theirs of that row and column."""
    return RasterPlace("EPSG:32629", (pixel_m, 0.0, WEST + col * 10, 0.0, -pixel_m, NORTH - row * 10), side_px, side_px)


def seen(scene, target, item=None, kinds=("red",)):
    acquisition = acquisition_of(item or small_item())
    offset = checked_offset(acquisition, PROFILE, NearFiles(scene[0]))
    return see_optical(acquisition, PROFILE, kinds, target, offset=offset, open_plane=NearFiles(scene[0]))


def test_on_the_sensors_own_lattice_reflectance_is_the_number_over_ten_thousand_and_cloud_is_no_data(scene):
    found = seen(scene, chip_over(12, 16, 30))
    expected = scene[1][12:42, 16:46].astype(np.float32) / np.float32(10_000)
    expected[8:18, 4:14] = np.nan
    np.testing.assert_array_equal(found.values[0], expected)
    assert found.why_empty == (None,)


def test_from_baseline_4_on_a_thousand_is_subtracted_first(scene):
    red = scene[1] + np.uint16(1000)
    write(scene[0] / "B04.tif", red, 10)
    before = seen(scene, chip_over(12, 16, 30)).values - np.float32(0.1)
    after = seen(scene, chip_over(12, 16, 30), of_baseline(small_item(), "04.00"))
    np.testing.assert_allclose(after.values, before, atol=1e-6)


def test_an_offset_that_the_scenes_dark_land_shows_to_be_applied_already_is_not_applied_twice(scene):
    write(scene[0] / "B04.tif", (scene[1] // 10).astype(np.uint16), 10)
    acquisition = acquisition_of(of_baseline(small_item(), "05.00"))
    offset = checked_offset(acquisition, PROFILE, NearFiles(scene[0]))
    assert offset.offset_dn == 0 and offset.harmonised and "applied already" in offset.note


def test_a_chip_beyond_the_file_is_outside_the_swath_and_one_under_cloud_is_all_clouded(scene):
    assert seen(scene, chip_over(500, 500, 8)).why_empty == ("outside the swath",)
    clouded = seen(scene, chip_over(20, 20, 10))
    assert np.isnan(clouded.values).all() and clouded.why_empty == ("all clouded",)


def test_a_chip_with_no_number_in_it_is_outside_the_swath_even_under_cloud(scene):
    red = scene[1].copy()
    red[20:30, 20:30] = 0
    write(scene[0] / "B04.tif", red, 10)
    assert seen(scene, chip_over(20, 20, 10)).why_empty == ("outside the swath",)


def test_clouds_leak_into_no_neighbour_where_pixels_are_averaged(scene):
    red = np.full((SIDE, SIDE), 3000, np.uint16)
    red[20:30, 20:30] = 60_000  # what the cloud looks like
    write(scene[0] / "B04.tif", red, 10)
    shown = seen(scene, chip_over(0, 0, 20, pixel_m=40)).values[0]
    np.testing.assert_allclose(shown[~np.isnan(shown)], 0.3, atol=1e-6)
    assert np.isnan(shown).sum() >= 4


def test_a_channel_that_the_item_lacks_is_named(scene):
    with pytest.raises(InputError, match="S2A_29RKH_20200219_0_L2A: has no asset for nir"):
        seen(scene, chip_over(0, 0, 8), kinds=("nir",))


def test_the_real_tile_on_a_chip_is_the_same_near_and_far_and_what_plain_arrays_give(shared_data):
    folder = Path(shared_data) / "earthsearch-v1-s2-29RKH"
    acquisition = acquisition_of(stac_json(Path(shared_data), "earth-search-v1_s2-l2a_pb0214.json"))
    files = {f"/{name}.tif": (folder / f"{name}.tif").read_bytes() for name in ("B02", "B03", "B04", "SCL")}
    with rasterio.open(folder / "B04.tif") as file:
        transform, numbers = file.transform, file.read(1)
    west, north = transform.c + 300 * transform.a, transform.f + 200 * transform.e
    target = RasterPlace("EPSG:32629", (transform.a, 0.0, west, 0.0, transform.e, north), 64, 64)
    found = []
    with FaultServer(files, lambda number: "503" if number == 3 else "") as server:

        @contextmanager
        def far(plane):
            budget = Budget(Limits(max_seconds=60), SkippingClock(), random.Random(0))
            url = server.url("/" + plane.href.rsplit("/", 1)[1])
            with open_asset(Blocks(RemoteRanges(url, Client(server.rules), budget))) as asset:
                yield asset

        for open_plane in (NearFiles(folder), far):
            offset = checked_offset(acquisition, PROFILE, open_plane)
            kinds = ("red", "green", "blue")
            found.append(see_optical(acquisition, PROFILE, kinds, target, offset=offset, open_plane=open_plane))
    np.testing.assert_array_equal(found[0].values, found[1].values)
    with rasterio.open(folder / "SCL.tif") as file:
        classes = np.repeat(np.repeat(file.read(1), 2, 0), 2, 1)[200:264, 300:364]
    expected = numbers[200:264, 300:364].astype(np.float32) / np.float32(10_000)
    expected[~np.isin(classes, (2, 4, 5, 6, 7, 11))] = np.nan
    np.testing.assert_array_equal(found[0].values[0], expected)
