"""Figure 1: where the areas lie, in one piece, with or without coastlines."""

import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from matplotlib.contour import QuadContourSet
from matplotlib.patches import PathPatch

from terrashot.domain.tables import Chips
from terrashot.plots import area_map as areas
from terrashot.plots.area_map import area_map
from terrashot.plots.chip_areas import unbroken_deg
from terrashot.plots.map_window import Window, land_in, window_around
from terrashot.plots.style import fix_layout, house_style, rendered

LAND = shapely.MultiPolygon(
    [shapely.box(-180, -40, -170, 40), shapely.box(-20, -40, 40, 40), shapely.box(170, -40, 180, 40)]
)


def squares(name, west, south, side, step=0.05):
    """An area of side x side chips in four bands; its longitudes may run on beyond 180."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    lon, lat = west + step * x, south + step * y
    shapes = [_square(*corner, step) for corner in zip(lon, lat, strict=True)]
    split = np.array(["train", "val", "test", "buffer"], dtype=object)[x * 4 // side]
    return [(name, shape, str(own)) for shape, own in zip(shapes, split, strict=True)]


def _square(west, south, step):
    if west < 180 < west + step - 1e-9:
        return shapely.MultiPolygon(
            [shapely.box(west, south, 180, south + step), shapely.box(-180, south, west + step - 360, south + step)]
        )
    moved = west - 360 if west >= 180 - 1e-9 else west
    return shapely.box(moved, south, moved + step, south + step)


def chips(*rows):
    name, shape, split = zip(*(row for area in rows for row in area), strict=True)
    n = len(name)
    return Chips(tuple(map(str, range(n))), name, (None,) * n, split, np.array(shape, dtype=object))


def rings(ax):
    return [line for line in ax.get_lines() if line.get_marker() == "o"]


@given(st.integers(-180, 179), st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_longitudes_without_a_jump_are_the_same_places_as_close_together_as_they_are(west, offsets):
    placed = west + np.array([0.0, *offsets])
    unbroken = unbroken_deg((placed + 180) % 360 - 180)
    assert np.allclose(np.exp(1j * np.radians(unbroken)), np.exp(1j * np.radians(placed)))
    assert np.ptp(unbroken) == pytest.approx(np.ptp(placed), abs=1e-6)


def test_longitudes_that_cross_nothing_stay_as_they_are():
    lon = np.array([-125.0, -70.0, 26.0, 111.0])
    assert (unbroken_deg(lon) == lon).all()


@pytest.mark.parametrize("most_drawn", [20_000, 10], ids=["chips", "cells"])
def test_an_area_across_the_antimeridian_is_drawn_in_one_piece(monkeypatch, most_drawn):
    monkeypatch.setattr(areas, "MOST_DRAWN", most_drawn)
    panel, overview = area_map(chips(squares("fiji", 178.98, -18, 40)), LAND).axes
    west, east = panel.get_xlim()
    assert west == pytest.approx(178.98, abs=0.2) and east == pytest.approx(180.98, abs=0.2)
    for drawn in panel.collections:
        assert max(np.ptp(path.vertices[:, 0]) for path in drawn.get_paths()) < 0.06
    assert {text.get_text() for text in panel.get_xticklabels()} >= {"179", "180", "-179"}
    assert overview.get_xlim()[0] < 179 < 181 < overview.get_xlim()[1]


def test_all_areas_are_in_the_overview_whole_and_each_has_its_name_there():
    figure = area_map(chips(squares("west", -100, 30, 60, 0.2), squares("east", 60, -20, 60, 0.2)), LAND)
    *panels, overview = figure.axes
    assert [ax.get_title() for ax in panels] == ["west: 3,600 chips", "east: 3,600 chips"]
    (low, high), (south, north) = overview.get_xlim(), overview.get_ylim()
    assert low < -100 < 72 < high and south < -20 < 42 < north
    assert [text.get_text() for text in overview.texts] == ["west", "east"] and len(overview.images) == 2


def test_an_area_too_small_to_be_seen_is_ringed_where_it_lies_and_a_large_one_is_not():
    figure = area_map(chips(squares("small", 10, 50, 4), squares("large", 60, 20, 60, 0.3)), LAND)
    (ring,) = rings(figure.axes[-1])
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == pytest.approx((10.1, 50.1))
    assert len(figure.axes[-1].images) == 1


def test_one_area_of_one_chip_has_a_panel_and_a_place_on_the_earth():
    panel, overview = area_map(chips(squares("chip", 10, 50, 1))).axes
    assert panel.get_xlim()[0] < 10 < 10.05 < panel.get_xlim()[1] and len(rings(overview)) == 1
    assert overview.get_ylim()[1] - overview.get_ylim()[0] == pytest.approx(25)


def test_without_coastlines_outlines_and_a_graticule_are_drawn_and_with_them_land_too():
    study = chips(squares("a", 10, 0, 60, 0.2))
    with house_style():
        bare, over_land = area_map(study), area_map(study, LAND)
    for ax in (*bare.axes, *over_land.axes):
        assert all(line.get_visible() for line in ax.get_xgridlines() + ax.get_ygridlines())
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("longitude, degrees east", "latitude, degrees north")
    assert any(isinstance(drawn, QuadContourSet) for drawn in bare.axes[-1].collections)
    grounds = [[patch for patch in ax.patches if isinstance(patch, PathPatch)] for ax in (*bare.axes, *over_land.axes)]
    assert [len(own) for own in grounds] == [0, 0, 1, 1]


def test_a_coast_for_continents_is_left_out_where_it_would_be_off_by_a_chip():
    panel, overview = area_map(chips(squares("a", 10, 0, 20)), LAND).axes
    assert [len([p for p in ax.patches if isinstance(p, PathPatch)]) for ax in (panel, overview)] == [0, 1]


@pytest.mark.parametrize(("window", "area_deg2"), [((-30, -10, 30, 10), 50 * 20), ((160, -10, 200, 10), 20 * 20)])
def test_the_land_of_a_window_is_all_land_in_it_and_one_piece_across_the_antimeridian(window, area_deg2):
    (part,) = land_in(Window(*window), LAND)
    assert shapely.intersection(part, shapely.box(*window)).area == pytest.approx(area_deg2)


def test_a_coastline_keeps_no_more_than_can_be_seen():
    angle = np.linspace(0, 2 * np.pi, 50_000)
    island = shapely.MultiPolygon([shapely.Polygon(np.column_stack([50 * np.cos(angle), 50 * np.sin(angle)]))])
    (coarse,) = land_in(Window(-100, -80, 100, 80), island)
    assert len(coarse.exterior.coords) < 500 and coarse.area == pytest.approx(island.area, rel=0.01)


@given(st.floats(-180, 180), st.floats(-80, 80), st.floats(0, 200), st.floats(0, 80))
def test_a_window_holds_its_places_and_stays_on_the_earth(west, south, width, height):
    lon, lat = np.array([west, min(west + width, 180)]), np.array([south, min(south + height, 85)])
    window = window_around(lon, lat, margin=0.05)
    assert window.west <= lon[0] and lon[1] <= window.east + 1e-9 and window.width <= 360 + 1e-9
    assert -90 <= window.south <= lat[0] and lat[1] <= window.north <= 90


def test_an_svg_holds_the_chips_of_every_panel_as_pictures_and_its_bytes_repeat(monkeypatch):
    monkeypatch.setattr(areas, "MOST_DRAWN", 1000)
    study = chips(squares("cells", 10, 0, 60, 0.2), squares("chips", -30, 0, 30, 0.2))
    pictures = []
    for _ in range(2):
        with house_style():
            figure = area_map(study, LAND)
            fix_layout(figure)
            pictures.append(rendered(figure, "svg"))
    assert pictures[0] == pictures[1] and len(re.findall(b"<image", pictures[0])) == 3
    (drawn,) = (d for d in figure.axes[1].collections if isinstance(d, PolyCollection))
    assert drawn.get_rasterized() and len(drawn.get_paths()) == 900 > pictures[0].count(b"<path")
