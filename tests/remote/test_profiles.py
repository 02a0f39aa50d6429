"""What a profile names is in the items of its catalogue, and a plane is all that a reader needs."""

import math
from dataclasses import replace

import pytest

from stac_items import small_item, stac_json
from terrashot.domain.acquisition import Acquisition
from terrashot.errors import InputError, UsageError
from terrashot.remote.profiles import PROFILES, Plane, plane_of, profile_of
from terrashot.remote.stac_item import acquisition_of

# profile, a real item of it (or, where the folder has none, its collection)
REAL = [
    ("planetary-computer/sentinel-2-l2a", "planetary-computer_s2-l2a.json"),
    ("planetary-computer/sentinel-1-rtc", "planetary-computer_s1-rtc.collection-template.json"),
    ("planetary-computer/sentinel-1-grd", "planetary-computer_s1-grd-item-raw.json"),
    ("earth-search/sentinel-2-l2a", "earth-search-v1_s2-l2a_pb0214.json"),
]


@pytest.mark.parametrize(("name", "file"), REAL)
def test_every_asset_that_a_profile_names_is_in_a_real_item(shared_data, name, file):
    profile, real = PROFILES[name], stac_json(shared_data, file)
    there = real["assets"] if real["type"] == "Feature" else real["item_assets"]
    named = {*profile.channels.values(), *([profile.mask] if profile.mask else [])}
    assert named <= there.keys()


def test_a_profile_of_a_real_item_is_of_its_collection_and_tile_property(shared_data):
    for name, file in REAL[:1] + REAL[3:]:
        item, profile = stac_json(shared_data, file), PROFILES[name]
        assert item["collection"] == profile.collection
        tile = acquisition_of(item).tile
        assert profile.asks_for_tile(tile) == {profile.tile_property: {"eq": item["properties"][profile.tile_property]}}


def test_optical_profiles_have_the_studys_channels_and_a_mask_and_radar_ones_both_polarisations():
    for profile in PROFILES.values():
        optical = profile.unit == "reflectance"
        assert ({"red", "green", "blue"} if optical else {"vv", "vh"}) <= profile.channels.keys()
        assert (profile.mask is not None) == (profile.offset_rule is not None) == optical


def test_radars_own_numbers_are_never_taken_for_a_calibrated_grid():
    uncalibrated = {name for name, profile in PROFILES.items() if profile.unit == "uncalibrated"}
    assert uncalibrated == {name for name, profile in PROFILES.items() if not profile.has_grid}
    assert uncalibrated == {name for name in PROFILES if name.endswith("sentinel-1-grd")}


def test_a_plane_is_all_that_a_reader_needs(shared_data):
    found = acquisition_of(stac_json(shared_data, "earth-search-v1_s2-l2a_pb0214.json"))
    assert plane_of(found, PROFILES["earth-search/sentinel-2-l2a"], "red") == Plane(
        found.assets["red"].href,
        1,
        0.0,
        "uint16",
        0.0001,
        0.0,
        "EPSG:32629",
        (10.0, 0.0, 199980.0, 0.0, -10.0, 2800020.0),
        (10980, 10980),
    )


def test_no_data_that_an_item_leaves_unsaid_is_the_products(shared_data):
    found = acquisition_of(stac_json(shared_data, "planetary-computer_s2-l2a.json"))
    planes = [plane_of(found, PROFILES["planetary-computer/sentinel-2-l2a"], kind) for kind in ("red", "mask")]
    assert [(plane.nodata, plane.dtype) for plane in planes if plane] == [(0.0, None), (0.0, None)]


def test_a_grid_fitted_to_a_scene_in_radar_geometry_is_not_passed_on(shared_data):
    found = acquisition_of(stac_json(shared_data, "stactools_s1-grd.json"))
    plane = plane_of(found, PROFILES["planetary-computer/sentinel-1-grd"], "vv")
    assert found.assets["vv"].transform is not None
    assert plane and (plane.crs, plane.transform, plane.shape, plane.nodata) == (None, None, None, None)


def small() -> Acquisition:
    return acquisition_of(small_item())


def test_a_channel_that_an_item_lacks_is_absent_and_one_that_a_product_lacks_is_refused():
    profile = PROFILES["earth-search/sentinel-2-l2a"]
    assert plane_of(small(), profile, "blue") is None
    with pytest.raises(InputError, match=r"no channel 'vv'; it has .*red.*mask"):
        plane_of(small(), profile, "vv")


def test_a_nan_that_an_item_states_is_kept():
    item = small_item()
    item["assets"]["red"]["raster:bands"][0]["nodata"] = "nan"
    plane = plane_of(acquisition_of(item), PROFILES["earth-search/sentinel-2-l2a"], "red")
    assert plane and plane.nodata is not None and math.isnan(plane.nodata)


def test_an_unknown_profile_is_answered_with_those_that_there_are():
    with pytest.raises(UsageError, match="no catalogue profile 'nasa'; there are planetary-computer/sentinel-2-l2a"):
        profile_of("nasa")
    assert profile_of("cdse/sentinel-2-l2a").channels["red"] == "B04_10m"


def test_a_product_without_tiles_is_not_searched_by_one():
    with pytest.raises(UsageError, match="no tiles"):
        PROFILES["planetary-computer/sentinel-1-rtc"].asks_for_tile("29RKH")


def test_a_collection_lies_beside_its_search():
    assert (
        PROFILES["cdse/sentinel-2-l2a"].collection_url
        == "https://stac.dataspace.copernicus.eu/v1/collections/sentinel-2-l2a"
    )


@pytest.mark.parametrize("mark", ["", "/", "?key=a/b", "/?key=a/search"])
def test_a_profile_turned_to_another_server_asks_it_for_the_collection_too(mark):
    there = replace(PROFILES["earth-search/sentinel-2-l2a"], search_url=f"https://archive.local/stac/search{mark}")
    assert there.collection_url == f"https://archive.local/stac/collections/sentinel-2-l2a{mark.removeprefix('/')}"
