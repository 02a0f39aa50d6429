"""An item becomes our value or an error that names item and field, whatever stands in it."""

import copy
import json
import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from stac_items import small_item, twin
from terrashot.domain.acquisition import Acquisition, Band
from terrashot.errors import InputError
from terrashot.remote.stac_item import acquisition_of


def with_asset(**fields: object) -> dict:
    item = small_item()
    item["assets"] = {"red": {"href": "https://example.com/B04.tif", **fields}}
    return item


def red(item: dict):
    return acquisition_of(item).assets["red"]


def places(value: object, path: tuple = ()):
    """Paths of all values in a JSON document."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from places(entry, (*path, key))


def put(item: dict, path: tuple, value: object) -> object:
    changed = copy.deepcopy(item)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if not path:
        return value
    holder[path[-1]] = value
    return changed


json_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([10**400, "nan", "EPSG:", 1e308]),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(list(places(small_item()))), json_value)
def test_any_value_at_any_place_gives_our_value_or_our_error(path, value):
    try:
        found = acquisition_of(put(small_item(), path, value))
    except InputError as error:
        assert len(str(error)) < 1000 and "\n" not in str(error)
    else:
        assert isinstance(found, Acquisition) and found.footprint.is_valid and found.footprint.area > 0
        numbers = [number for asset in found.assets.values() for number in (asset.transform or ())]
        assert all(map(math.isfinite, numbers))


@given(json_value)
def test_any_value_in_place_of_an_item_is_refused(value):
    with pytest.raises(InputError):
        acquisition_of(value)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("geometry",), None, "geometry"),
        (("geometry", "type"), "Point", "geometry"),
        (("geometry", "coordinates", 0, 1), [999.0, 24.0], "geometry"),
        (("geometry", "coordinates", 0, 1), [math.nan, 24.0], "geometry"),
        (("geometry", "coordinates", 0), [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0]], "geometry"),
        (("properties",), None, "properties"),
        (("properties", "datetime"), None, "datetime"),
        (("properties", "datetime"), "2020-02-19T11:34:25", "datetime"),
        (("properties", "datetime"), "yesterday", "datetime"),
        (("properties", "datetime"), 1582112065, "datetime"),
        (("properties", "eo:cloud_cover"), "4", "eo:cloud_cover"),
        (("properties", "eo:cloud_cover"), True, "eo:cloud_cover"),
        (("properties", "eo:cloud_cover"), 101, "eo:cloud_cover"),
        (("properties", "sat:orbit_state"), "sideways", "sat:orbit_state"),
        (("properties", "sat:relative_orbit"), 37.5, "sat:relative_orbit"),
        (("properties", "sat:relative_orbit"), True, "sat:relative_orbit"),
        (("properties", "grid:code"), "MGRS-61RKH", "grid:code"),
        (("properties", "s2:processing_baseline"), 2.14, "s2:processing_baseline"),
        (("properties", "s2:processing_baseline"), "2.14", "s2:processing_baseline"),
        (("properties", "earthsearch:boa_offset_applied"), "false", "boa_offset_applied"),
        (("properties", "proj:epsg"), "32629", "proj:epsg"),
        (("assets",), [], "assets"),
        (("assets", "red"), None, "red"),
        (("assets", "red", "href"), None, "href"),
        (("assets", "red", "proj:shape"), [10980, 0], "proj:shape"),
        (("assets", "red", "proj:transform"), [10, 0, 199980, 0, -10], "proj:transform"),
        (("assets", "red", "proj:transform"), [0, 0, 199980, 0, 0, 2800020], "proj:transform"),
        (("assets", "red", "proj:transform", 2), math.inf, "proj:transform"),
        (("assets", "red", "raster:bands", 0, "scale"), math.nan, "scale"),
        (("assets", "red", "raster:bands", 0, "nodata"), "none", "nodata"),
        (("assets", "red", "raster:bands"), {}, "raster:bands"),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_form_is_named_with_its_item(path, value, named):
    with pytest.raises(InputError, match="item S2A_29RKH_20200219_0_L2A") as caught:
        acquisition_of(put(small_item(), path, value))
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("s2:processing_baseline", "05.00"),
        ("sat:relative_orbit", 38),
        ("grid:code", "MGRS-30RKH"),
        ("platform", "sentinel-2b"),
    ],
)
def test_an_item_that_contradicts_its_products_name_is_refused(key, value):
    with pytest.raises(InputError, match=key):
        acquisition_of(put(small_item(), ("properties", key), value))


def test_a_name_of_many_lines_or_of_escapes_is_no_id():
    for name in ("a\nb", "\x1b[31mred", "x" * 300, ""):
        with pytest.raises(InputError, match="id"):
            acquisition_of(small_item(id=name))


def test_what_nobody_says_is_none():
    item = small_item(id="scene-1")
    item["properties"] = {"datetime": "2020-02-19T11:34:25Z"}
    item["assets"] = {"red": {"href": "B04.tif"}}
    found = acquisition_of(item)
    unsaid = (found.platform, found.orbit_direction, found.relative_orbit, found.tile, found.baseline, found.offset_applied, found.cloud_percent, found.made)  # fmt: skip
    assert unsaid == (None,) * 8 and found.identity == "scene-1"
    assert (found.assets["red"].crs, found.assets["red"].transform, found.assets["red"].bands) == (None, None, ())


def test_times_of_other_zones_are_told_in_utc():
    assert (
        acquisition_of(twin(small_item(), datetime="2020-03-01T01:30:00+02:00")).sensed.isoformat()
        == "2020-02-29T23:30:00+00:00"
    )


def test_where_there_is_no_moment_the_start_stands_for_it():
    found = acquisition_of(
        twin(small_item(), datetime=None, start_datetime="2020-02-19T11:34:00Z", end_datetime="2020-02-19T11:35:00Z")
    )
    assert found.sensed.isoformat() == "2020-02-19T11:34:00+00:00"


@pytest.mark.parametrize(
    "asset",
    [
        {"raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 1e-4, "offset": -0.1}], "eo:bands": [{"name": "B04", "common_name": "red"}]},
        {"bands": [{"name": "B04", "eo:common_name": "red", "nodata": 0, "data_type": "uint16", "raster:scale": 1e-4, "raster:offset": -0.1}]},
        {"bands": [{"name": "B04", "eo:common_name": "red"}], "nodata": 0, "data_type": "uint16", "raster:scale": 1e-4, "raster:offset": -0.1},
        {"bands": [{"name": "B04", "eo:common_name": "red"}], "raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 1e-4, "offset": -0.1}]},
    ],
    ids=["1.0", "1.1 in the band", "1.1 on the asset", "1.1 with the lists of 1.0"],
)  # fmt: skip
def test_all_forms_of_bands_say_the_same(asset):
    assert red(with_asset(**asset)).bands == (Band(1, "B04", "red", 0.0, "uint16", 1e-4, -0.1),)


@pytest.mark.parametrize(("said", "meant"), [(0, 0.0), (-32768, -32768.0), ("-inf", -math.inf), (None, None)])
def test_no_data_is_told_in_any_form(said, meant):
    assert red(with_asset(**{"raster:bands": [{"nodata": said, "data_type": "float32"}]})).bands[0].nodata == meant


def test_no_data_may_be_nan():
    assert math.isnan(red(with_asset(**{"raster:bands": [{"nodata": "nan"}]})).bands[0].nodata)


@pytest.mark.parametrize(("fields", "crs"), [({"proj:code": "EPSG:32633"}, "EPSG:32633"), ({"proj:epsg": 32633}, "EPSG:32633"), ({"proj:code": None, "proj:epsg": None}, "EPSG:32629"), ({"proj:code": "ESRI:54009"}, "ESRI:54009")])  # fmt: skip
def test_the_projection_is_told_in_any_form_and_by_the_item_for_its_assets(fields, crs):
    assert red(with_asset(**fields)).crs == crs


def test_a_transform_of_nine_numbers_is_one_of_six():
    six = [10, 0, 199980, 0, -10, 2800020]
    assert (
        red(with_asset(**{"proj:transform": [*six, 0, 0, 1]})).transform
        == red(with_asset(**{"proj:transform": six})).transform
        == tuple(six)
    )
    with pytest.raises(InputError, match="proj:transform"):
        red(with_asset(**{"proj:transform": [*six, 0, 1, 1]}))


def test_lists_of_bands_of_another_length_name_nothing():
    bands = red(
        with_asset(**{"raster:bands": [{"data_type": "uint16"}], "eo:bands": [{"name": "a"}, {"name": "b"}]})
    ).bands
    assert bands == (Band(1, None, None, None, "uint16"),)


def test_what_an_asset_says_itself_counts_before_its_collection():
    item_assets = {
        "red": {
            "gsd": 60,
            "type": "image/jp2",
            "raster:bands": [{"nodata": 255, "data_type": "uint8", "scale": 1, "offset": -0.1}],
        }
    }
    assert acquisition_of(small_item(), item_assets) == acquisition_of(small_item())


def test_other_ways_to_the_same_file_are_kept():
    """In the form of Copernicus Data Space; made up, since no real item was at hand."""
    asset = red(with_asset(alternate={"https": {"href": "https://example.com/download", "auth:refs": ["oidc"]}}))
    assert asset.alternates == (("https", "https://example.com/download"),)


@pytest.mark.parametrize("tile", [{"grid:code": "MGRS-6VVN"}, {"grid:code": "MGRS-06VVN"}, {"s2:mgrs_tile": "06VVN"}, {"mgrs:utm_zone": 6, "mgrs:latitude_band": "V", "mgrs:grid_square": "VN"}, {"mgrs:utm_zone": "06", "mgrs:latitude_band": "V", "mgrs:grid_square": "VN"}])  # fmt: skip
def test_a_tile_is_the_same_in_every_spelling(tile):
    item = small_item(id="scene-1")
    item["properties"] = {"datetime": "2020-02-19T11:34:25Z", **tile}
    assert acquisition_of(item).tile == "06VVN"


def test_an_outline_that_crosses_itself_is_mended():
    bow = small_item(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]})
    outline = acquisition_of(bow).footprint
    assert outline.is_valid and outline.area == pytest.approx(0.5)


def test_heights_in_an_outline_are_dropped():
    flat = small_item()
    high = copy.deepcopy(flat)
    for position in high["geometry"]["coordinates"][0]:
        position.append(312.0)
    assert shapely.equals(acquisition_of(high).footprint, acquisition_of(flat).footprint)


REPROCESSED = "S2A_MSIL2A_20200219T112111_N0500_R037_T29RKH_20230612T040000.SAFE"


def test_a_reprocessed_delivery_is_the_same_sensing():
    old = acquisition_of(small_item())
    new = acquisition_of(
        twin(small_item(id="S2A_29RKH_20200219_1_L2A"), s2__processing_baseline="05.00", s2__product_uri=REPROCESSED)
    )
    assert old.identity == new.identity
    assert (old.baseline, new.baseline) == ("02.14", "05.00")


def test_the_same_product_has_the_same_identity_in_two_catalogues():
    """Copernicus Data Space has the product's name as id, Planetary Computer the name without its baseline."""
    ids = [
        "S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN_20201006T080531",
        "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531",
    ]
    bare = {"datetime": "2019-06-29T21:25:29.024Z"}
    found = [acquisition_of(small_item(id=name, properties=bare)) for name in ids]
    assert found[0].identity == found[1].identity and [each.baseline for each in found] == ["02.12", None]
    assert [(each.platform, each.relative_orbit, each.tile) for each in found] == [("sentinel-2b", 43, "06VVN")] * 2


def test_radar_products_of_one_sensing_have_one_identity_whatever_follows_the_datatake():
    stem = "S1A_IW_GRDH_1SDV_20230628T210705_20230628T210730_049191_05EA4D"
    bare = {"datetime": "2023-06-28T21:07:18Z"}
    ids = [stem, f"{stem}_21D1", f"{stem}_rtc", f"{stem}_F1C5_COG"]
    assert len({acquisition_of(small_item(id=name, properties=bare)).identity for name in ids}) == 1


def test_other_tiles_orbits_and_platforms_are_other_sensings():
    names = ["S2A_MSIL2A_20200219T112111_N0214_R037_T29RKH_20200219T123947", "S2A_MSIL2A_20200219T112111_N0214_R037_T29RKJ_20200219T123947", "S2B_MSIL2A_20200219T112111_N0214_R037_T29RKH_20200219T123947", "S2A_MSIL2A_20200224T112111_N0214_R037_T29RKH_20200219T123947"]  # fmt: skip
    bare = {"datetime": "2020-02-19T11:34:25Z"}
    assert len({acquisition_of(small_item(id=name, properties=bare)).identity for name in names}) == 4


def test_the_small_item_is_json():
    assert json.loads(json.dumps(small_item())) == small_item()


def test_an_outline_across_the_antimeridian_in_one_piece_is_cut_there():
    ring = [[179.0, -17.0], [-179.0, -17.0], [-179.0, -16.0], [179.0, -16.0], [179.0, -17.0]]
    found = acquisition_of(small_item(geometry={"type": "Polygon", "coordinates": [ring]})).footprint
    assert sorted(part.bounds for part in found.geoms) == [(-180.0, -17.0, -179.0, -16.0), (179.0, -17.0, 180.0, -16.0)]


def test_an_outline_round_the_whole_globe_stays_as_it_is():
    ring = [[-180.0, -60.0], [180.0, -60.0], [180.0, 60.0], [-180.0, 60.0], [-180.0, -60.0]]
    found = acquisition_of(small_item(geometry={"type": "Polygon", "coordinates": [ring]})).footprint
    assert found.bounds == (-180.0, -60.0, 180.0, 60.0)
