"""Threads take turns in GDAL, and none of them keeps its turn while it waits for the network."""

import threading

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")

from terrashot.raster.asset import open_asset  # noqa: E402
from terrashot.raster.turn import in_gdal  # noqa: E402
from terrashot.remote.file import Blocks  # noqa: E402


class Held:
    """A file whose bytes come once the gate is open."""

    name = "held"

    def __init__(self, content, gate=None):
        self.content, self.gate, self.asked = content, gate, threading.Event()

    @property
    def size(self):
        return len(self.content)

    def read_into(self, room, start):
        self.asked.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        found = self.content[start : start + len(room)]
        room[: len(found)] = found
        return len(found)


@pytest.fixture
def content(tmp_path):
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", width=8, height=8, count=1, dtype="uint8") as file:
        file.write(np.arange(64, dtype=np.uint8).reshape(1, 8, 8))
    return (tmp_path / "a.tif").read_bytes()


def total(ranges):
    with open_asset(Blocks(ranges)) as asset:
        return int(asset.read(slice(0, 8), slice(0, 8)).pixels.sum())


def started(target, *args):
    found = []
    thread = threading.Thread(target=lambda: found.append(target(*args)), daemon=True)
    thread.start()
    return thread, found


def test_while_one_thread_waits_for_bytes_another_reads_its_file(content):
    slow = Held(content, threading.Event())
    thread, found = started(total, slow)
    assert slow.asked.wait(10)
    assert total(Held(content)) == 2016 and found == []
    slow.gate.set()
    thread.join(10)
    assert found == [2016]


def test_no_file_is_opened_while_another_thread_is_in_gdal(content):
    file = Held(content)
    with in_gdal():
        thread, found = started(total, file)
        assert not file.asked.wait(0.2)
    thread.join(10)
    assert found == [2016]
