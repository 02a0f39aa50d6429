"""Chips know their place, and their place knows them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.domain.grid import Grid, chip_from_id, to_metres, utm_zone
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


@given(
    st.integers(32601, 32660) | st.integers(32701, 32760),
    st.integers(0, 1800),
    st.integers(30, 190),
    st.sampled_from([640.0, 4480.0]),
)
def test_from_id_to_edges_and_back_is_the_same_id(epsg, row, col, size_m):
    chip = Grid(epsg, size_m).chip(row, col)
    west, south, east, north = chip_from_id(chip.id).bounds_m
    for x_m, y_m in [(west, north), (east - 0.001, south + 0.001), ((west + east) / 2, (south + north) / 2)]:
        assert Grid(epsg, size_m).chip_at(x_m, y_m).id == chip.id


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


@pytest.mark.parametrize("size_m", [640.5, 9.0, 0.0, -640.0])
def test_a_chip_size_that_an_id_cannot_carry_is_refused(size_m):
    with pytest.raises(UsageError, match="whole number of metres"):
        Grid(32632, size_m)


@settings(max_examples=40)
@given(st.floats(-180, 179.999), st.floats(-79.9, 83.9), st.sampled_from([100.0, 640.0, 4480.0]))
def test_every_place_on_earth_has_a_chip_whose_id_leads_back_to_it(lon, lat, size_m):
    epsg = int(utm_zone(np.array([lon]), np.array([lat]))[0])
    x_m, y_m = to_metres(epsg).transform(lon, lat)
    chip = Grid(epsg, size_m).chip_at(x_m, y_m)
    assert min(chip.row, chip.col) >= 0
    assert chip_from_id(chip.id) == chip
