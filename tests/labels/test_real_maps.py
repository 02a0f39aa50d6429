"""Real maps against a slow computation of every cell: WorldCover, GHS-BUILT-S, JRC surface water."""

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from made_maps import cells_around, read_off, slowly, taken_of  # noqa: E402

from terrashot.domain.reference_maps import PRODUCTS  # noqa: E402

LAND = ((40,), (80,), (10,))


@pytest.fixture
def land_cover(shared_data):
    return shared_data / "worldcover-2020-N00E006" / "ESA_WorldCover_10m_2020_v100_N00E006_Map.tif"


def assert_land_is_as_counted_slowly(found, path, ground):
    for target, classes in enumerate(LAND):
        expected = slowly(path, ground, lambda p, classes=classes: (p != 0, np.isin(p, classes)))
        np.testing.assert_allclose(found.valid, expected[:, 0], atol=1e-6)
        np.testing.assert_allclose(found.means[:, target], expected[:, 1], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("lon", "lat", "zones_east"), [(6.6, 0.38, 0), (6.6, 0.38, 1), (6.19, 0.41, 0)])
def test_land_cover_of_an_island_and_of_the_open_sea_in_two_zones(land_cover, lon, lat, zones_east):
    """Sao Tome; the open sea has no data, the sea near the shore is water."""
    ground = cells_around(lon, lat, 3, 1280.0, zones_east=zones_east)
    found = read_off([land_cover], ground, taken_of(*LAND, product=PRODUCTS["worldcover-2020"]))
    assert found.valid.max() == pytest.approx(1) and (lon > 6.2 or found.valid.min() < 0.9)
    assert_land_is_as_counted_slowly(found, land_cover, ground)


def test_a_real_tile_that_is_cut_in_two_gives_the_same_across_the_cut(land_cover, tmp_path):
    ground = cells_around(6.6, 0.3, 2, 640.0)
    with rasterio.open(land_cover) as file:
        profile = dict(file.profile, width=400, height=400)
        row, col = 32_200, 7_100
        profile.pop("blockxsize"), profile.pop("blockysize"), profile.update(tiled=False)
        for name, start, width in (("west", 0, 173), ("east", 173, 227)):
            window = rasterio.windows.Window(col + start, row, width, 400)
            profile.update(width=width, transform=file.window_transform(window))
            with rasterio.open(tmp_path / f"{name}.tif", "w", **profile) as part:
                part.write(file.read(1, window=window), 1)
    halves = [tmp_path / "west.tif", tmp_path / "east.tif"]
    found = read_off(halves, ground, taken_of(*LAND, product=PRODUCTS["worldcover-2020"]))
    whole = read_off([land_cover], ground, taken_of(*LAND, product=PRODUCTS["worldcover-2020"]))
    inside = found.valid > 1 - 1e-9
    assert inside.any()
    np.testing.assert_allclose(found.means[inside], whole.means[inside], atol=1e-9)
    assert_land_is_as_counted_slowly(whole, land_cover, ground)


def test_built_up_surface_of_havana_in_mollweide(shared_data):
    (path,) = (shared_data / "ghs-built-s-2020-cuba").glob("*.tif")
    ground = cells_around(-82.42, 23.17, 4, 4480.0)
    found = read_off([path], ground, taken_of(None, product=PRODUCTS["ghs-built-s"]))
    expected = slowly(path, ground, lambda p: (p != 65535, p / 10_000))
    np.testing.assert_allclose(found.valid, expected[:, 0], atol=1e-6)
    np.testing.assert_allclose(found.means[:, 0], expected[:, 1], atol=1e-6)
    assert found.valid.min() < 0.9 and found.means[:, 0].max() > 0.1


def test_surface_water_that_leaves_part_of_a_chip_unknown(shared_data):
    path = shared_data / "jrc-gsw-clip" / "occurrence.tif"
    ground = cells_around(-55.75, -15.03, 3, 1280.0)
    found = read_off([path], ground, taken_of(None, product=PRODUCTS["jrc-gsw-occurrence"]))
    expected = slowly(path, ground, lambda p: (p != 255, p / 100))
    np.testing.assert_allclose(found.valid, expected[:, 0], atol=1e-6)
    np.testing.assert_allclose(found.means[:, 0], expected[:, 1], atol=1e-6)
    assert found.valid.min() < 0.9
