"""What is subtracted from a Sentinel-2 file follows its flag or its baseline, and the pixels are asked whether that can be."""

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stac_items import REAL, of_baseline, small_item, stac_json, twin
from terrashot.errors import InputError
from terrashot.ingest.boa_offset import Offset, clear_land, decide_offset, guard_offset
from terrashot.ingest.reflectance import reflectance
from terrashot.remote.profiles import PROFILES
from terrashot.remote.stac_item import acquisition_of

EARTH_SEARCH, COLLECTION_1 = PROFILES["earth-search/sentinel-2-l2a"], PROFILES["earth-search/sentinel-2-c1-l2a"]
PLANETARY, CDSE = PROFILES["planetary-computer/sentinel-2-l2a"], PROFILES["cdse/sentinel-2-l2a"]
SHIFTED, PLAIN = Offset(-1000, False, ""), Offset(0, True, "")
STATED = {"scale": 0.0001, "offset": -0.1}
DATES = ["2020-02-19T11:34:25Z", "2022-01-24T11:34:25Z", "2022-01-25T11:34:25Z", "2025-08-27T09:19:52Z"]


def decided(item, profile=EARTH_SEARCH, kind="red"):
    offset = decide_offset(acquisition_of(item), profile, kind)
    return offset.offset_dn, offset.harmonised


@pytest.fixture
def real(shared_data):
    return stac_json(shared_data, REAL)


def test_the_real_item_of_baseline_02_14_has_no_offset(real):
    assert decided(real) == (0, True)


@pytest.mark.parametrize("applied", [False, None])
@pytest.mark.parametrize(
    "bands", [STATED, {"offset": 0}, {"offset": None}], ids=["states -0.1", "states 0", "states none"]
)
@pytest.mark.parametrize("baseline", ["04.00", "04.01", "05.00", "05.11", "10.00"])
def test_a_twin_of_a_new_baseline_is_shifted_whatever_its_bands_state(real, baseline, bands, applied):
    assert decided(of_baseline(real, baseline, bands=bands, earthsearch__boa_offset_applied=applied)) == (-1000, False)


@pytest.mark.parametrize("bands", [STATED, {"offset": 0}], ids=["states -0.1", "states 0"])
@pytest.mark.parametrize("baseline", ["02.14", "03.01", "04.00", "05.09"])
def test_a_twin_whose_flag_says_applied_is_left_alone(real, baseline, bands):
    """As the real item S2A_39QTA_20230628_0_L2A of Earth Search: baseline 05.09, flag true, raster:offset -0.1 all the same."""
    assert decided(of_baseline(real, baseline, bands=bands, earthsearch__boa_offset_applied=True)) == (0, True)


@pytest.mark.parametrize("baseline", ["00.01", "02.14", "03.01", "03.99"])
def test_a_twin_of_an_old_baseline_is_not_shifted_though_its_bands_state_it(real, baseline):
    """A collection's item_assets state -0.1 for all its items, the old ones too."""
    assert decided(of_baseline(real, baseline, bands=STATED)) == (0, True)


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize(("baseline", "offset"), [("02.14", (0, True)), ("05.00", (-1000, False))])
def test_the_baseline_decides_and_not_the_date(real, date, baseline, offset):
    """Reprocessed archives carry the offset on old dates."""
    assert decided(of_baseline(real, baseline, datetime=date)) == offset


@pytest.mark.parametrize(("bands", "offset"), [(STATED, (-1000, False)), ({"offset": 0}, (0, True))], ids=["-0.1", "0"])
def test_without_a_baseline_the_stated_offset_is_taken(real, bands, offset):
    assert decided(twin(real, bands=bands, s2__processing_baseline=None, s2__product_uri=None)) == offset


def test_with_neither_baseline_nor_offset_nothing_is_guessed(real):
    with pytest.raises(InputError, match=r"S2A_29RKH_20200219_0_L2A.*neither"):
        decided(twin(real, bands={"offset": None}, s2__processing_baseline=None, s2__product_uri=None))


def test_the_baseline_in_a_products_name_is_enough(real):
    item = twin(of_baseline(real, "05.00"), bands={"offset": None}, s2__processing_baseline=None)
    assert decided(item) == (-1000, False)


def test_a_flag_of_the_old_earth_search_is_read_too(real):
    item = twin(of_baseline(real, "04.00"), earthsearch__boa_offset_applied=None, sentinel__boa_offset_applied=True)
    assert decided(item) == (0, True)


@pytest.mark.parametrize(("baseline", "offset"), [("02.12", (0, True)), ("03.01", (0, True)), ("04.00", (-1000, False)), ("05.10", (-1000, False))])  # fmt: skip
def test_twins_of_planetary_computers_item_follow_their_baseline(shared_data, baseline, offset):
    item = stac_json(shared_data, "planetary-computer_s2-l2a.json")
    name = item["properties"]["s2:product_uri"].replace("_N0212_", f"_N{baseline.replace('.', '')}_")
    twin_item = twin(item, s2__processing_baseline=baseline, s2__product_uri=name)
    assert {kind: decided(twin_item, PLANETARY, kind) for kind in ("red", "green", "blue")} == dict.fromkeys(
        ("red", "green", "blue"), offset
    )


def test_a_flag_is_not_looked_for_where_the_catalogue_has_none(shared_data):
    item = stac_json(shared_data, "planetary-computer_s2-l2a.json")
    name = item["properties"]["s2:product_uri"].replace("_N0212_", "_N0500_")
    assert decided(twin(item, s2__processing_baseline="05.00", s2__product_uri=name, earthsearch__boa_offset_applied=True), PLANETARY) == (-1000, False)  # fmt: skip


def test_collection_1_of_earth_search_is_shifted(real):
    item = of_baseline(real, "05.00", bands=STATED, earthsearch__boa_offset_applied=None)
    assert decided(item, COLLECTION_1) == (-1000, False)


@pytest.mark.parametrize(("number", "offset"), [("0214", (0, True)), ("0511", (-1000, False))])
def test_an_item_in_the_form_of_copernicus_data_space_follows_the_baseline_in_its_id(number, offset):
    """Made up after the form that its documentation gives: no real item with assets was at hand."""
    item = small_item(
        id=f"S2B_MSIL2A_20200219T112111_N{number}_R037_T29RKH_20230219T123947", collection="sentinel-2-l2a"
    )
    item["properties"] = {
        "datetime": "2020-02-19T11:21:11.024Z",
        "processing:version": f"{number[:2]}.{number[2:]}",
        "proj:code": "EPSG:32629",
    }
    item["assets"] = {
        "B04_10m": {
            "href": "s3://eodata/B04.jp2",
            "data_type": "uint16",
            "nodata": 0,
            "raster:scale": 0.0001,
            "raster:offset": -0.1,
        }
    }
    assert decided(item, CDSE) == offset


@pytest.mark.parametrize("bands", [{"scale": 0.001}, {"offset": -0.2}, {"offset": 1000}])
def test_a_scale_or_offset_that_sentinel_2_has_not_is_refused(bands):
    with pytest.raises(InputError, match="red"):
        decided(twin(small_item(), bands=bands))


@pytest.mark.parametrize(("name", "kind"), [("earth-search/sentinel-2-l2a", "mask"), ("earth-search/sentinel-2-l2a", "aot"), ("planetary-computer/sentinel-1-rtc", "vv")])  # fmt: skip
def test_what_is_no_reflectance_has_no_offset(name, kind):
    with pytest.raises(InputError, match="no reflectance"):
        decided(small_item(), PROFILES[name], kind)


def test_the_note_says_why(real):
    note = decide_offset(acquisition_of(of_baseline(real, "05.00", bands={"offset": 0})), EARTH_SEARCH, "red").note
    assert note == "baseline 05.00, though the item says 0"


# The pixels: real ones of the item above, and of five other places.


def clear_pixels(shared, band="B02"):
    folder = shared / "earthsearch-v1-s2-29RKH"
    with rasterio.open(folder / f"{band}.tif") as file, rasterio.open(folder / "SCL.tif") as classes:
        dn, scl = file.read(1), classes.read(1)
    clear = np.kron(clear_land(scl), np.ones((2, 2), bool)) & (dn != 0)
    return dn[clear]


def place_pixels(shared, place):
    with rasterio.open(shared / "terramind-s1rtc-s2l2a-lulc" / "S2L2A" / f"{place}.tif") as file:
        return file.read(4).ravel().astype(np.uint16)


@pytest.mark.parametrize("place", ["282D_485L_3_3", "38D_378R_2_3", "637U_59R_1_3"])
def test_the_guard_sees_in_real_pixels_that_they_were_shifted_before(shared_data, place):
    found = guard_offset(SHIFTED, place_pixels(shared_data, place))
    assert (found.offset_dn, found.harmonised) == (0, True) and "applied already" in found.note


def test_the_guard_keeps_the_offset_of_real_pixels_that_carry_it(shared_data):
    """433D_629L_3_1 is of 2020-04-08, reprocessed: its least red is 1047."""
    assert guard_offset(SHIFTED, place_pixels(shared_data, "433D_629L_3_1")) == SHIFTED


@pytest.mark.parametrize("place", ["282D_485L_3_3", "38D_378R_2_3", "609U_541L_3_0", "637U_59R_1_3"])
def test_the_guard_keeps_the_offset_of_the_same_places_had_they_carried_it(shared_data, place):
    assert guard_offset(SHIFTED, place_pixels(shared_data, place) + np.uint16(1000)) == SHIFTED


def test_over_bright_desert_and_cloud_the_guard_sees_nothing(shared_data):
    """What it cannot do: 29RKH is sand and 609U cloud, neither dark enough to fall below 0."""
    assert guard_offset(SHIFTED, clear_pixels(shared_data)) == SHIFTED
    assert guard_offset(SHIFTED, place_pixels(shared_data, "609U_541L_3_0")) == SHIFTED


def test_the_guard_asks_only_where_something_is_to_be_subtracted():
    assert guard_offset(PLAIN, np.ones(5000, np.uint16)) == PLAIN


def test_few_clear_pixels_decide_nothing_and_that_is_said():
    found = guard_offset(SHIFTED, np.ones(999, np.uint16))
    assert found.offset_dn == -1000 and "too few" in found.note


@given(st.integers(0, 100))
def test_the_guard_turns_where_more_than_three_in_a_hundred_fall_below_zero(percent):
    dn = np.full(10_000, 1200, np.uint16)
    dn[: percent * 100] = 900
    assert (guard_offset(SHIFTED, dn).offset_dn == 0) == (percent > 3)


@given(
    arrays.arrays(st.sampled_from([np.uint16, np.int16]), (5, 7), elements=st.integers(0, 32767)),
    st.sampled_from([SHIFTED, PLAIN]),
)
def test_reflectance_is_the_naive_quotient_to_the_last_bit(dn, offset):
    naive = np.array([[np.nan if n == 0 else (int(n) + offset.offset_dn) / 10_000 for n in row] for row in dn]).astype(
        np.float32
    )
    found = reflectance(dn, offset)
    assert found.dtype == np.float32 and np.array_equal(found, naive, equal_nan=True)


def test_no_data_is_told_before_the_shift_and_negatives_stay():
    dn = np.array([[0, 1, 999, 1000, 1001, 65535]], np.uint16)
    found = reflectance(dn, SHIFTED)
    assert np.array_equal(found, np.array([[np.nan, -0.0999, -0.0001, 0, 0.0001, 6.4535]], np.float32), equal_nan=True)


def test_a_shifted_twin_of_real_pixels_has_the_reflectance_of_the_original(shared_data):
    with rasterio.open(shared_data / "earthsearch-v1-s2-29RKH" / "B04.tif") as file:
        dn = file.read(1)
    dn[:9, :9] = 0
    later = np.where(dn == 0, 0, dn + 1000).astype(np.uint16)
    assert np.array_equal(reflectance(later, SHIFTED), reflectance(dn, PLAIN), equal_nan=True)
    assert np.isnan(reflectance(later, SHIFTED)[:9, :9]).all()
