"""Where pixels lie: lattices north up, south up and turned, in metres, feet and degrees."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.raster.place import RasterPlace

TURNED = (6.0, -8.0, 5e5, -8.0, -6.0, 5e6)
"""Pixels of 10 m, turned by 53 degrees."""
AFFINES = {"north up": (10.0, 0, 5e5, 0, -10.0, 5e6), "south up": (10.0, 0, 5e5, 0, 10.0, 4e6), "turned": TURNED}


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@given(row=st.integers(0, 39), col=st.integers(0, 59), down=st.floats(0.01, 0.99), across=st.floats(0.01, 0.99))
def test_a_point_inside_a_pixel_is_that_pixels(affine, row, col, down, across):
    a, b, c, d, e, f = affine
    x = a * (col + across) + b * (row + down) + c
    y = d * (col + across) + e * (row + down) + f
    rows, cols = RasterPlace("EPSG:32632", affine, 60, 40).pixels_at(np.array([x]), np.array([y]))
    assert (rows[0], cols[0]) == (row, col)


def test_a_point_outside_and_one_without_a_place_have_no_pixel():
    place = RasterPlace("EPSG:32632", AFFINES["north up"], 60, 40)
    x = np.array([5e5 - 0.1, 5e5 + 600, 5e5 + 5, np.inf, np.nan])
    y = np.array([5e6 - 5, 5e6 - 5, 5e6 + 0.1, np.inf, 5e6 - 5])
    rows, cols = place.pixels_at(x, y)
    assert rows.tolist() == cols.tolist() == [-1] * 5
    rows, cols = place.pixels_at(np.array([5e5]), np.array([5e6]))
    assert (rows[0], cols[0]) == (0, 0)


@pytest.mark.parametrize(
    ("crs", "affine", "metres"),
    [
        ("EPSG:32632", AFFINES["south up"], 10.0),
        ("EPSG:32632", TURNED, 10.0),
        ("EPSG:2263", (10.0, 0, 9e5, 0, -10.0, 2e5), 10 * 0.3048006),  # New York, in feet
        ("EPSG:4326", (1e-4, 0, 9.0, 0, -1e-4, 60.002), 11.132 * math.cos(math.radians(60))),
    ],
)
def test_the_size_of_a_pixel_is_in_metres_whatever_the_axes(crs, affine, metres):
    assert RasterPlace(crs, affine, 60, 40).pixel_m == pytest.approx(metres, rel=1e-5)


def test_the_outline_goes_round_the_corners_whichever_way_up():
    outlines = []
    for affine in ((10.0, 0, 5e5, 0, -10.0, 5e6), (10.0, 0, 5e5, 0, 10.0, 5e6 - 400)):
        place = RasterPlace("EPSG:32632", affine, 60, 40)
        assert place.bounds == (5e5, 5e6 - 400, 5e5 + 600, 5e6)
        lon, lat = place.outline_deg()
        outlines.append((lon.min(), lat.min(), lon.max(), lat.max()))
    np.testing.assert_allclose(outlines[0], outlines[1], atol=1e-12)
