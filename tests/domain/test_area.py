"""An area holds the chips whose centres lie in it."""

import numpy as np
import pytest
import shapely

from terrashot.domain.area import Area, box_outline, chips_of
from terrashot.domain.grid import centres_deg, utm_zone
from terrashot.errors import InputError


@pytest.mark.parametrize(
    "box",
    [(9.4, 45.1, 9.6, 45.2), (-0.2, -0.1, 0.2, 0.1), (5.9, 45.0, 6.1, 45.1), (179.9, -17.0, -179.9, -16.9),
     (4.0, 61.0, 4.3, 61.1)],
)  # fmt: skip
def test_every_centre_lies_inside_and_belongs_to_the_zone_of_its_chip(box):
    area = Area("a", box_outline(*box))
    chips = chips_of(area, 640.0)
    lon, lat = centres_deg(chips)
    assert shapely.contains_xy(area.outline, lon, lat).all()
    assert utm_zone(lon, lat).tolist() == [chip.epsg for chip in chips]
    assert len({chip.id for chip in chips}) == len(chips)


@pytest.mark.parametrize("box", [(9.0, 45.0, 9.8, 45.4), (-0.4, -0.3, 0.4, 0.3), (179.7, -17.0, -179.7, -16.5)])
def test_the_chips_cover_the_area(box):
    west, south, east, north = box
    width_km = ((east - west) % 360) * 111.32 * np.cos(np.radians((south + north) / 2))
    expected = width_km * (north - south) * 110.9 / 0.64**2
    assert len(chips_of(Area("a", box_outline(*box)), 640.0)) == pytest.approx(expected, rel=0.05)


def test_a_smaller_outline_keeps_the_ids_of_the_larger():
    large = {chip.id for chip in chips_of(Area("a", box_outline(9.4, 45.1, 9.6, 45.2)), 640.0)}
    small = {chip.id for chip in chips_of(Area("b", box_outline(9.45, 45.13, 9.5, 45.17)), 640.0)}
    assert small < large


@pytest.mark.parametrize("box", [(0, 1, 1, 1), (0, 2, 1, 1), (0, 0, 0, 1), (500_000, 0, 510_000, 1), (0, 0, 1, 91)])
def test_what_is_no_box_on_the_globe_is_refused(box):
    with pytest.raises(InputError, match="needs west, south, east, north in degrees"):
        box_outline(*map(float, box))
