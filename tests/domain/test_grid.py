"""Chips know their place, and their place knows them."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from terrashot.domain.grid import Grid, centres_deg, chip_from_id, footprints, grid_cells, utm_zone
from terrashot.errors import InputError

# Property tests at the precision that coordinates really have.
easting_m = st.integers(100_000_000, 900_000_000).map(lambda mm: mm / 1000)
northing_m = st.integers(0, 9_400_000_000).map(lambda mm: mm / 1000)


@given(easting_m, northing_m, st.sampled_from([640.0, 4480.0]))
def test_every_point_is_inside_the_chip_that_owns_it(x_m, y_m, size_m):
    west, south, east, north = Grid(32630, size_m).chip_at(x_m, y_m).bounds_m
    assert west <= x_m < east
    assert south < y_m <= north


@given(easting_m, northing_m)
def test_an_id_names_its_chip_and_no_other(x_m, y_m):
    chip = Grid(32714, 4480.0).chip_at(x_m, y_m)
    assert chip_from_id(chip.id) == chip


@pytest.mark.parametrize(
    "chip_id", ["", "c1", "32632_640m_r7812_c781", "99999_640m_r007812_c000781", "../../etc/passwd"]
)
def test_an_id_of_another_form_is_refused(chip_id):
    with pytest.raises(InputError, match="its place is unknown"):
        chip_from_id(chip_id)


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [(9.0, 45.0, 32632), (-47.0, -22.0, 32723), (5.0, 60.0, 32632), (2.9, 60.0, 32631), (10.0, 78.0, 32633),
     (-180.0, 0.0, 32601), (179.99, -0.1, 32760)],
)  # fmt: skip
def test_each_place_has_one_zone_with_the_exceptions_of_norway_and_svalbard(lon, lat, epsg):
    assert utm_zone(np.array([lon]), np.array([lat])).tolist() == [epsg]


@pytest.mark.parametrize("lat", [84.5, -80.5])
def test_beyond_the_ends_of_utm_there_are_no_chips(lat):
    with pytest.raises(InputError, match="UTM ends"):
        utm_zone(np.array([0.0]), np.array([lat]))


def test_a_footprint_lies_around_its_centre_and_touches_its_neighbours():
    grid = Grid(32632, 640.0)
    pair = [grid.chip(7794, 830), grid.chip(7794, 831)]
    lon, lat = centres_deg(pair)
    left, right = footprints(pair)
    assert shapely.contains_xy(left, lon[0], lat[0])
    assert not shapely.contains_xy(left, lon[1], lat[1])
    assert shapely.length(shapely.intersection(left, right)) > 0


def test_a_footprint_across_the_antimeridian_is_cut_in_two():
    grid = Grid(32660, 4480.0)
    lon_deg = np.array([centres_deg([grid.chip(1000, col)])[0][0] for col in range(150, 170)])
    col = 150 + int(np.argmax(np.abs(lon_deg)))
    shapes = footprints([grid.chip(1000, c) for c in (col - 1, col, col + 1)])
    assert any(shape.geom_type == "MultiPolygon" for shape in shapes)
    assert all(
        shapely.bounds(shape)[2] - shapely.bounds(shape)[0] < 1 or shape.geom_type == "MultiPolygon" for shape in shapes
    )


def test_cell_names_are_those_of_major_tom_and_unknown_places_have_none():
    # South-west corners checked against those of the majortom-eg package, 1.1, with d = 10000.
    names = grid_cells(np.array([9.5, -45.0, 0.01, -0.01, np.nan]), np.array([45.1, -22.1, 0.01, -0.01, 1.0]))
    assert names == ["502U_74R", "247D_464L", "0U_0R", "1D_1L", None]
