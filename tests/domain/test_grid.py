"""Chips know their place, and their place knows them."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.domain.grid import Grid, centres_deg, chip_from_id, footprints, grid_cells, to_metres, utm_zone
from terrashot.errors import InputError, UsageError

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
    "chip_id",
    [
        "",
        "c1",
        "32632_640m_r7812_c781",
        "99999_640m_r007812_c000781",
        "../../etc/passwd",
        "32600_640m_r007812_c000781",
        "32661_640m_r007812_c000781",
        "32632_0m_r007812_c000781",
        "32632_640m_r007812_c000781\n",
        "32632_640m_r٠٠٧٨١٢_c000781",
    ],
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


# South-west and north-east corners of cells as the package majortom-eg 1.1.0 draws them at 10 km; its own ids are
# geohashes, the names are the rows and columns of the published Major TOM sets.
CELLS = {
    "502U_74R": (9.413427561837437, 45.08982035928145, 9.540636042402808, 45.17964071856289),
    "247D_464L": (-45.012126111560235, -22.185628742514965, -44.915117219078425, -22.09580838323353),
    "0U_0R": (0.0, 0.0, 0.08982035928143713, 0.08982035928143713),
    "1D_1L": (-0.08982035928144683, -0.08982035928143262, 0.0, 0.0),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_those_of_major_tom(name):
    west, south, east, north = CELLS[name]
    lon = np.array([west + 1e-6, east - 1e-6, west - 1e-6, east - 1e-6])
    lat = np.array([south + 1e-6, north - 1e-6, south + 1e-6, north + 1e-6])
    names = grid_cells(lon, lat)
    assert [found == name for found in names] == [True, True, False, False]


def test_unknown_places_have_no_cell_and_the_antimeridian_cell_has_one_name():
    assert grid_cells(np.array([np.nan, 1.0]), np.array([1.0, np.nan])) == [None, None]
    # Row 477D holds 2,939 cells, an odd number: one of them lies across the antimeridian.
    assert grid_cells(np.array([-179.999, 179.999]), np.array([-42.8, -42.8])) == ["477D_1469R"] * 2


@pytest.mark.parametrize("size_m", [640.5, 9.0, 0.0, -640.0])
def test_a_chip_size_that_an_id_cannot_carry_is_refused(size_m):
    with pytest.raises(UsageError, match="whole number of metres"):
        Grid(32632, size_m)


@settings(max_examples=40, deadline=None)
@given(st.floats(-180, 179.999), st.floats(-79.9, 83.9), st.sampled_from([100.0, 640.0, 4480.0]))
def test_every_place_on_earth_has_a_chip_whose_id_leads_back_to_it(lon, lat, size_m):
    epsg = int(utm_zone(np.array([lon]), np.array([lat]))[0])
    x_m, y_m = to_metres(epsg).transform(lon, lat)
    chip = Grid(epsg, size_m).chip_at(x_m, y_m)
    assert min(chip.row, chip.col) >= 0
    assert chip_from_id(chip.id) == chip


def test_the_true_side_of_a_chip_is_its_size_over_the_scale_of_the_projection():
    chip = Grid(32614, 4480.0).chip_at(300_000.0, 4_300_000.0)
    lon, lat = shapely.get_coordinates(footprints([chip])[0]).T
    side_m = pyproj.Geod(ellps="WGS84").line_length(lon[:2], lat[:2])
    scale = pyproj.Proj(32614).get_factors(lon[0], lat[0]).meridional_scale
    assert side_m == pytest.approx(4480.0 / scale, rel=1e-4)
