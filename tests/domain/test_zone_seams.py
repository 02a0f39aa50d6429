"""Where two zones meet, ground lies in one chip but for a sliver, whose share is known."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from terrashot.domain.area import Area, box_outline, cells_in
from terrashot.domain.grid import Grid, to_degrees, to_metres, utm_zone
from terrashot.domain.zone_seams import reach_m, seam_cover

SIZE_M = 4480.0
EARTH = pyproj.Geod(ellps="WGS84")
LOWER_48 = (-124.7, 24.5, -67.0, 49.4)
# At a seam of two zones, in both hemispheres, at the antimeridian, on the equator, in Norway and on Svalbard.
SEAMS = [(5.9, 45.0, 6.1, 45.2), (-66.1, -54.2, -65.9, -54.0), (179.9, -17.1, -179.9, -16.9), (11.9, -0.1, 12.1, 0.1),
         (2.9, 60.0, 3.1, 60.1), (20.9, 77.9, 21.1, 78.1), (5.8, 63.95, 6.2, 64.05)]  # fmt: skip


def zone_at(lon, lat):
    return int(utm_zone(np.array([lon]), np.array([lat]))[0])


def centre_of(chip):
    west, south, east, north = chip.bounds_m
    return to_degrees(chip.epsg).transform((west + east) / 2, (south + north) / 2)


def chips_around(lon, lat, size_m=SIZE_M):
    """Every chip whose centre is within two sides of a place."""
    high = 2 * size_m / 110_500
    wide = high / np.cos(np.radians(lat))
    box = ((lon - wide + 180) % 360 - 180, lat - high, (lon + wide + 180) % 360 - 180, lat + high)
    return cells_in(Area("around", box_outline(*map(float, box))), size_m)


def holds(cells, lon, lat):
    """Which of the chips a place lies in, by their own edges; it is given to the millimetre in its own zone alone."""
    west, south, east, north = cells.edges_m()
    x_m, y_m = np.array([to_metres(int(epsg)).transform(lon, lat) for epsg in cells.epsg]).reshape(-1, 2).T
    return (west <= x_m) & (x_m < east) & (south < y_m) & (y_m <= north)


@st.composite
def places_near_seams(draw):
    """A place given in whole millimetres of the zone that owns it: zone, metres, degrees."""
    west, south, east, north = draw(st.sampled_from(SEAMS))
    lon = (west + draw(st.floats(0, 1)) * ((east - west) % 360) + 180) % 360 - 180
    lat = south + draw(st.floats(0, 1)) * (north - south)
    epsg = zone_at(lon, lat)
    x_m, y_m = (round(value, 3) for value in to_metres(epsg).transform(lon, lat))
    lon, lat = to_degrees(epsg).transform(x_m, y_m)
    assume(zone_at(lon, lat) == epsg)  # or the rounding has moved it over the seam
    return epsg, x_m, y_m, lon, lat


@settings(max_examples=150, deadline=None)
@given(places_near_seams())
def test_a_place_lies_in_one_chip_of_its_own_zone_or_in_the_sliver_at_the_seam(place):
    epsg, x_m, y_m, lon, lat = place
    chip = Grid(epsg, SIZE_M).chip_at(x_m, y_m)
    centre = centre_of(chip)
    placed = chips_around(lon, lat)
    own = [placed.ids[i] for i in np.flatnonzero((placed.epsg == epsg) & holds(placed, lon, lat))]
    if zone_at(*centre) == epsg:
        assert own == [chip.id]
    else:
        # The sliver: the place and its chip's centre lie on either side of the seam, half a diagonal from each other at most.
        assert own == [] and EARTH.inv(lon, lat, *centre)[2] <= reach_m(SIZE_M)


@settings(max_examples=100, deadline=None)
@given(places_near_seams())
def test_a_place_out_of_reach_of_every_seam_lies_in_one_chip_of_all_zones_together(place):
    _, _, _, lon, lat = place
    around = [EARTH.fwd(lon, lat, azimuth, reach_m(SIZE_M))[:2] for azimuth in range(0, 360, 10)]
    assume(len({zone_at(*there) for there in [(lon, lat), *around]}) == 1)
    assert holds(chips_around(lon, lat), lon, lat).sum() == 1


@pytest.mark.parametrize("box", SEAMS)
def test_the_shares_at_a_seam_are_those_of_counted_places(box):
    cover = seam_cover(Area("a", box_outline(*box)), SIZE_M)
    rng, (west, south, east, north) = np.random.default_rng(0), box
    n = 4000
    lon = (west + rng.uniform(size=n) * ((east - west) % 360) + 180) % 360 - 180
    lat = np.degrees(np.arcsin(rng.uniform(*np.sin(np.radians([south, north])), size=n)))
    times = times_covered(box, lon, lat)
    counted = [(times == 0).mean(), (times - 1).clip(0).mean()]
    found = [cover.uncovered_m2 / cover.ground_m2, cover.repeated_m2 / cover.ground_m2]
    # Four standard errors of what is counted.
    np.testing.assert_allclose(found, counted, atol=4 * np.sqrt(max(*counted, 0.001) / n))
    assert max(found) > 0.01


def times_covered(box, lon, lat):
    """In how many chips each place lies, chips around the box included."""
    west, south, east, north = box
    wide = Area("wide", box_outline(west - 0.3 if west > -179 else west, south - 0.1, east + 0.3, north + 0.1))
    held, times = set(cells_in(wide, SIZE_M).keys.tolist()), np.zeros(len(lon), dtype=int)
    for epsg in {key // 10**12 for key in held}:
        grid = Grid(epsg, SIZE_M)
        x_m, y_m = to_metres(epsg).transform(lon, lat)
        row, col = np.floor((grid.origin_y_m - y_m) / SIZE_M), np.floor(x_m / SIZE_M)
        keys = (epsg * 10**6 + row.astype(np.int64)) * 10**6 + col.astype(np.int64)
        times += [key in held for key in keys.tolist()]
    return times


def test_over_the_lower_48_states_gaps_and_overlaps_are_each_below_a_five_hundredth_of_the_ground():
    cover = seam_cover(Area("lower 48", box_outline(*LOWER_48)), SIZE_M)
    ground_m2 = abs(EARTH.geometry_area_perimeter(shapely.segmentize(box_outline(*LOWER_48), 0.05))[0])
    assert cover.ground_m2 == pytest.approx(ground_m2, rel=1e-5)
    assert 0.001 < cover.uncovered_m2 / cover.ground_m2 < 0.002
    assert 0.001 < cover.repeated_m2 / cover.ground_m2 < 0.002
    assert "0.13" in cover.sentence()


def test_cut_along_no_seam_the_parts_of_an_area_cost_together_what_the_whole_costs():
    whole, *parts = (seam_cover(Area("a", box_outline(*box)), SIZE_M) for box in
                     [(4.0, -1.0, 13.0, 1.0), (4.0, -1.0, 9.0, 1.0), (9.0, -1.0, 13.0, 1.0)])  # fmt: skip
    for name in ("ground_m2", "uncovered_m2", "repeated_m2"):
        assert sum(getattr(part, name) for part in parts) == pytest.approx(getattr(whole, name), rel=1e-4, abs=1)


def test_an_area_inside_one_zone_has_no_seam():
    assert seam_cover(Area("a", box_outline(6.5, 44.0, 11.5, 47.0)), SIZE_M) is None
