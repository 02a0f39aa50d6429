"""Files far away, opened by name: within limits, from several threads and processes, on loopback."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from affine import Affine  # noqa: E402
from faults.server import FaultServer  # noqa: E402

from terrashot.errors import InputError, NetworkError  # noqa: E402
from terrashot.ingest.far_files import FarFiles  # noqa: E402
from terrashot.remote.budget import Limits  # noqa: E402
from terrashot.remote.profiles import Plane  # noqa: E402

PIXELS = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("far") / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=64, height=64, count=1, dtype="uint16", crs="EPSG:32629",
        transform=Affine(10, 0, 500_000, 0, -10, 4_000_000),
    ) as file:  # fmt: skip
        file.write(PIXELS, 1)
    return path.read_bytes()


def plane(url):
    return Plane(url, 1, None, None, None, None, None, None, None)


def total(files, url, _=0):
    with files(plane(url)) as asset:
        return int(asset.read(slice(0, 64), slice(0, 64)).pixels.astype(np.int64).sum())


def files_of(server, **limits):
    return FarFiles(allowed_hosts=server.rules.allowed_hosts, limits=Limits(**limits))


def test_threads_and_processes_read_the_same_through_lines_of_their_own(content):
    with FaultServer({"/a.tif": content}, lambda number: "") as server:
        read = partial(total, files_of(server), server.url("/a.tif"))
        with ThreadPoolExecutor(4) as threads, ProcessPoolExecutor(2, get_context("fork")) as processes:
            found = [read(), *threads.map(read, range(8)), *processes.map(read, range(4))]
    assert set(found) == {int(PIXELS.astype(np.int64).sum())}


def test_each_file_has_a_budget_of_its_own_and_one_that_is_spent_is_a_network_error_with_its_name(content):
    with FaultServer({"/a.tif": content}, lambda number: "") as server:
        for _ in range(3):
            assert total(files_of(server, max_bytes=3 * 65_536), server.url("/a.tif"))
        with pytest.raises(NetworkError, match=r"a\.tif"):
            total(files_of(server, max_bytes=40_000), server.url("/a.tif"))


def test_a_host_that_is_not_public_is_asked_only_where_it_is_allowed(content):
    with FaultServer({"/a.tif": content}, lambda number: "") as server:
        with pytest.raises(NetworkError):
            total(FarFiles(), server.url("/a.tif"))
        assert server.seen == []


def test_files_that_need_an_account_are_refused_with_what_to_do():
    with pytest.raises(InputError, match="account"):
        total(FarFiles(signing="login"), "https://example.com/a.tif")
