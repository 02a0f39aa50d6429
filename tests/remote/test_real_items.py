"""Every item of the sample data says as ours what it says in its file."""

import json
import math
from datetime import UTC, datetime

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from stac_items import stac_json
from terrashot.domain.acquisition import Band
from terrashot.errors import InputError
from terrashot.remote.stac_item import acquisition_of

# file, id, identity, sensed (UTC), platform, direction, relative orbit, tile, baseline, offset applied, cloud %, number of assets
FACTS = [
    ("earth-search-v0_s2-cogs", "S2A_28QCH_20200714_0_L2A", "S2A_20200714T115221_T28QCH", (2020, 7, 14, 11, 55, 52), "sentinel-2a", None, 123, "28QCH", "02.14", None, 2.36, 20),
    ("earth-search-v1_s2-l2a_pb0214", "S2A_29RKH_20200219_0_L2A", "S2A_20200219T112111_T29RKH", (2020, 2, 19, 11, 34, 25, 405000), "sentinel-2a", None, 37, "29RKH", "02.14", False, 4.051854, 35),
    ("planetary-computer_s1-grd-item-raw", "S1A_IW_GRDH_1SDV_20230628T210705_20230628T210730_049191_05EA4D_21D1", "S1A_IW_20230628T210705_20230628T210730_049191_05EA4D", (2023, 6, 28, 21, 7, 18, 488895), "sentinel-1a", "descending", 119, None, None, None, None, 10),
    ("planetary-computer_s2-l2a", "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531", "S2B_20190629T212529_T06VVN", (2019, 6, 29, 21, 25, 29, 24000), "sentinel-2b", "descending", 43, "06VVN", "02.12", None, 0.314306, 24),
    ("planetary-computer_s2-l2a_raster_ext", "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531", "S2B_20190629T212529_T06VVN", (2019, 6, 29, 21, 25, 29, 24000), "sentinel-2b", "descending", 43, "06VVN", "02.12", None, 0.314306, 24),
    ("raster-ext-example_s2", "S2B_33SVB_20210221_0_L2A", "S2B_20210221T095029_T33SVB", (2021, 2, 21, 10, 0, 17), "sentinel-2b", None, 79, "33SVB", "02.14", None, 21.22, 12),
    ("stactools_s1-grd", "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13", "S1A_IW_20210809T173953_20210809T174018_039156_049F13", (2021, 8, 9, 17, 40, 5, 653288), "sentinel-1a", "ascending", 59, None, None, None, None, 10),
    ("stactools_s1-rtc-indigo", "S1B_20161121_12SYJ_ASC", "sentinel-1b_20161121T010937_T12SYJ", (2016, 11, 21, 1, 9, 37), "sentinel-1b", "ascending", 49, "12SYJ", None, None, None, 3),
    ("stactools_s2-l2a_pb0400_stac1.1", "S2B_T33XWJ_20220413T150756_L2A", "S2B_20220413T150759_T33XWJ", (2022, 4, 13, 15, 7, 59, 24000), "sentinel-2b", "ascending", 25, "33XWJ", "04.00", None, 98.944211, 42),
    ("stactools_s2-l2a_pb0509_stac1.1", "S2A_T01WCP_20230625T234624_L2A", "S2A_20230625T234621_T01WCP", (2023, 6, 25, 23, 46, 21, 24000), "sentinel-2a", "descending", 73, "01WCP", "05.09", None, 15.047897, 42),
]  # fmt: skip

# file, asset, media type ends, crs, first and last number of the transform, shape, its first band
ASSETS = [
    ("earth-search-v0_s2-cogs", "B02", "EPSG:32628", (10.0, 2300040.0), (10980, 10980), None),
    ("earth-search-v0_s2-cogs", "SCL", "EPSG:32628", (20.0, 2300040.0), (5490, 5490), None),
    ("earth-search-v1_s2-l2a_pb0214", "red", "EPSG:32629", (10.0, 2800020.0), (10980, 10980), Band(1, "red", "red", 0.0, "uint16", 0.0001, 0.0)),
    ("earth-search-v1_s2-l2a_pb0214", "scl", "EPSG:32629", (20.0, 2800020.0), (5490, 5490), Band(1, None, None, 0.0, "uint8", None, None)),
    ("planetary-computer_s1-grd-item-raw", "vv", None, None, None, Band(1, "VV")),
    ("planetary-computer_s2-l2a", "B02", "EPSG:32606", (10.0, 6800040.0), (10980, 10980), Band(1, "B02", "blue")),
    ("planetary-computer_s2-l2a", "SCL", "EPSG:32606", (20.0, 6800040.0), (5490, 5490), None),
    ("planetary-computer_s2-l2a_raster_ext", "B02", "EPSG:32606", (10.0, 6800040.0), (10980, 10980), Band(1, "B02", "blue", 0.0, "uint16")),
    ("raster-ext-example_s2", "B02", "EPSG:32633", (10.0, 4200000.0), (10980, 10980), Band(1, None, "blue", 0.0, "uint16")),
    ("raster-ext-example_s2", "visual", "EPSG:32633", (10.0, 4200000.0), (10980, 10980), Band(1, "B04", "red")),
    ("stactools_s1-grd", "vh", "EPSG:4326", (0.0002204877068841449, 46.436539), (26144, 16676), Band(1, "VH")),
    ("stactools_s1-rtc-indigo", "gamma0_vv", "EPSG:32612", (20.0, 4400040.0), (5490, 5490), Band(1, None, None, 0.0, "float32")),
    ("stactools_s1-rtc-indigo", "incidence", "EPSG:32612", (20.0, 4400040.0), (5490, 5490), Band(1, None, None, 0.0, "uint16", 0.01)),
    ("stactools_s2-l2a_pb0400_stac1.1", "blue", "EPSG:32633", (10.0, 8900040.0), (10980, 10980), Band(1, "B02", "blue", 0.0, "uint16", 0.0001, -0.1)),
    ("stactools_s2-l2a_pb0509_stac1.1", "scl", "EPSG:32601", (20.0, 7400040.0), (5490, 5490), Band(1, None, None, 0.0, "uint8", None, None)),
]  # fmt: skip

ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        10**400,
        math.nan,
        math.inf,
        "",
        "x",
        "\x00",
        "nan",
        "EPSG:0",
        "9" * 9000,
        [],
        [[]],
        [0] * 6,
        [None],
        {},
        {"href": 5},
        [{}],
        [{"nodata": []}],
    ]
)

COLLECTIONS = ["asf_sentinel-1-global-coherence.collection", "planetary-computer_esa-worldcover.collection-template", "planetary-computer_s1-rtc.collection-template", "planetary-computer_s2-l2a.collection"]  # fmt: skip


@pytest.mark.parametrize("facts", FACTS, ids=lambda facts: facts[0])
def test_a_real_item_is_read_with_all_that_it_says(shared_data, facts):
    file, item_id, identity, sensed, platform, direction, orbit, tile, baseline, applied, cloud, n_assets = facts
    found = acquisition_of(stac_json(shared_data, f"{file}.json"))
    assert (found.id, found.identity, found.sensed) == (item_id, identity, datetime(*sensed, tzinfo=UTC))
    assert (found.platform, found.orbit_direction, found.relative_orbit) == (platform, direction, orbit)
    assert (found.tile, found.baseline, found.offset_applied, found.cloud_percent) == (tile, baseline, applied, cloud)
    assert len(found.assets) == n_assets


@pytest.mark.parametrize("facts", ASSETS, ids=lambda facts: f"{facts[0]}-{facts[1]}")
def test_an_asset_of_a_real_item_is_read_with_all_that_it_says(shared_data, facts):
    file, key, crs, corner, shape, band = facts
    item = stac_json(shared_data, f"{file}.json")
    asset = acquisition_of(item).assets[key]
    assert asset.href == item["assets"][key]["href"] and asset.media_type == item["assets"][key]["type"]
    assert (asset.crs, asset.shape) == (crs, shape)
    assert (asset.transform and (asset.transform[0], asset.transform[5])) == corner
    assert (asset.bands[0] if asset.bands else None) == band


def test_that_table_has_every_file_of_the_folder(shared_data):
    files = {path.name.removesuffix(".json") for path in (shared_data / "stac-items").glob("*.json")}
    assert files == {facts[0] for facts in FACTS} | set(COLLECTIONS)


def test_the_item_beside_the_pixels_is_the_one_of_earth_search(shared_data):
    beside = json.loads((shared_data / "earthsearch-v1-s2-29RKH" / "S2A_29RKH_20200219_0_L2A.json").read_text("utf-8"))
    assert acquisition_of(beside) == acquisition_of(stac_json(shared_data, "earth-search-v1_s2-l2a_pb0214.json"))


@given(st.data())
def test_a_real_item_with_any_value_at_any_place_gives_our_value_or_our_error(shared_data, data):
    item = stac_json(shared_data, f"{data.draw(st.sampled_from([facts[0] for facts in FACTS]))}.json")
    holder, path = item, []
    while isinstance(holder, dict | list) and holder and (not path or data.draw(st.integers(0, 3))):
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        path.append((holder, key))
        holder = holder[key]
    path[-1][0][path[-1][1]] = data.draw(ODD)
    try:
        found = acquisition_of(item)
    except InputError as error:
        assert len(str(error)) < 1000 and "\n" not in str(error)
    else:
        assert found.footprint.is_valid and found.sensed.tzinfo is UTC


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_collection_is_no_item(shared_data, name):
    with pytest.raises(InputError, match="type"):
        acquisition_of(stac_json(shared_data, f"{name}.json"))


def test_a_picture_of_three_bands_has_three(shared_data):
    visual = acquisition_of(stac_json(shared_data, "stactools_s2-l2a_pb0400_stac1.1.json")).assets["visual"]
    assert [(band.index, band.common_name, band.dtype) for band in visual.bands] == [(1, "red", "uint8"), (2, "green", "uint8"), (3, "blue", "uint8")]  # fmt: skip


def test_what_an_asset_leaves_unsaid_its_collection_says(shared_data):
    """Planetary Computer tells no data and type in the collection alone."""
    item_assets = stac_json(shared_data, "planetary-computer_s2-l2a.collection.json")["item_assets"]
    item = stac_json(shared_data, "planetary-computer_s2-l2a.json")
    found = acquisition_of(item, item_assets).assets
    assert found["B02"].bands == (Band(1, "B02", "blue", 0.0, "uint16"),)
    assert found["SCL"].bands[0].dtype == "uint8"
    assert found["B02"].href == item["assets"]["B02"]["href"]


def test_a_radar_item_without_bands_takes_them_from_its_collection(shared_data):
    item_assets = stac_json(shared_data, "planetary-computer_s1-rtc.collection-template.json")["item_assets"]
    vv = acquisition_of(stac_json(shared_data, "planetary-computer_s1-grd-item-raw.json"), item_assets).assets["vv"]
    assert vv.bands == (Band(1, "VV", None, -32768.0, "float32"),) and vv.gsd_m == 10.0


def test_a_footprint_across_the_antimeridian_stays_in_two_pieces_and_small(shared_data):
    outline = acquisition_of(stac_json(shared_data, "stactools_s2-l2a_pb0509_stac1.1.json")).footprint
    assert shapely.get_num_geometries(outline) == 2 and outline.is_valid
    assert outline.area < 3 and not outline.intersects(shapely.Point(0, 66))
