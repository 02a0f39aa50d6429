"""Windows of a GeoTIFF, near and far: the same pixels, only what is asked for, nothing held before it is checked."""

import random
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from faults.answers import FAULTS
from faults.server import FaultServer, SkippingClock
from rasterio.transform import Affine

from terrashot.errors import InputError, NetworkError
from terrashot.raster.asset import PixelLimits, open_asset
from terrashot.raster.place import RasterPlace
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.file import Blocks
from terrashot.remote.ranges import Access, RemoteRanges

PIXELS = np.random.default_rng(0).integers(1, 9000, (2, 300, 260), dtype=np.uint16)


@pytest.fixture(scope="module")
def cog(tmp_path_factory):
    """Two bands in tiles of 64 px, an overview, no-data, a scale and an offset."""
    path = tmp_path_factory.mktemp("cog") / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=260, height=300, count=2, dtype="uint16", nodata=0, crs="EPSG:32629", tiled=True, blockxsize=64,
        blockysize=64, compress="deflate", transform=Affine(10, 0, 500_000, 0, -10, 4_000_000),
    ) as file:  # fmt: skip
        file.write(PIXELS)
        file.build_overviews([2, 4])
        file.scales, file.offsets = (1e-4, 1e-4), (-0.1, -0.1)
        file.descriptions = ("red", "nir")
    return path


def blocks_of(server, path="/a.tif", limits=Limits(max_seconds=60), access=Access()):
    budget = Budget(limits, SkippingClock(), random.Random(0))
    return Blocks(RemoteRanges(server.url(path), Client(server.rules), budget, access), block_bytes=4096)


def assert_is_the_cog(place):
    with open_asset(place) as asset:
        header = asset.header()
        assert (header.width_px, header.height_px, header.bands, header.dtype) == (260, 300, 2, "uint16")
        assert (header.crs, header.nodata, header.overviews) == ("EPSG:32629", 0.0, (2, 4))
        assert (header.scales, header.offsets, header.names) == ((1e-4, 1e-4), (-0.1, -0.1), ("red", "nir"))
        window = asset.read(slice(100, 190), slice(30, 77), (2, 1))
        np.testing.assert_array_equal(window.pixels, PIXELS[[1, 0], 100:190, 30:77])
        assert window.affine == (10, 0, 500_300, 0, -10, 3_999_000)
        assert window.place == RasterPlace("EPSG:32629", window.affine, 47, 90)
        assert header.place.bounds == (500_000, 3_997_000, 502_600, 4_000_000)


def test_a_near_and_a_far_file_give_the_same_window(cog):
    assert_is_the_cog(cog)
    with FaultServer({"/a.tif": cog.read_bytes()}) as server:
        assert_is_the_cog(blocks_of(server))


def test_only_the_blocks_of_the_window_are_fetched(cog):
    content = cog.read_bytes()
    with FaultServer({"/a.tif": content}) as server:
        blocks = blocks_of(server)
        with open_asset(blocks) as asset:
            asset.read(slice(0, 10), slice(0, 10))
        assert blocks.ranges.budget.received_bytes < len(content) / 4
        assert len(server.seen) <= 6


def test_files_that_are_open_at_once_in_several_threads_are_not_mixed_up(cog):
    other = cog.with_name("other.tif")
    with rasterio.open(cog) as file, rasterio.open(other, "w", **file.profile) as copy:
        copy.write(PIXELS[:, ::-1])

    def read(path):
        blocks = blocks_of(server, path)
        with open_asset(blocks) as asset:
            windows = [asset.read(slice(row, row + 60), slice(0, 260), (1,)).pixels[0] for row in range(0, 300, 60)]
        return np.concatenate(windows)

    with (
        FaultServer({"/a.tif": cog.read_bytes(), "/b.tif": other.read_bytes()}) as server,
        ThreadPoolExecutor(4) as pool,
    ):
        found = list(pool.map(read, ["/a.tif", "/b.tif"] * 6))
    for number, pixels in enumerate(found):
        np.testing.assert_array_equal(pixels, PIXELS[0, ::-1] if number % 2 else PIXELS[0])


def test_a_coarser_level_is_an_overview_with_its_own_lattice(cog):
    with open_asset(cog) as asset:
        levels = {pixel: asset.header().level_of(pixel) for pixel in (5.0, 10.0, 19.9, 20.0, 39.0, 40.0, 1000.0)}
        assert levels == {5.0: 0, 10.0: 0, 19.9: 0, 20.0: 1, 39.0: 1, 40.0: 2, 1000.0: 2}
        header = asset.header(2)
        assert (header.width_px, header.height_px, header.affine[:2]) == (65, 75, (40, 0))
        with rasterio.open(cog, overview_level=1) as file:
            wanted = file.read(1, window=((10, 30), (0, 20)))
        window = asset.read(slice(10, 30), slice(0, 20), level=2)
        np.testing.assert_array_equal(window.pixels[0], wanted)
        assert window.affine == (40, 0, 500_000, 0, -40, 4_000_000 - 400)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_on_the_way_gives_exact_pixels_or_a_network_error_and_never_a_tale_of_a_damaged_file(cog, fault, capfd):
    limits = Limits(
        max_attempts=3, max_seconds=0.5 if "now and then" in fault else 60, stall_s=0.1 if "hang" in fault else 5
    )
    for hits in ({1}, set(range(1, 99))):
        with FaultServer(
            {"/a.tif": cog.read_bytes()}, lambda n, hits=hits: fault if n in hits else "", elsewhere="ftp://x"
        ) as server:
            try:
                assert_is_the_cog(blocks_of(server, limits=limits))
            except NetworkError as error:
                assert str(error).startswith(server.url("/a.tif"))
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.97])
def test_a_file_cut_short_is_an_input_error_that_names_it(cog, share):
    content = cog.read_bytes()
    with FaultServer({"/a.tif": content[: int(share * len(content))]}) as server, pytest.raises(InputError) as raised:
        assert_is_the_cog(blocks_of(server))
    assert str(raised.value).startswith(server.url("/a.tif"))
    assert "vsi" not in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"not a TIFF", b"<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>", b"\x89HDF\r\n\x1a\n" * 9]
)
def test_what_is_no_geotiff_is_refused(content):
    with FaultServer({"/a.tif": content}) as server, pytest.raises(InputError, match="cannot be read as GeoTIFF"):
        assert_is_the_cog(blocks_of(server))


def claims(tmp_path, **profile):
    """A GeoTIFF of some hundred bytes that claims much."""
    path = tmp_path / "claims.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype="uint8",
        SPARSE_OK=True,
        transform=Affine(10, 0, 0, 0, -10, 0),
        **({"count": 1} | profile),
    ):
        pass
    return path


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"width": 300_000, "height": 300_000, "tiled": True}, "claims 1 bands of 300000 x 300000 px"),
        ({"width": 100_000, "height": 100_000, "tiled": True, "blockxsize": 99_840, "blockysize": 99_840}, "claims blocks of 9968025600 pixels"),
    ],
)  # fmt: skip
def test_a_header_that_claims_too_much_is_refused_before_a_pixel_is_held(tmp_path, profile, told):
    path = claims(tmp_path, **profile)
    for far in (False, True):
        with FaultServer({"/a.tif": path.read_bytes()}) as server, pytest.raises(InputError, match=told):
            assert_is_the_cog(blocks_of(server) if far else path)


def test_blocks_that_the_overview_alone_claims_are_refused(cog, tmp_path):
    def entry(tag, number):
        return struct.pack("<HHIH", tag, 3, 1, number)

    # Tile width (tag 322) and length (323) of the directory whose image is 130 px wide (256): 64 px made 65,520.
    bent = bytearray(cog.read_bytes())
    overview = bent.index(entry(256, 130))
    for tag in (322, 323):
        at = bent.index(entry(tag, 64), overview)
        bent[at : at + 10] = entry(tag, 65_520)
    path = tmp_path / "bent.tif"
    path.write_bytes(bent)
    with open_asset(path) as asset, pytest.raises(InputError, match="claims blocks of"):
        asset.header(1)


@pytest.mark.parametrize(
    ("rows", "cols", "bands", "told"),
    [
        (slice(0, 301), slice(0, 1), (1,), "no pixels 0 to 301 of 300"),
        (slice(-1, 5), slice(0, 1), (1,), "no pixels"),
        (slice(5, 5), slice(0, 1), (1,), "no pixels"),
        (slice(0, 1), slice(0, 1), (3,), "has 2 bands, not 3"),
        (slice(0, 1), slice(0, 1), (), "has 2 bands"),
        (slice(0, 300), slice(0, 260), (1, 2), "156000 values wanted"),
    ],
)
def test_a_window_that_is_not_there_or_too_large_is_refused(cog, rows, cols, bands, told):
    with open_asset(cog, PixelLimits(max_window_values=100_000)) as asset, pytest.raises(InputError, match=told):
        asset.read(rows, cols, bands)


def test_a_coordinate_system_that_lies_nowhere_on_the_globe_is_no_place(tmp_path):
    crs = 'LOCAL_CS["a hall",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    with (
        open_asset(claims(tmp_path, width=8, height=8, crs=crs)) as asset,
        pytest.raises(InputError, match=r"\.tif: .*no place on the globe"),
    ):
        _ = asset.header().place


def test_a_file_without_a_coordinate_system_has_no_place(tmp_path):
    with (
        open_asset(claims(tmp_path, width=8, height=8)) as asset,
        pytest.raises(InputError, match="no coordinate system"),
    ):
        _ = asset.header().place


def test_complex_numbers_are_refused(tmp_path):
    path = tmp_path / "c.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=8, height=8, count=1, dtype="complex64", transform=Affine(10, 0, 0, 0, -10, 0)
    ) as file:
        file.write(np.zeros((1, 8, 8), np.complex64))
    with pytest.raises(InputError, match="plain numbers"), open_asset(path):
        pass


def test_nothing_of_the_url_reaches_gdal_or_a_log(cog, caplog):
    caplog.set_level("DEBUG")
    access = Access(lambda url: f"{url}?sig=aVerySecretToken")
    with FaultServer({"/a.tif": cog.read_bytes()}) as server:
        assert_is_the_cog(blocks_of(server, access=access))
        assert "aVerySecretToken" in server.seen[0].path
        assert caplog.text and "aVerySecretToken" not in caplog.text and str(server.port) not in caplog.text


@pytest.mark.parametrize("name", ["B02", "B03", "B04", "B08", "B11", "SCL"])
def test_real_sentinel_2_files_are_read_alike_near_and_far(shared_data, name):
    path = Path(shared_data) / "earthsearch-v1-s2-29RKH" / f"{name}.tif"
    with FaultServer({"/a.tif": path.read_bytes()}, lambda number: "503" if number == 2 else "") as server:
        blocks = blocks_of(server)
        with open_asset(path) as near, open_asset(blocks) as far:
            for level in (0, 1):
                one, other = (asset.read(slice(90, 130), slice(70, 137), level=level) for asset in (near, far))
                np.testing.assert_array_equal(one.pixels, other.pixels)
                assert one.header.affine == other.header.affine and one.affine == other.affine
        assert blocks.ranges.budget.requests <= 12
