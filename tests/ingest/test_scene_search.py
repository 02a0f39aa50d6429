"""Where a catalogue is asked for scenes, and what of its items is kept."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from stac_items import small_item
from terrashot.domain.cells import cells_of, footprints
from terrashot.domain.grid import Grid
from terrashot.ingest.scene_search import Places, asset_keys, slimmed
from terrashot.remote.profiles import profile_of
from terrashot.remote.stac_item import acquisition_of

PRODUCT = profile_of("earth-search/sentinel-2-l2a")


def places(centres, size_m=4480.0):
    lon, lat = np.array(centres, dtype=np.float64).T
    return Places(lon.copy(), lat.copy(), size_m * 2**0.5 / 2)


@given(st.integers(1, 60), st.booleans(), st.floats(-2.9, 2.9), st.floats(0.1, 83.5))
def test_the_boxes_hold_all_of_every_chip_wherever_on_earth(zone, is_north, off_deg, lat_deg):
    epsg = (32600 if is_north else 32700) + zone
    grid = Grid(epsg, 4480.0)
    x_m = 500_000 + off_deg * 111_320 * np.cos(np.radians(lat_deg))
    y_m = lat_deg * 110_600 if is_north else 10_000_000 - lat_deg * 110_600
    chip = grid.chip_at(x_m, min(max(y_m, 10_000), 9_990_000))
    (outline,) = footprints(cells_of([chip]))
    middle = shapely.centroid(shapely.get_parts(outline)[0]) if outline.geom_type == "Polygon" else None
    centre = (middle.x, middle.y) if middle is not None else (180.0, shapely.centroid(outline).y)
    boxes = places([centre]).boxes()
    if outline.geom_type == "Polygon":
        assert shapely.covers(boxes, outline)
    assert boxes.is_valid and boxes.bounds[0] >= -180 and boxes.bounds[2] <= 180


def test_chips_on_both_sides_of_the_antimeridian_are_searched_on_both():
    boxes = places([(179.99, 10.0), (-179.99, 10.0)]).boxes()
    assert boxes.intersects(shapely.Point(179.995, 10.0)) and boxes.intersects(shapely.Point(-179.995, 10.0))
    assert boxes.area < 0.02


def test_far_apart_chips_are_searched_in_boxes_of_their_own():
    boxes = places([(10.5, 45.5), (20.5, 45.5)]).boxes()
    assert len(boxes.geoms) == 2 and boxes.area < 0.02


def test_only_the_assets_that_are_read_are_kept_and_the_item_is_still_one():
    item = small_item()
    item["assets"]["thumbnail"] = {"href": "https://example.com/t.jpg"}
    kept = slimmed(item, asset_keys(PRODUCT, ("red",), "red"))
    assert set(kept["assets"]) == {"red", "scl"} and "links" not in kept
    assert acquisition_of(kept) == acquisition_of({**item, "assets": kept["assets"]})


@pytest.mark.parametrize(
    ("kinds", "keys"), [(("green",), ("green", "red", "scl")), (("red", "nir"), ("red", "nir", "scl"))]
)
def test_the_channel_by_which_offsets_are_checked_and_the_mask_are_always_kept(kinds, keys):
    assert asset_keys(PRODUCT, kinds, "red") == keys
