"""Labels read off maps: equal to a slow computation, whatever the map's axes, tiles, borders and no data."""

import itertools

import numpy as np
import pyproj
import pytest

pytest.importorskip("rasterio")
from made_maps import cells_around, read_off, slowly, taken_of, write_map

from terrashot.domain.reference_maps import PRODUCTS
from terrashot.errors import InputError
from terrashot.labels.map_regions import SIDE_PX

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
CLASSES = np.array([0, 10, 40, 80], np.uint8)
LAND = taken_of((40,), (80, 10), nodata=(0.0,))


def noise(shape=(120, 140), seed=0):
    return np.random.default_rng(seed).choice(CLASSES, shape)


def affine_around(ground, crs, pixel, shape, turn_deg=0.0, is_south_up=False):
    """A lattice whose middle is that of the chips."""
    west, south, east, north = ground.edges_m()
    to_map = pyproj.Transformer.from_crs(int(ground.epsg[0]), crs, always_xy=True)
    x, y = to_map.transform((west.min() + east.max()) / 2, (south.min() + north.max()) / 2)
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    a, b, d, e = pixel * cos, -pixel * sin, -pixel * sin, -pixel * cos
    b, e = (-b, -e) if is_south_up else (b, e)
    height, width = shape
    return a, b, x - (a * width + b * height) / 2 + 0.3 * pixel, d, e, y - (d * width + e * height) / 2


def assert_equal_to_the_slow_way(found, path, ground, is_ours=lambda p: (p > 0, p == 40), target=0):
    expected = slowly(path, ground, is_ours)
    np.testing.assert_allclose(found.valid, expected[:, 0], atol=1e-6)
    np.testing.assert_allclose(found.means[:, target], expected[:, 1], atol=1e-6)


@pytest.mark.parametrize(("crs", "pixel", "turn_deg", "is_south_up"), [
    ("EPSG:4326", 0.0001, 0, False), ("EPSG:4326", 0.00025, 0, True), ("ESRI:54009", 20.0, 0, False), (SINUSOIDAL, 15.0, 0, False),
    ("EPSG:32632", 10.0, 0, False), ("EPSG:32633", 13.0, 31, False), ("EPSG:3035", 12.0, 200, True), ("EPSG:2056", 12.0, 0, False),
])  # fmt: skip
def test_any_axes_and_any_way_up_give_what_the_slow_way_gives(tmp_path, crs, pixel, turn_deg, is_south_up):
    ground = cells_around(8.2, 46.9, 2, 320.0)
    path = write_map(
        tmp_path / "map.tif", noise(), affine_around(ground, crs, pixel, (120, 140), turn_deg, is_south_up), crs
    )
    found = read_off([path], ground, LAND)
    assert (found.valid > 0.5).all()
    assert_equal_to_the_slow_way(found, path, ground)
    assert_equal_to_the_slow_way(found, path, ground, lambda p: (p > 0, (p == 80) | (p == 10)), target=1)


def test_a_chip_across_borders_of_tiles_is_that_of_the_whole_map(tmp_path):
    ground = cells_around(8.2, 46.9, 2, 320.0)
    pixels, affine = noise(), affine_around(ground, "EPSG:4326", 0.0001, (120, 140))
    whole = read_off([write_map(tmp_path / "whole.tif", pixels, affine, "EPSG:4326")], ground, LAND)
    a, b, c, d, e, f = affine
    tiles = [
        write_map(
            tmp_path / f"{row}-{col}.tif",
            pixels[row : row + 47, col : col + 61],
            (a, b, c + a * col, d, e, f + e * row),
            "EPSG:4326",
        )
        for row, col in itertools.product(range(0, 120, 47), range(0, 140, 61))
    ]
    found = read_off(tiles, ground, LAND)
    np.testing.assert_allclose(found.valid, whole.valid, atol=1e-9)
    np.testing.assert_allclose(found.means, whole.means, atol=1e-9)


def test_ground_that_several_tiles_show_counts_once_and_the_first_by_name_decides(tmp_path):
    ground = cells_around(8.2, 46.9, 2, 320.0)
    affine = affine_around(ground, "EPSG:4326", 0.0001, (120, 140))
    a, b, c, d, e, f = affine
    first = write_map(tmp_path / "a.tif", np.full((120, 71), 40, np.uint8), affine, "EPSG:4326")
    again = write_map(tmp_path / "b.tif", np.full((120, 71), 80, np.uint8), affine, "EPSG:4326")
    rest = write_map(tmp_path / "c.tif", np.full((120, 100), 80, np.uint8), (a, b, c + 40 * a, d, e, f), "EPSG:4326")
    expected = np.where(np.arange(140) < 71, 40, 80).astype(np.uint8)[None].repeat(120, 0)
    whole = write_map(tmp_path / "whole.tif", expected, affine, "EPSG:4326")
    found, alone = read_off([rest, again, first], ground, LAND), read_off([whole], ground, LAND)
    np.testing.assert_allclose(found.valid, 1, atol=1e-6)
    np.testing.assert_allclose(found.means, alone.means, atol=1e-6)


def test_tiles_in_neighbouring_zones_count_their_common_ground_once(tmp_path):
    ground = cells_around(5.99995, 46.9, 1, 320.0)
    paths = [
        write_map(
            tmp_path / f"{epsg}.tif",
            np.full((80, 80), 40, np.uint8),
            affine_around(ground, f"EPSG:{epsg}", 10.0, (80, 80)),
            f"EPSG:{epsg}",
        )
        for epsg in (32631, 32632)
    ]
    found = read_off(paths, ground, LAND)
    np.testing.assert_allclose(found.valid, 1, atol=1e-6)
    np.testing.assert_allclose(found.means[:, 0], 1, atol=1e-12)


@pytest.mark.parametrize("crs", ["EPSG:4326", "ESRI:54009"])
def test_a_chip_across_the_antimeridian_is_read_on_both_sides(tmp_path, crs):
    ground = cells_around(179.9995, -16.5, 1, 640.0)
    ground_east = cells_around(179.9995, -16.5, 1, 640.0, zones_east=1)
    edge, pixel = (180.0, 0.0001) if crs == "EPSG:4326" else (None, 10.0)
    to_map = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    paths = []
    for name, lon, value in (("east", 179.97, 40), ("west", -180.0, 80)):
        x, y = to_map.transform(lon, -16.47)
        width = 300 if edge else 330
        x = x if name == "east" or edge else x - 200  # ground beyond the map's own edge, which no chip has
        paths.append(
            write_map(
                tmp_path / f"{name}.tif", np.full((700, width), value, np.uint8), (pixel, 0, x, 0, -pixel, y), crs
            )
        )
    for each in (ground, ground_east):
        found = read_off(paths, each, LAND)
        np.testing.assert_allclose(found.valid, 1, atol=1e-4)
        assert 0.05 < found.means[0, 0] < 0.95
        np.testing.assert_allclose(found.means.sum(), 1, atol=1e-6)


def test_a_map_of_the_whole_globe_has_no_edge_in_degrees(tmp_path):
    path = write_map(tmp_path / "globe.tif", np.full((180, 360), 40, np.uint8), (1, 0, -180, 0, -1, 90), "EPSG:4326")
    for lon in (179.9995, -179.99, 0.0):
        assert read_off([path], cells_around(lon, 10.0, 1, 4480.0), LAND).valid == pytest.approx(1)


def test_sea_and_ground_beyond_the_map_are_not_valid_and_a_minimum_takes_the_label_away(tmp_path):
    ground = cells_around(8.2, 46.9, 2, 320.0)
    pixels = np.full((120, 140), 40, np.uint8)
    pixels[:, 66:] = 0
    path = write_map(tmp_path / "map.tif", pixels, affine_around(ground, "EPSG:4326", 0.0001, (120, 140)), "EPSG:4326")
    found = read_off([path], ground, LAND)
    assert_equal_to_the_slow_way(found, path, ground)
    assert found.valid.min() < 0.9 < found.valid.max()
    labels = found.labels(0.9, 0)
    assert (np.isnan(labels) == (found.valid < 0.9)).all()
    assert not np.isnan(found.labels(0.0, 0)[found.valid > 0]).any()


def test_numbers_of_any_type_are_scaled_and_no_data_of_every_kind_is_left_out(tmp_path):
    ground = cells_around(8.2, 46.9, 2, 320.0)
    affine = affine_around(ground, "EPSG:32632", 10.0, (80, 80))
    for dtype, missing in (
        ("float32", np.nan),
        ("float32", -9999),
        ("int16", -9999),
        ("uint8", 253),
        ("int32", 1 << 20),
        ("float64", -1e30),
    ):
        pixels = np.random.default_rng(3).integers(0, 100, (80, 80)).astype(dtype)
        pixels[:, ::7] = missing
        pixels[::9] = 99
        path = write_map(tmp_path / "map.tif", pixels, affine, "EPSG:32632", nodata=missing)
        found = read_off([path], ground, taken_of(None, nodata=(99.0,), scale=0.5, offset=2.0))
        lost = (lambda p: np.isnan(p)) if np.isnan(missing) else (lambda p, own=missing: p == np.array(own, p.dtype))
        assert_equal_to_the_slow_way(found, path, ground, lambda p, lost=lost: (~lost(p) & (p != 99), p * 0.5 + 2.0))


def test_classes_of_more_than_a_byte_are_counted_too(tmp_path):
    ground = cells_around(8.2, 46.9, 2, 320.0)
    affine = affine_around(ground, "EPSG:32632", 10.0, (80, 80))
    pixels = np.random.default_rng(3).choice(np.array([-1, 311, 312, 30_000], np.int16), (80, 80))
    path = write_map(tmp_path / "map.tif", pixels, affine, "EPSG:32632", nodata=-1)
    found = read_off([path], ground, taken_of((311, 312), (7,)))
    assert_equal_to_the_slow_way(found, path, ground, lambda p: (p != -1, (p == 311) | (p == 312)))
    assert (found.means[:, 1] == 0).all()


def test_square_metres_of_built_up_ground_become_shares_and_percents_of_trees_too(tmp_path):
    ground = cells_around(8.2, 46.9, 2, 640.0)
    affine = affine_around(ground, "ESRI:54009", 100.0, (30, 30))
    pixels = np.random.default_rng(3).integers(0, 10_001, (30, 30)).astype(np.uint16)
    pixels[4:6] = 65535
    path = write_map(tmp_path / "built.tif", pixels, affine, "ESRI:54009")
    found = read_off([path], ground, taken_of(None, product=PRODUCTS["ghs-built-s"]))
    assert_equal_to_the_slow_way(found, path, ground, lambda p: (p < 65535, p / 10_000))
    trees = np.random.default_rng(3).choice(np.array([0, 30, 100, 200, 253], np.uint8), (30, 30))
    path = write_map(tmp_path / "trees.tif", trees, affine, "ESRI:54009")
    found = read_off([path], ground, taken_of(None, product=PRODUCTS["mod44b-tree-cover"]))
    assert_equal_to_the_slow_way(found, path, ground, lambda p: (p <= 100, p / 100))


@pytest.mark.parametrize(("product", "value", "dtype"), [
    ("worldcover-2020", 7, "uint8"), ("mod44b-tree-cover", 150, "uint8"), ("jrc-gsw-occurrence", 101, "uint8"),
    ("ghs-built-s", 10_500, "uint16"), ("worldcover-2021", 7, "int16"),
])  # fmt: skip
def test_a_file_with_numbers_that_a_product_does_not_have_is_refused_by_name(tmp_path, product, value, dtype):
    ground = cells_around(8.2, 46.9, 1, 640.0)
    path = write_map(
        tmp_path / "map.tif",
        np.full((30, 30), value, dtype),
        affine_around(ground, "ESRI:54009", 100.0, (30, 30)),
        "ESRI:54009",
    )
    classes = (40,) if PRODUCTS[product].legend else None
    with pytest.raises(InputError, match=r"map\.tif: holds .* is it another map"):
        read_off([path], ground, taken_of(classes, product=PRODUCTS[product]))


def test_built_up_ground_in_degrees_and_maps_of_other_places_are_refused(tmp_path):
    ground = cells_around(8.2, 46.9, 1, 640.0)
    path = write_map(
        tmp_path / "map.tif",
        np.full((30, 30), 5, np.uint16),
        affine_around(ground, "EPSG:4326", 0.001, (30, 30)),
        "EPSG:4326",
    )
    with pytest.raises(InputError, match="Mollweide"):
        read_off([path], ground, taken_of(None, product=PRODUCTS["ghs-built-s"]))
    with pytest.raises(InputError, match=r"nothing of any chip .map\.tif"):
        read_off([path], cells_around(20.0, 46.9, 1, 640.0), taken_of(None))


def test_a_map_without_a_coordinate_system_or_lattice_is_refused_and_one_with_a_wrong_one_is_of_another_place(tmp_path):
    ground = cells_around(8.2, 46.9, 1, 320.0)
    affine = affine_around(ground, "EPSG:32632", 10.0, (80, 80))
    with pytest.raises(InputError, match=r"map\.tif.*no coordinate system"):
        read_off([write_map(tmp_path / "map.tif", noise(), affine, None)], ground, LAND)
    for crs in ("EPSG:32633", "EPSG:32732", "EPSG:2193"):
        with pytest.raises(InputError, match="nothing of any chip"):
            read_off([write_map(tmp_path / "map.tif", noise(), affine, crs)], ground, LAND)


@pytest.mark.parametrize("way", [{"compress": "deflate", "tiled": True}, {"compress": "deflate"}, {"compress": "lzw"}])
def test_chips_on_several_pieces_of_a_tile_are_those_of_a_tile_cut_elsewhere(tmp_path, way):
    pixels, affine = noise((60, 2 * SIDE_PX)), (0.0001, 0, 8.0, 0, -0.0001, 46.9)
    ground = cells_around(8.0 + 0.0001 * SIDE_PX, 46.8985, 1, 320.0)
    at = SIDE_PX - 300
    cut = write_map(tmp_path / "cut.tif", pixels[:, at:], (0.0001, 0, 8.0 + 0.0001 * at, *affine[3:]), "EPSG:4326")
    whole = write_map(tmp_path / "whole.tif", pixels, affine, "EPSG:4326", **way)
    found, alone = read_off([whole], ground, LAND), read_off([cut], ground, LAND)
    np.testing.assert_allclose(found.valid, alone.valid, atol=1e-9)
    np.testing.assert_allclose(found.means, alone.means, atol=1e-9)


def test_a_label_does_not_depend_on_which_chips_are_read_beside_it(tmp_path):
    ground = cells_around(8.2, 46.9, 5, 80.0)
    path = write_map(tmp_path / "map.tif", noise(), affine_around(ground, "EPSG:4326", 0.0001, (120, 140)), "EPSG:4326")
    together = read_off([path], ground, LAND)
    alone = [read_off([path], ground.take(np.array([chip])), LAND) for chip in range(0, len(ground), 6)]
    np.testing.assert_allclose(together.valid[::6], np.concatenate([each.valid for each in alone]), atol=1e-9)
    np.testing.assert_allclose(together.means[::6], np.concatenate([each.means for each in alone]), atol=1e-9)
