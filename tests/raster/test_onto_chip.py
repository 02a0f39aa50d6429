"""Rasters onto a chip's lattice, beside an independent computation: pixel middles through pyproj into smooth fields.

A smooth field of the ground, seen by a raster, must come out as the field at the chip's own pixel middles. Its slope turns
differences of value into distances: they stay below half a pixel.
"""

import math

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.domain.grid import Grid, utm_zone
from terrashot.raster.place import RasterPlace
from terrashot.raster.regrid import area_mean

pytest.importorskip("rasterio", reason="bringing rasters onto chips needs rasterio")

from terrashot.errors import MissingExtraError
from terrashot.raster import onto_chip
from terrashot.raster.onto_chip import chip_place, nearest_onto, onto, pixels_along, whole_shift
from terrashot.raster.window_needed import part_of, window_needed

pytestmark = pytest.mark.filterwarnings("error", "default::PendingDeprecationWarning")
SIDE = 24
GLOBE = "EPSG:4326"


def chip_at(lon_deg, lat_deg, pixel_m=10.0):
    """The lattice of the chip that holds a place, in the zone that owns it, or one asked for."""
    epsg = int(utm_zone(np.array([lon_deg]), np.array([lat_deg]))[0])
    x, y = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(lon_deg, lat_deg)
    return chip_place(Grid(epsg, SIDE * pixel_m).chip_at(x, y), SIDE)


def middles(place):
    """x and y of the pixel middles, each (H, W)."""
    rows, cols = np.indices((place.height_px, place.width_px)) + 0.5
    a, b, c, d, e, f = place.affine
    return a * cols + b * rows + c, d * cols + e * rows + f


def metres_from(chip, place):
    """East and north of the chip's corner, in metres of the chip's zone, at the middles of any raster's pixels."""
    x, y = middles(place)
    x, y = pyproj.Transformer.from_crs(place.crs, chip.crs, always_xy=True).transform(x, y)
    return x - chip.affine[2], y - chip.affine[5]


def ramps(chip, place):
    """Two bands: metres to the east and to the north. What comes out where tells how far it was moved."""
    return np.stack(metres_from(chip, place)).astype(np.float32)


def lattice_around(chip, crs, *, pixel_m, turn_deg=0.0, is_south_up=False, shift_px=(0.0, 0.0), reach=1.6):
    """A raster in any coordinate system, turned by an angle, that covers a chip with room to spare."""
    middle_x, middle_y = (axis.mean() for axis in middles(chip))
    x, y = pyproj.Transformer.from_crs(chip.crs, crs, always_xy=True).transform(middle_x, middle_y)
    if crs == GLOBE:
        across, down = pixel_m / (111_320 * math.cos(math.radians(y))), pixel_m / 110_574
    else:
        across = down = pixel_m
    turn, side_m = math.radians(turn_deg), SIDE * chip.affine[0]
    count = math.ceil(side_m * reach * 1.5 / pixel_m) + 8
    upward = down if is_south_up else -down
    a, b = across * math.cos(turn), -upward * math.sin(turn)
    d, e = across * math.sin(turn), upward * math.cos(turn)
    half_col, half_row = count / 2 + shift_px[0], count / 2 + shift_px[1]
    return RasterPlace(
        crs, (a, b, x - a * half_col - b * half_row, d, e, y - d * half_col - e * half_row), count, count
    )


def off_px(chip, source, *, pixel_m):
    """The largest distance between where a pixel is and where what it shows lies, in pixels: the larger of both sizes."""
    rows, cols = window_needed(source, chip)
    part = part_of(source, rows, cols)
    found = onto(ramps(chip, part), part, chip)
    assert not np.isnan(found).any()
    east, north = metres_from(chip, chip)
    return float(np.hypot(found[0] - east, found[1] - north).max() / max(chip.affine[0], pixel_m))


PLACES = [
    (9.0, 48.0), (-179.99, -16.5), (179.99, 66.0), (-180.0, 71.0), (0.0, 0.01), (12.0001, -0.01), (5.9, 60.4), (3.01, 60.0), (20.0, 78.2),
    (33.1, 79.0), (-69.0, -54.9), (0.0, -79.9), (30.0, 83.9), (-101.0, 38.0), (151.0, -33.8), (6.0, 45.0),
]  # fmt: skip
"""Zone edges, both hemispheres, the equator, Norway and Svalbard, near the poles, on both sides of the antimeridian."""


@settings(max_examples=40)
@given(
    place=st.sampled_from(PLACES),
    dx=st.floats(-0.4, 0.4),
    pixel_m=st.sampled_from([3.0, 8.0, 10.0, 20.0, 27.0]),
    turn_deg=st.sampled_from([0.0, 0.0, 17.0, 45.0, 90.0, 133.0, -8.0]),
    is_south_up=st.booleans(),
    neighbour=st.sampled_from([-1, 0, 1]),
)
def test_rasters_of_any_zone_turned_or_upside_down_lie_where_they_should(
    place, dx, pixel_m, turn_deg, is_south_up, neighbour
):
    chip = chip_at(*place)
    zone = int(chip.crs[-2:])
    crs = f"EPSG:{chip.crs[5:8]}{(zone - 1 + neighbour) % 60 + 1:02d}"
    source = lattice_around(chip, crs, pixel_m=pixel_m, turn_deg=turn_deg, is_south_up=is_south_up, shift_px=(dx, 0.3))
    assert off_px(chip, source, pixel_m=pixel_m) < 0.5


@settings(max_examples=40)
@given(
    place=st.sampled_from(PLACES),
    pixel_m=st.sampled_from([5.0, 10.0, 25.0]),
    is_south_up=st.booleans(),
    turns=st.sampled_from([-1, 0, 1]),
    dx=st.floats(-0.5, 0.5),
)
def test_rasters_in_degrees_lie_where_they_should_however_longitudes_are_counted(
    place, pixel_m, is_south_up, turns, dx
):
    chip = chip_at(*place)
    source = lattice_around(chip, GLOBE, pixel_m=pixel_m, is_south_up=is_south_up, shift_px=(dx, -dx))
    a, b, c, *rest = source.affine
    if -200 < c + 360 * turns < 380:
        source = RasterPlace(GLOBE, (a, b, c + 360 * turns, *rest), source.width_px, source.height_px)
    assert off_px(chip, source, pixel_m=pixel_m) < 0.5


@pytest.mark.parametrize("crs", ["EPSG:3035", "EPSG:2056", "EPSG:3857", "EPSG:32732"])
def test_axes_that_are_written_north_first_and_other_projections_are_no_trap(crs):
    chip = chip_at(8.2, 46.9)
    source = lattice_around(chip, crs, pixel_m=10.0)
    # Swiss coordinates have a datum of their own, which pyproj and GDAL may take through different grids: still half a pixel.
    assert off_px(chip, source, pixel_m=10.0) < 0.5


def test_interpolated_pixels_are_off_by_a_hundredth_and_averaged_ones_by_a_tenth_where_nothing_is_turned():
    for place in PLACES[::4]:
        chip = chip_at(*place)
        zones = [f"EPSG:{chip.crs[5:8]}{(int(chip.crs[-2:]) - 1 + beside) % 60 + 1:02d}" for beside in (-1, 0, 1)]
        for crs in (*zones, GLOBE):
            for pixel_m, most in ((10.0, 0.01), (25.0, 0.01), (8.0, 0.1), (3.0, 0.1)):
                source = lattice_around(chip, crs, pixel_m=pixel_m, shift_px=(0.13, 0.3))
                assert off_px(chip, source, pixel_m=pixel_m) < most


@pytest.mark.parametrize("pixel_m", [3.0, 10.0, 30.0])
def test_a_planted_edge_comes_out_where_it_lies_on_the_ground(pixel_m):
    chip = chip_at(-3.0, 40.0)
    source = lattice_around(chip, "EPSG:32631", pixel_m=pixel_m)
    east, _ = metres_from(chip, source)
    found = onto((east > 117.0).astype(np.float32)[None], source, chip)[0]
    own, _ = metres_from(chip, chip)
    reach = 0.5 * max(10.0, pixel_m) + 0.5 * min(10.0, pixel_m) + 0.1
    assert (found[own > 117 + reach] == 1).all() and (found[own < 117 - reach] == 0).all()
    crossing = 10 * (SIDE - float(found.mean(axis=0).sum()))
    assert abs(crossing - 117) < 0.5 * max(10.0, pixel_m)


def test_the_same_lattice_is_a_copy_to_the_bit_and_whole_pixels_beside_it_a_part():
    chip = chip_at(9.0, 48.0)
    values = np.random.default_rng(0).lognormal(0, 20, (3, SIDE, SIDE)).astype(np.float32)
    values[0, 3, 4] = np.nan
    np.testing.assert_array_equal(onto(values, chip, chip), values)
    a, b, c, d, e, f = chip.affine
    for right, down in ((2, 5), (-3, 1), (SIDE, 0), (-400, 400)):
        moved = RasterPlace(chip.crs, (a, b, c + a * right, d, e, f + e * down), SIDE + 4, SIDE)
        wide = np.random.default_rng(1).random((2, SIDE, SIDE + 4), np.float32)
        expected = np.full((2, SIDE, SIDE), np.nan, np.float32)
        for row, col in np.ndindex(SIDE, SIDE):
            if 0 <= row - down < SIDE and 0 <= col - right < SIDE + 4:
                expected[:, row, col] = wide[:, row - down, col - right]
        np.testing.assert_array_equal(onto(wide, moved, chip), expected)


def test_a_coordinate_system_is_the_same_whether_named_by_number_or_written_out():
    chip = chip_at(9.0, 48.0)
    written = RasterPlace(pyproj.CRS(chip.crs).to_wkt(), chip.affine, SIDE, SIDE)
    assert written.crs != chip.crs and whole_shift(written, chip) == (0, 0)
    other = RasterPlace(pyproj.CRS("EPSG:32633").to_wkt(), chip.affine, SIDE, SIDE)
    assert whole_shift(other, chip) is None


def test_a_lattice_that_is_shifted_by_part_of_a_pixel_turned_or_of_another_size_is_no_shift():
    chip = chip_at(9.0, 48.0)
    a, b, c, d, e, f = chip.affine
    assert whole_shift(chip, chip) == (0, 0)
    assert whole_shift(RasterPlace(chip.crs, (a, b, c - 3 * a, d, e, f - 2 * e), 40, 40), chip) == (2, 3)
    for affine in ((a, b, c + 0.4 * a, d, e, f), (a / 2, b, c, d, e / 2, f), (a, b, c, d, -e, f), (0, a, c, e, 0, f)):
        assert whole_shift(RasterPlace(chip.crs, affine, 40, 40), chip) is None
    assert whole_shift(RasterPlace("EPSG:32633", chip.affine, 24, 24), chip) is None


@settings(max_examples=30)
@given(st.sampled_from([SIDE * 2, SIDE * 3, SIDE + 12, SIDE * 5 // 2]), st.integers(0, 2**32 - 1))
def test_finer_rasters_are_averaged_by_area_where_at_least_half_has_data(count, seed):
    chip, rng = chip_at(9.0, 48.0), np.random.default_rng(seed)
    fine = SIDE * 10.0 / count
    source = RasterPlace(chip.crs, (fine, 0, chip.affine[2], 0, -fine, chip.affine[5]), count, count)
    values = rng.random((2, count, count), np.float32)
    values[rng.random(values.shape) < 0.4] = np.nan
    expected, found = area_mean(values, SIDE), onto(values, source, chip)
    is_close_call = np.isnan(expected) != np.isnan(found)
    assert is_close_call.mean() < 0.01, "a rounding error of weights may decide a pixel of which about half is there"
    np.testing.assert_allclose(found[~is_close_call], expected[~is_close_call], rtol=2e-6)


def test_no_data_and_infinities_of_a_coarser_raster_stay_where_they_are():
    chip = chip_at(9.0, 48.0)
    source = RasterPlace(chip.crs, (20.0, 0, chip.affine[2], 0, -20.0, chip.affine[5]), SIDE // 2, SIDE // 2)
    values = np.full((1, SIDE // 2, SIDE // 2), 7.0, np.float32)
    values[0, 3, 4], values[0, 8, 8], values[0, 5, 5] = np.nan, np.inf, -np.inf
    found = onto(values, source, chip)[0]
    for row, col in ((3, 4), (8, 8), (5, 5)):
        assert np.isnan(found[2 * row : 2 * row + 2, 2 * col : 2 * col + 2]).all()
    assert np.isnan(found).sum() == 3 * 4
    np.testing.assert_allclose(found[~np.isnan(found)], 7.0, rtol=1e-6)


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:32631", GLOBE])
@pytest.mark.parametrize("fill", [np.nan, 0.0, -3.5e4, 1e-30, 65535.0])
def test_a_constant_stays_that_constant_and_nothing_stays_nothing(crs, fill):
    chip = chip_at(9.0, 48.0)
    for pixel_m in (4.0, 10.0, 40.0):
        source = lattice_around(chip, crs, pixel_m=pixel_m)
        found = onto(np.full((1, source.height_px, source.width_px), fill, np.float32), source, chip)
        np.testing.assert_allclose(found, np.full((1, SIDE, SIDE), fill), rtol=1e-5)


def test_where_a_raster_ends_pixels_end_with_the_half_that_has_data():
    chip = chip_at(9.0, 48.0)
    a, _, c, _, e, f = chip.affine
    # Half a chip, from 0.3 of a pixel: of the pixel in which it ends 0.3 are there, of the next one inside all.
    source = RasterPlace(chip.crs, (a, 0, c + 0.3 * a, 0, e, f), 12, SIDE)
    is_there = ~np.isnan(onto(np.ones((1, SIDE, 12), np.float32), source, chip)[0])
    assert is_there[:, :12].all() and not is_there[:, 12:].any()


def test_one_valid_pixel_leaves_no_trace_beyond_its_neighbours():
    chip = chip_at(9.0, 48.0)
    source = lattice_around(chip, "EPSG:32631", pixel_m=10.0)
    values = np.full((1, source.height_px, source.width_px), np.nan, np.float32)
    values[0, source.height_px // 2, source.width_px // 2] = 42.0
    found = onto(values, source, chip)
    assert 0 <= (~np.isnan(found)).sum() <= 4
    np.testing.assert_allclose(found[~np.isnan(found)], 42.0, rtol=1e-6)


@settings(max_examples=30)
@given(
    st.sampled_from(PLACES), st.sampled_from([4.0, 10.0, 30.0]), st.sampled_from([0, 1]), st.sampled_from([0.0, 30.0])
)
def test_the_window_that_is_asked_for_gives_what_the_whole_raster_would(place, pixel_m, neighbour, turn_deg):
    chip = chip_at(*place)
    crs = (
        GLOBE
        if neighbour and not turn_deg
        else f"EPSG:{chip.crs[5:8]}{(int(chip.crs[-2:]) - 1 + neighbour) % 60 + 1:02d}"
    )
    source = lattice_around(chip, crs, pixel_m=pixel_m, turn_deg=turn_deg, reach=4.0)
    values = np.random.default_rng(5).random((1, source.height_px, source.width_px), np.float32)
    rows, cols = window_needed(source, chip)
    assert (rows.stop - rows.start) * (cols.stop - cols.start) < values.size / 2
    np.testing.assert_allclose(
        onto(values[:, rows, cols], part_of(source, rows, cols), chip), onto(values, source, chip), atol=2e-4
    )


def test_a_raster_that_the_chip_is_not_on_is_not_read():
    chip = chip_at(9.0, 48.0)
    for lon, lat in ((9.2, 48.0), (-171.0, 48.0), (9.0, -48.0)):
        assert window_needed(lattice_around(chip_at(lon, lat), GLOBE, pixel_m=10.0), chip) is None


def test_a_chip_across_the_antimeridian_needs_each_side_as_far_as_it_reaches():
    chip = chip_at(-179.9999, -16.5, pixel_m=100.0)
    north, degree = -16.3, 1e-3
    east = RasterPlace(GLOBE, (degree, 0, 179.8, 0, -degree, north), 200, 400)
    west = RasterPlace(GLOBE, (degree, 0, -180.0, 0, -degree, north), 200, 400)
    halves = []
    for side in (east, west):
        rows, cols = window_needed(side, chip)
        part = part_of(side, rows, cols)
        assert (cols.stop - cols.start) < 40
        halves.append(onto(np.ones((1, part.height_px, part.width_px), np.float32), part, chip)[0])
    there = [~np.isnan(half) for half in halves]
    assert there[0].any() and there[1].any()
    assert (there[0] | there[1]).mean() > 0.9 and (there[0] & there[1]).mean() < 0.1


def test_the_second_opinion_of_odc_geo_on_the_window_lies_inside_ours():
    geobox = pytest.importorskip("odc.geo.geobox", reason="a second opinion on windows needs odc-geo")
    overlap = pytest.importorskip("odc.geo.overlap")
    affine = pytest.importorskip("affine")

    def box(place):
        return geobox.GeoBox((place.height_px, place.width_px), affine.Affine(*place.affine), place.crs)

    for lon, lat in ((9.0, 48.0), (5.99, 60.4), (-69.0, -54.9), (0.0, -0.001)):
        chip = chip_at(lon, lat)
        for crs in (GLOBE, f"EPSG:{chip.crs[5:8]}{int(chip.crs[-2:]) + 1:02d}"):
            source = lattice_around(chip, crs, pixel_m=10.0, reach=4.0)
            theirs = overlap.compute_reproject_roi(box(source), box(chip), padding=0).roi_src
            ours = window_needed(source, chip)
            for own, other in zip(ours, theirs, strict=True):
                assert own.start <= other.start and other.stop <= own.stop
                assert own.stop - own.start <= other.stop - other.start + 12


def test_the_coarser_lattice_is_told_by_area_whatever_the_units_and_the_turn():
    chip = chip_at(9.0, 48.0)
    for crs, turn_deg in ((chip.crs, 0.0), (chip.crs, 40.0), ("EPSG:32631", 10.0), (GLOBE, 0.0)):
        for pixel_m in (2.5, 10.0, 30.0):
            ratio = pixels_along(lattice_around(chip, crs, pixel_m=pixel_m, turn_deg=turn_deg), chip)
            assert ratio == pytest.approx(10 / pixel_m, rel=0.01)


def test_classes_of_20_m_lie_under_the_pixels_of_10_m_they_belong_to():
    chip = chip_at(9.0, 48.0)
    a, _, c, _, e, f = chip.affine
    classes = np.random.default_rng(3).integers(0, 12, (14, 14)).astype(np.uint8)
    coarse = RasterPlace(chip.crs, (2 * a, 0, c - a, 0, 2 * e, f - e), 14, 14)  # begins one pixel before the chip
    found = nearest_onto(classes, coarse, chip, outside=0)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.repeat(np.repeat(classes, 2, 0), 2, 1)[1 : SIDE + 1, 1 : SIDE + 1])


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([5.0, 10.0, 20.0, 60.0]),
    st.booleans(),
    st.integers(-40, 40),
    st.integers(-40, 40),
    st.integers(1, 30),
    st.integers(1, 30),
)
def test_classes_looked_up_by_rows_and_columns_are_those_looked_up_pixel_by_pixel(
    pixel_m, is_south_up, right, down, width, height
):
    chip = chip_at(9.0, 48.0)
    _, _, c, _, _, f = chip.affine
    step = pixel_m if is_south_up else -pixel_m
    source = RasterPlace(chip.crs, (pixel_m, 0, c + 3 * right, 0, step, f - 3 * down), width, height)
    classes = np.random.default_rng(width).integers(0, 12, (height, width)).astype(np.uint8)
    x, y = (axis.ravel() for axis in np.meshgrid(c + 10 * (np.arange(SIDE) + 0.5), f - 10 * (np.arange(SIDE) + 0.5)))
    rows, cols = source.pixels_at(x, y)
    wanted = np.where(rows < 0, 99, classes[rows, cols]).reshape(SIDE, SIDE)
    np.testing.assert_array_equal(nearest_onto(classes, source, chip, outside=99), wanted)


def test_beyond_its_end_a_mask_says_what_is_asked_for():
    chip = chip_at(9.0, 48.0)
    a, _, c, _, e, f = chip.affine
    half = RasterPlace(chip.crs, (a, 0, c, 0, e, f), SIDE // 2, SIDE)
    found = nearest_onto(np.full((SIDE, SIDE // 2), 4, np.uint8), half, chip, outside=9)
    assert (found[:, : SIDE // 2] == 4).all() and (found[:, SIDE // 2 :] == 9).all()


def test_without_rasterio_the_pip_line_is_named_and_the_same_lattice_needs_none(monkeypatch):
    chip = chip_at(9.0, 48.0)
    monkeypatch.setattr(onto_chip, "rasterio", None)
    values = np.ones((1, SIDE, SIDE), np.float32)
    np.testing.assert_array_equal(onto(values, chip, chip), values)
    with pytest.raises(MissingExtraError, match=r'pip install "terrashot\[raster\]"'):
        onto(values, RasterPlace("EPSG:32633", chip.affine, SIDE, SIDE), chip)
