"""The map's GeoTIFF: opened again, it is where and what it should be."""

import subprocess
import sys

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.io import MemoryFile

from terrashot.raster.cog import PixelGrid, cog_bytes, footprint_owners, lattice_owners

GRID = PixelGrid(32632, 500_000.0, 5_000_000.0, 640.0, 640.0, 600, 300)


def bands():
    values = np.random.default_rng(0).random((2, 300, 600)).astype(np.float32)
    values[:, :40] = np.nan
    return values


def test_pixels_place_names_and_no_data_come_back():
    with MemoryFile(cog_bytes(GRID, bands(), ("probability", "distance"))) as memory, memory.open() as file:
        np.testing.assert_array_equal(file.read(), bands())
        assert file.crs.to_epsg() == 32632 and file.dtypes == ("float32", "float32")
        assert file.bounds == (500_000.0, 5_000_000.0 - 300 * 640, 500_000.0 + 600 * 640, 5_000_000.0)
        assert np.isnan(file.nodata) and file.descriptions == ("probability", "distance")


def test_it_is_laid_out_for_the_cloud():
    with MemoryFile(cog_bytes(GRID, bands(), ("a", "b"))) as memory:
        with memory.open() as file:
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert file.block_shapes == [(256, 256)] * 2 and file.compression.name == "deflate"
            assert file.overviews(1) == [2, 4]
        with memory.open(overview_level=0) as half:
            ours = half.read(1)
            # Means of four pixels; where there is no data among them, of the others.
            np.testing.assert_allclose(ours[30, 10], bands()[0, 60:62, 20:22].mean(), rtol=1e-6)
            assert np.isnan(ours[:20]).all() and not np.isnan(ours[20:]).any()


def test_the_same_bands_give_the_same_bytes():
    assert cog_bytes(GRID, bands(), ("a", "b")) == cog_bytes(GRID, bands(), ("a", "b"))


def test_each_place_of_a_lattice_shows_its_chip():
    grid = PixelGrid(32632, 0, 0, 1, 1, 3, 2)
    assert lattice_owners(grid, np.array([1, 0]), np.array([2, 0])).tolist() == [[1, -1, -1], [-1, -1, 0]]


def test_a_pixel_shows_the_chip_that_covers_its_centre():
    grid = PixelGrid(4326, 10.0, 50.0, 0.5, 0.25, 4, 2)
    footprints = np.array([shapely.box(10, 49.75, 10.5, 50), shapely.box(11.1, 49.5, 11.6, 49.75)], dtype=object)
    assert footprint_owners(grid, footprints).tolist() == [[0, -1, -1, -1], [-1, -1, 1, -1]]


@pytest.mark.parametrize("n_bands", [1, 5])
def test_any_number_of_bands_is_written(n_bands):
    values = np.zeros((n_bands, 300, 600), np.float32)
    with MemoryFile(cog_bytes(GRID, values, [str(i) for i in range(n_bands)])) as memory, rasterio.open(memory) as file:
        assert file.count == n_bands


def test_without_rasterio_the_pip_line_is_named():
    code = "import sys; sys.modules['rasterio'] = None; from terrashot.raster.cog import need_rasterio; need_rasterio()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (
        ended.returncode == 1
        and 'MissingExtraError: writing a GeoTIFF map needs: pip install "terrashot[raster]"' in ended.stderr
    )
