"""An area holds the chips whose centres lie in it."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from terrashot.domain import area
from terrashot.domain.area import Area, box_outline, cells_in
from terrashot.domain.cells import centres_deg
from terrashot.domain.grid import utm_zone
from terrashot.errors import InputError


@pytest.mark.parametrize(
    "box",
    [(9.4, 45.1, 9.6, 45.2), (-0.2, -0.1, 0.2, 0.1), (5.9, 45.0, 6.1, 45.1), (179.9, -17.0, -179.9, -16.9),
     (4.0, 61.0, 4.3, 61.1)],
)  # fmt: skip
def test_every_centre_lies_inside_and_belongs_to_the_zone_of_its_chip(box):
    held = Area("a", box_outline(*box))
    chips = cells_in(held, 640.0)
    lon, lat = centres_deg(chips)
    assert shapely.contains_xy(held.outline, lon, lat).all()
    assert utm_zone(lon, lat).tolist() == chips.epsg.tolist()
    assert list(chips.ids) == sorted(set(chips.ids))


@pytest.mark.parametrize("box", [(9.0, 45.0, 9.8, 45.4), (-0.4, -0.3, 0.4, 0.3), (179.7, -17.0, -179.7, -16.5)])
def test_the_chips_cover_the_area(box):
    west, south, east, north = box
    width_km = ((east - west) % 360) * 111.32 * np.cos(np.radians((south + north) / 2))
    expected = width_km * (north - south) * 110.9 / 0.64**2
    assert len(cells_in(Area("a", box_outline(*box)), 640.0)) == pytest.approx(expected, rel=0.05)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-0.2, 0.2)] * 2), min_size=3, max_size=6),
    st.sampled_from([(5.9, 45.0, 6.1, 45.2), (-66.1, -54.2, -65.9, -54.0), (2.9, 60.0, 3.1, 60.1)]),
)
def test_ids_do_not_change_with_the_outline(corners, box):
    whole = cells_in(Area("whole", box_outline(*box)), 640.0)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    drawn = shapely.convex_hull(shapely.multipoints(np.add(corners, middle)))
    assume(shapely.area(drawn) > 1e-4)
    in_both = whole.take(shapely.contains_xy(drawn, *centres_deg(whole)))
    assert set(cells_in(Area("drawn", drawn), 640.0).ids) & set(whole.ids) == set(in_both.ids)


@pytest.mark.parametrize("at_once", [1, 1000])
def test_the_chips_are_the_same_however_many_places_are_looked_at_together(at_once, monkeypatch):
    box = Area("a", box_outline(11.8, -0.1, 12.2, 0.1))
    whole = cells_in(box, 2240.0)
    monkeypatch.setattr(area, "PLACES_AT_ONCE", at_once)
    assert cells_in(box, 2240.0).ids == whole.ids and len({*whole.epsg.tolist()}) == 4


def test_a_concave_outline_with_a_hole_holds_the_centres_inside_and_no_other():
    ring = shapely.Polygon([(9, 45), (9.5, 45), (9.25, 45.4)], [[(9.2, 45.05), (9.3, 45.05), (9.25, 45.2)]])
    every = cells_in(Area("box", shapely.box(9, 45, 9.5, 45.4)), 640.0)
    inside = [shapely.Point(place).within(ring) for place in zip(*centres_deg(every), strict=True)]
    assert cells_in(Area("ring", ring), 640.0).ids == every.take(np.array(inside)).ids


@pytest.mark.parametrize("box", [(0, 1, 1, 1), (0, 2, 1, 1), (0, 0, 0, 1), (500_000, 0, 510_000, 1), (0, 0, 1, 91)])
def test_what_is_no_box_on_the_globe_is_refused(box):
    with pytest.raises(InputError, match="needs west, south, east, north in degrees"):
        box_outline(*map(float, box))
