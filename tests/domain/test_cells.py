"""Many chips as columns are what each chip is alone."""

import numpy as np
import pyproj
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.domain.cells import Cells, cells_of, centres_deg, footprints, joined
from terrashot.domain.grid import Grid, to_degrees, to_metres, utm_zone

places = st.tuples(st.integers(1, 60), st.booleans(), st.integers(0, 999_999), st.integers(0, 999_999))


def chip_at(place, size_m):
    zone, is_north, row, col = place
    return Grid((32600 if is_north else 32700) + zone, size_m).chip(row, col)


@given(st.lists(places, min_size=1, max_size=20, unique=True), st.sampled_from([10.0, 640.0, 4480.0]))
def test_ids_edges_and_order_are_those_of_the_chips_one_by_one(found, size_m):
    chips = [chip_at(place, size_m) for place in found]
    cells = cells_of(chips)
    assert cells.ids == tuple(chip.id for chip in chips)
    assert np.column_stack(cells.edges_m()).tolist() == [list(chip.bounds_m) for chip in chips]
    assert joined([cells], size_m).ids == tuple(sorted(cells.ids))


def test_no_chips_are_no_chips():
    none = joined([], 640.0)
    assert len(none) == 0 and none.ids == () and len(footprints(none)) == 0
    assert [len(values) for values in centres_deg(none)] == [0, 0]


def test_places_of_several_zones_come_back_in_their_rows():
    chips = [chip_at((zone, is_north, 1500, 100), 4480.0) for zone in (3, 40, 3) for is_north in (True, False)]
    lon, lat = centres_deg(cells_of(chips))
    alone = [centres_deg(cells_of([chip])) for chip in chips]
    assert list(zip(lon, lat, strict=True)) == [(x[0], y[0]) for x, y in alone]
    assert isinstance(cells_of(chips).take(np.array([1, 0])), Cells)


def test_a_footprint_lies_around_its_centre_and_touches_its_neighbours():
    grid = Grid(32632, 640.0)
    pair = [grid.chip(7794, 830), grid.chip(7794, 831)]
    lon, lat = centres_deg(cells_of(pair))
    left, right = footprints(cells_of(pair))
    assert shapely.contains_xy(left, lon[0], lat[0])
    assert not shapely.contains_xy(left, lon[1], lat[1])
    assert shapely.length(shapely.intersection(left, right)) > 0


def test_a_footprint_across_the_antimeridian_is_cut_in_two():
    grid = Grid(32660, 4480.0)
    lon_deg, _ = centres_deg(cells_of([grid.chip(1000, col) for col in range(150, 170)]))
    col = 150 + int(np.argmax(np.abs(lon_deg)))
    shapes = footprints(cells_of([grid.chip(1000, c) for c in (col - 1, col, col + 1)]))
    assert any(shape.geom_type == "MultiPolygon" for shape in shapes)
    assert all(
        shapely.bounds(shape)[2] - shapely.bounds(shape)[0] < 1 or shape.geom_type == "MultiPolygon" for shape in shapes
    )


@settings(max_examples=60, deadline=None)
@given(st.floats(-180, 179.999), st.floats(-79, 83))
def test_the_true_side_of_a_chip_is_its_size_over_the_scale_of_the_projection(lon, lat):
    epsg = int(utm_zone(np.array([lon]), np.array([lat]))[0])
    chip = Grid(epsg, 4480.0).chip_at(*to_metres(epsg).transform(lon, lat))
    west, south, east, north = chip.bounds_m
    centre = to_degrees(epsg).transform((west + east) / 2, (south + north) / 2)
    scale = pyproj.Proj(epsg).get_factors(*centre).meridional_scale
    around = to_degrees(epsg).transform([west, east, east, west, west], [south, south, north, north, south])
    np.testing.assert_allclose(pyproj.Geod(ellps="WGS84").line_lengths(*around), 4480.0 / scale, rtol=1e-4)
