"""Pixels pooled to chips: the same as a loop over every cell and every raster, whatever the lattice, zone or border."""

import math
from functools import cache

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from published_files import NORTH, WEST, stored_bytes, write_alphaearth, write_tiff

from terrashot.domain.cells import cells_of, centres_deg, footprints
from terrashot.domain.grid import Grid
from terrashot.domain.tables import Chips
from terrashot.errors import InputError
from terrashot.published import pool_pixels
from terrashot.published.alphaearth import find_tiles
from terrashot.published.ground import Ground, grounds_of
from terrashot.published.pool_pixels import Moments, pool_ground, reaching, same_ground
from terrashot.raster import windows
from terrashot.raster.place import RasterPlace
from terrashot.raster.windows import TiffShelf


def chips(side=4, size_m=80.0, west=WEST, north=NORTH, epsg=32632):
    """Our own chips, `side` x `side` from a corner of their lattice."""
    grid = Grid(epsg, size_m)
    first = grid.chip_at(west + 1, north - 1)
    cells = [grid.chip(first.row + row, first.col + col) for row in range(side) for col in range(side)]
    lon, lat = centres_deg(cells_of(cells))
    outlines = footprints(cells_of(cells))
    nothing = (None,) * len(cells)
    return Chips(tuple(c.id for c in cells), ("a",) * len(cells), nothing, nothing, outlines, lon, lat)


def pooled(table, source, pixel_m=10.0):
    """Mean and spread of each chip, and its valid share."""
    grounds = grounds_of(table, "chips")
    with TiffShelf() as shelf:
        tiles, _ = find_tiles(source, shelf)
        numbers = reaching(grounds, [tile.place for tile in tiles])
        rows = [
            pool_ground(ground, [tiles[n] for n in found], pixel_m, 64)
            for ground, found in zip(grounds, numbers, strict=True)
        ]
    return np.stack([mean for mean, _ in rows]), np.array([share for _, share in rows])


@cache
def moved_from(epsg, crs):
    return pyproj.Transformer.from_crs(epsg, crs, always_xy=True)


def naive_value(file, pixels, x, y, epsg):
    """What one raster shows at one place: a list of 64, or None."""
    moved = moved_from(epsg, file.crs.to_wkt()).transform(x, y)
    col, row = (math.floor(number) for number in ~file.transform @ moved)
    if not (0 <= row < file.height and 0 <= col < file.width):
        return None
    stored = [int(number) for number in pixels[:, row, col]]
    return None if -128 in stored else [math.copysign((abs(s) / 127.5) ** 2, s) for s in stored]


def naive(ground, paths, pixel_m=10.0):
    """The same by a loop over cells and files; files of the chip's own zone first, then by name."""
    files = [rasterio.open(path) for path in sorted(paths)]
    files.sort(key=lambda file: file.crs.to_epsg() != ground.epsg)
    held = [(file, file.read()) for file in files]
    west, south, east, north = ground.bounds_m
    found, cells = [], 0
    for i in range(round((north - south) / pixel_m)):
        for j in range(round((east - west) / pixel_m)):
            x, y = west + (j + 0.5) * pixel_m, north - (i + 0.5) * pixel_m
            if ground.shape is not None and not ground.shape.contains(shapely.Point(x, y)):
                continue
            cells += 1
            shown = (naive_value(file, pixels, x, y, ground.epsg) for file, pixels in held)
            found += [value for value in shown if value is not None][:1]
    return np.concatenate([np.mean(found, axis=0), np.std(found, axis=0)]), len(found) / cells


def assert_as_naive(table, folder, rows):
    means, shares = pooled(table, folder)
    grounds = grounds_of(table, "chips")
    for row in rows:
        expected, share = naive(grounds[row], list(folder.glob("*.tif")))
        np.testing.assert_allclose(means[row], expected, atol=1e-6)
        assert shares[row] == share


def test_pooling_is_a_loop_over_pixels_with_those_that_are_masked_left_out(tmp_path):
    write_alphaearth(tmp_path / "a.tif")
    assert_as_naive(chips(), tmp_path, [0, 5, 15])


def test_a_chip_takes_its_pixels_from_every_file_that_it_lies_across(tmp_path):
    # A border through the first column of chips, and an overlap of 40 m, as neighbouring tiles have.
    write_alphaearth(tmp_path / "a.tif", west=WEST - 600, seed=1)
    write_alphaearth(tmp_path / "b.tif", west=WEST, seed=2)
    assert_as_naive(chips(3, west=WEST - 80), tmp_path, range(3))


def test_files_that_are_closed_in_between_give_the_same(tmp_path, monkeypatch):
    for number in range(3):
        write_alphaearth(tmp_path / f"{number}.tif", west=WEST + 600 * number, seed=number)
    table = chips(4, 320.0)
    kept_open = pooled(table, tmp_path)
    monkeypatch.setattr(windows, "OPEN_AT_ONCE", 1)
    for whole, again in zip(kept_open, pooled(table, tmp_path), strict=True):
        np.testing.assert_array_equal(whole, again)


def test_chips_at_a_border_of_zones_are_filled_from_both(tmp_path):
    # 12 degrees east: the border of zones 32 and 33. The raster in zone 33 lies turned by some degrees to these chips.
    x, y = pyproj.Transformer.from_crs(4326, 32632, always_xy=True).transform(12.0, 47.0)
    west, north = math.floor(x / 80) * 80, math.ceil(y / 80) * 80
    other = pyproj.Transformer.from_crs(32632, 32633, always_xy=True)
    x33, y33 = other.transform(west + 160, north)
    write_alphaearth(tmp_path / "a.tif", 24, west=west - 80, north=north, seed=1)
    write_alphaearth(tmp_path / "b.tif", 48, west=x33 - 213, north=y33 + 117, seed=2, crs="EPSG:32633")
    table = chips(4, west=west, north=north)
    shares = pooled(table, tmp_path)[1]
    assert_as_naive(table, tmp_path, np.flatnonzero(shares > 0.5)[:6])
    assert shares.max() > 0.8


def test_a_raster_in_degrees_is_looked_up_pixel_by_pixel(tmp_path):
    table = chips(2)
    west, south, _, north = shapely.total_bounds(table.footprint)
    write_alphaearth(
        tmp_path / "a.tif", 64, west=west - 1e-4, north=north + 1e-4, pixel=(north - south) / 30, crs="EPSG:4326"
    )
    assert_as_naive(table, tmp_path, range(4))


def test_a_file_that_lies_south_up_gives_what_the_same_file_north_up_gives(tmp_path):
    (tmp_path / "up").mkdir()
    (tmp_path / "down").mkdir()
    write_alphaearth(tmp_path / "up" / "a.tif", south_up=False)
    write_alphaearth(tmp_path / "down" / "a.tif", south_up=True)
    np.testing.assert_array_equal(pooled(chips(), tmp_path / "up")[0], pooled(chips(), tmp_path / "down")[0])


def test_ground_that_two_files_show_counts_once(tmp_path):
    (tmp_path / "cut").mkdir()
    stored = write_alphaearth(tmp_path / "whole.tif")
    write_tiff(tmp_path / "cut" / "a.tif", stored[:, :, :40], nodata=-128)
    write_tiff(tmp_path / "cut" / "b.tif", stored[:, :, 25:], west=WEST + 250, nodata=-128)
    for whole, cut in zip(pooled(chips(8), tmp_path / "whole.tif"), pooled(chips(8), tmp_path / "cut"), strict=True):
        np.testing.assert_allclose(whole, cut, atol=1e-12)


def test_the_size_of_a_strip_changes_nothing_that_matters(tmp_path, monkeypatch):
    write_alphaearth(tmp_path / "a.tif")
    whole = pooled(chips(2, 320.0), tmp_path)
    monkeypatch.setattr(pool_pixels, "NUMBERS_AT_ONCE", 64 * 7)
    strips = pooled(chips(2, 320.0), tmp_path)
    np.testing.assert_allclose(whole[0], strips[0], atol=1e-7)
    np.testing.assert_array_equal(whole[1], strips[1])


def test_other_footprints_take_the_cells_whose_middles_they_hold(tmp_path):
    write_alphaearth(tmp_path / "a.tif")
    west, south, east, north = shapely.total_bounds(chips().footprint)
    triangle = shapely.Polygon([(west, south), (east, south), ((west + east) / 2, north)])
    table = Chips(("t",), ("a",), (None,), (None,), np.array([triangle], dtype=object))
    (ground,) = grounds_of(table, "chips")
    west, south, east, north = ground.bounds_m
    pixel_m = (north - south) / round((north - south) / 10)
    means, shares = pooled(table, tmp_path)
    assert 0.8 < shares[0] < 1
    cells = [len(x) for x, _ in ground.strips(10.0, 10**6)]
    assert sum(cells) == pytest.approx(ground.shape.area / pixel_m**2, rel=0.05)
    assert np.isfinite(means).all()


def test_a_chip_of_which_under_half_is_valid_has_no_vector(tmp_path):
    stored = stored_bytes(8)
    stored[:, :4] = -128
    stored[:, 4:] = np.where(stored[:, 4:] == -128, 11, stored[:, 4:])
    write_tiff(tmp_path / "half.tif", stored, nodata=-128)
    means, shares = pooled(chips(1), tmp_path)
    assert shares.tolist() == [0.5] and np.isfinite(means).all()
    stored[:, 4, 0] = -128
    write_tiff(tmp_path / "half.tif", stored, nodata=-128)
    means, shares = pooled(chips(1), tmp_path)
    assert shares.tolist() == [31 / 64] and np.isnan(means).all()


def test_a_chip_far_from_all_rasters_has_nothing(tmp_path):
    write_alphaearth(tmp_path / "a.tif")
    means, shares = pooled(chips(1, epsg=32718), tmp_path)
    assert shares.tolist() == [0.0] and np.isnan(means).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(0, 99))
def test_moments_of_groups_are_those_of_all_rows(sizes, seed):
    rows = np.random.default_rng(seed).normal(3, 2, (sum(sizes), 4)).astype(np.float32)
    moments = Moments(np.zeros(4), np.zeros(4))
    for group in np.split(rows, np.cumsum(sizes)[:-1]):
        moments.add(group)
    if len(rows):
        np.testing.assert_allclose(moments.mean, rows.astype(np.float64).mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(moments.squares / moments.count, rows.astype(np.float64).var(axis=0), atol=1e-12)


def test_rows_that_are_all_alike_have_no_spread_at_all():
    moments = Moments(np.zeros(2), np.zeros(2))
    for _ in range(3):
        moments.add(np.full((5, 2), 0.1, np.float32))
    assert (moments.squares == 0).all()


def place(west, crs="EPSG:32632"):
    return RasterPlace(crs, (10.0, 0, west, 0, -10.0, 5e6), 100, 100)


def test_two_years_of_one_tile_are_noticed_and_neighbours_are_not():
    assert same_ground([place(0), place(900), place(1800)]) is None
    assert same_ground([place(0), place(0, "EPSG:32633")]) is None
    assert same_ground([place(0), place(0, "EPSG:32633"), place(400)]) == (0, 2)


def test_chips_with_too_many_pixels_are_refused():
    ground = Ground("big", 32632, (0.0, 0.0, 1e6, 1e6))
    with pytest.raises(InputError, match="chip 'big': 100000 x 100000 pixels"):
        next(ground.strips(10.0, 1000))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, "has no footprint"),
        (shapely.Point(9, 45), "has no footprint"),
        (shapely.box(5e5, 5e6, 5.1e5, 5.1e6), "in degrees"),
    ],
)
def test_chips_without_a_place_are_refused(shape, message):
    footprint = None if shape is None else np.array([shape], dtype=object)
    with pytest.raises(InputError, match=message):
        grounds_of(Chips(("t",), ("a",), (None,), (None,), footprint), "chips.parquet")
