"""The chips of a study's areas: each once, in the first area that holds it, with a place."""

import json
import time

import numpy as np
import pyproj
import pytest
import shapely

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.grid import chip_from_id, utm_zone
from terrashot.errors import InputError, UsageError
from terrashot.store.geoparquet import hilbert_order

WEST = Area("west", box_outline(9.40, 45.10, 9.50, 45.20))
BOTH = Area("both", box_outline(9.45, 45.10, 9.55, 45.20))


def test_a_chip_of_two_areas_belongs_to_the_first_and_that_is_said():
    chips, notes = chips_of_areas([WEST, BOTH], 640.0)
    assert len(set(chips.ids)) == len(chips)
    west = np.array(chips.area) == "west"
    assert set(np.array(chips.ids)[west]) == set(chips_of_areas([WEST], 640.0)[0].ids)
    shared = len(chips_of_areas([BOTH], 640.0)[0]) - int((~west).sum())
    assert notes == (f"{shared} chips of area 'both' lie in an area named before it and stay there",)
    assert chips_of_areas([WEST], 640.0)[1] == ()


def test_every_row_tells_the_same_place_in_every_column():
    chips, _ = chips_of_areas([WEST], 640.0)
    assert hilbert_order(chips).tolist() == list(range(len(chips)))
    assert [chip_from_id(i).row for i in chips.ids] == chips.utm[:, 1].tolist()
    assert [chip_from_id(i).col for i in chips.ids] == chips.utm[:, 2].tolist()
    assert chips.utm[:, 0].tolist() == utm_zone(chips.lon_deg, chips.lat_deg).tolist()
    assert shapely.contains_xy(chips.footprint, chips.lon_deg, chips.lat_deg).all()
    assert chips.group == chips.split == (None,) * len(chips)


def test_at_a_seam_each_zone_keeps_its_own_side():
    chips, _ = chips_of_areas([Area("seam", box_outline(11.9, 45.0, 12.1, 45.1))], 640.0)
    assert set(chips.utm[:, 0].tolist()) == {32632, 32633}
    assert (chips.lon_deg[chips.utm[:, 0] == 32632] < 12).all()
    assert (chips.lon_deg[chips.utm[:, 0] == 32633] >= 12).all()


def test_a_concave_outline_with_a_hole_holds_no_chip_outside_it():
    ring = shapely.Polygon(
        [(9, 45), (9.5, 45), (9.5, 45.4), (9.25, 45.1), (9, 45.4)], [[(9.05, 45.02), (9.2, 45.02), (9.1, 45.1)]]
    )
    chips, _ = chips_of_areas([Area("ring", ring)], 640.0)
    assert shapely.contains_xy(ring, chips.lon_deg, chips.lat_deg).all()
    box, _ = chips_of_areas([Area("box", shapely.box(*ring.bounds))], 640.0)
    inside = shapely.contains_xy(ring, box.lon_deg, box.lat_deg)
    assert set(chips.ids) == {i for i, held in zip(box.ids, inside, strict=True) if held}


def test_an_area_without_a_chip_and_one_beyond_utm_are_refused():
    with pytest.raises(InputError, match="area 'dot' holds no chip of 4480 m"):
        chips_of_areas([Area("dot", box_outline(9.0, 45.0, 9.001, 45.001))], 4480.0)
    with pytest.raises(InputError, match="UTM ends at 84 N and 80 S"):
        chips_of_areas([Area("pole", box_outline(9.0, 83.0, 10.0, 85.0))], 4480.0)
    with pytest.raises(UsageError, match="whole number of metres"):
        chips_of_areas([WEST], 19.2)


def test_a_country_holds_as_many_chips_as_its_ground_allows_and_in_seconds(shared_data):
    content = json.loads((shared_data / "natural-earth" / "ne_110m_admin_0_countries.json").read_text("utf-8"))
    italy = next(f["geometry"] for f in content["features"] if f["properties"]["NAME"] == "Italy")
    outline = shapely.from_geojson(json.dumps(italy))
    started = time.process_time()
    chips, _ = chips_of_areas([Area("italy", outline)], 4480.0)
    assert time.process_time() - started < 10
    ground_m2 = abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(outline)[0])
    assert len(chips) == pytest.approx(ground_m2 / 4480.0**2, rel=0.01)
