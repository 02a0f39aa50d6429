"""The rehearsal of open data on loopback: its simulated scenes are found and read as real ones are, and show what was simulated."""

import csv
import json
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
import shapely

rasterio = pytest.importorskip("rasterio")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))  # where they lie when one of them is run
from open_data_rehearsal import make, write_study  # noqa: E402
from rehearsal_ground import EAST_EPSG, MONTHS, WEST_EPSG, Plan, make_ground, truth  # noqa: E402
from rehearsal_passes import TILES  # noqa: E402
from rehearsal_server import RehearsalServer  # noqa: E402

from terrashot.domain.grid import chip_from_id, to_degrees  # noqa: E402
from terrashot.durable.files import sha256_of_file  # noqa: E402
from terrashot.ingest.checked_offset import checked_offset  # noqa: E402
from terrashot.ingest.far_files import FarFiles  # noqa: E402
from terrashot.ingest.scene_file import Listed, SceneFile, write_listed  # noqa: E402
from terrashot.ingest.scene_source import Recipe, SceneSource  # noqa: E402
from terrashot.raster.onto_chip import onto  # noqa: E402
from terrashot.raster.place import RasterPlace  # noqa: E402
from terrashot.remote.address import AddressRules  # noqa: E402
from terrashot.remote.catalogue import Search, fetch_acquisitions, fetch_item_assets  # noqa: E402
from terrashot.remote.client import Client  # noqa: E402
from terrashot.remote.profiles import PROFILES  # noqa: E402
from terrashot.remote.stac_item import acquisition_of  # noqa: E402

PLAN = Plan(chips=16)
KINDS = ("red", "green", "blue")
HOMES = {
    "earth-search/sentinel-2-l2a": "/v1",
    "planetary-computer/sentinel-2-l2a": "/api/stac/v1",
    "planetary-computer/sentinel-1-rtc": "/api/stac/v1",
}
OPTICAL, RADAR = tuple(HOMES)[:2], tuple(HOMES)[2]


@pytest.fixture(scope="module")
def folder(made_once):
    return made_once("open-data-rehearsal", lambda folder: make(PLAN, folder))


@pytest.fixture
def server(folder):
    with RehearsalServer(folder / "served") as served:
        yield served


def profile_at(server, name):
    return replace(PROFILES[name], search_url=f"{server.url}{HOMES[name]}/search")


def found(server, name, *, outline=PLAN.bbox, months=(1, 4), query=None):
    """The one place where a catalogue is asked."""
    first, last = (datetime(2020, month, 1, tzinfo=UTC) for month in months)
    search = Search(shapely.box(*outline), (first, last), query or {})
    return fetch_acquisitions(profile_at(server, name), search, client_at(server))


def client_at(server):
    return Client(AddressRules(frozenset({server.host})))


def files_at(server):
    return FarFiles(allowed_hosts=frozenset({server.host}))


@pytest.fixture
def source(tmp_path):
    """Makes a source of the scenes that a catalogue has."""

    def made(server, name, keep=lambda acquisition: True):
        profile, open_plane, answer = profile_at(server, name), files_at(server), found(server, name)
        kept = [(each, item) for each, item in zip(answer.acquisitions, answer.items, strict=True) if keep(each)]
        is_optical = profile.offset_rule is not None
        offsets = {each.id: checked_offset(each, profile, open_plane) for each, _ in kept if is_optical}
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        write_listed(path, Listed("a question", [item for _, item in kept], offsets=offsets))
        recipe = Recipe(MONTHS, KINDS if is_optical else ("vv", "vh"))
        return SceneSource(profile, recipe, SceneFile(path, sha256_of_file(path)), PLAN.chip_px, open_plane)

    return made


def chip_of(epsg):
    """The most south-western chip of a zone."""
    own = [chip_from_id(chip_id) for chip_id in PLAN.chip_ids if chip_from_id(chip_id).epsg == epsg]
    return min(own, key=lambda chip: (-chip.row, chip.col)).id


def items_of(folder, home):
    return json.loads((folder / "served" / "catalogue.json").read_text())["apis"][home]["items"]


def test_every_item_is_an_acquisition_that_says_which_pass_it_is_and_that_it_is_simulated(folder):
    for home in ("/v1", "/api/stac/v1"):
        for item in items_of(folder, home):
            acquisition = acquisition_of(item)
            assert "Simulated" in item["properties"]["description"]
            if acquisition.collection == "esa-worldcover":
                continue
            asset = next(iter(acquisition.assets.values()))
            assert asset.crs in (f"EPSG:{WEST_EPSG}", f"EPSG:{EAST_EPSG}") and asset.transform and asset.shape
            if acquisition.collection == "sentinel-2-l2a":
                assert acquisition.tile in TILES.values() and acquisition.baseline in ("02.14", "05.00")
            else:
                assert (
                    acquisition.orbit_direction and acquisition.relative_orbit and acquisition.instrument_mode == "IW"
                )


@pytest.mark.parametrize(
    ("home", "real"),
    [("/v1", "earth-search-v1_s2-l2a_pb0214.json"), ("/api/stac/v1", "planetary-computer_s2-l2a.json")],
)
def test_items_have_no_field_that_real_ones_lack(shared_data, folder, home, real):
    theirs = json.loads((shared_data / "stac-items" / real).read_text())
    ours = next(item for item in items_of(folder, home) if item["collection"] == "sentinel-2-l2a")
    assert set(ours) <= set(theirs)
    assert set(ours["properties"]) - set(theirs["properties"]) == {"description"}
    for key, asset in ours["assets"].items():
        assert set(asset) <= set(theirs["assets"][key])


def test_searches_honour_collection_outline_period_and_properties_over_several_pages(server):
    everything = found(server, "earth-search/sentinel-2-l2a")
    assert len(everything.acquisitions) == 38 and everything.requests == 2 and everything.refused == ()
    clear = found(server, "earth-search/sentinel-2-l2a", query={"eo:cloud_cover": {"lt": 90}})
    assert len(clear.acquisitions) == 36
    assert {each.sensed.month for each in found(server, OPTICAL[1], months=(2, 3)).acquisitions} == {2}
    assert {each.collection for each in found(server, RADAR).acquisitions} == {"sentinel-1-rtc"}
    assert found(server, RADAR, outline=(7, 44.5, 7.1, 44.6)).acquisitions == ()
    (tile,) = {each.tile for each in found(server, OPTICAL[0], query={"grid:code": {"eq": "MGRS-32TKQ"}}).acquisitions}
    assert tile == "32TKQ"


def test_collections_say_what_assets_their_items_have(server):
    assert set(fetch_item_assets(profile_at(server, RADAR), client_at(server))) == {"vv", "vh"}


@pytest.mark.parametrize("name", OPTICAL)
@pytest.mark.parametrize(("epsg", "tiles", "most_off"), [
    (WEST_EPSG, {"31TGK"}, 0.015), (EAST_EPSG, {"32TKQ"}, 0.015), (EAST_EPSG, {"31TGK", "32TKQ"}, 0.015),
])  # fmt: skip
def test_monthly_means_are_those_that_were_simulated_on_each_side_of_the_zone_edge(
    source, server, name, epsg, tiles, most_off
):
    """Noise is 1 % a pixel and 1 % a pass, over five passes; where tiles of both zones lie over the chip its own zone's is taken."""
    seen = source(server, name, lambda each: each.sensed.month < 3 and each.tile in tiles).read(chip_of(epsg))
    assert len(seen.channels) + len(seen.absences) == 9 and set(seen.n_acquisitions) <= {4, 5, 6}
    for channel, plane in zip(seen.channels, seen.values, strict=True):
        simulated = truth(PLAN, chip_of(epsg))[channel.name]
        assert np.nanmean(plane) == pytest.approx(simulated[np.isfinite(plane)].mean(), rel=0.015), channel.name
        assert np.nanmean(np.abs(plane - simulated)) / simulated.mean() < most_off, channel.name


def test_the_scene_that_was_delivered_twice_counts_once_and_its_offset_is_taken_away(source, server):
    again = source(server, OPTICAL[0], lambda each: each.sensed.month == 1)
    once = source(server, OPTICAL[0], lambda each: each.sensed.month == 1 and each.baseline != "05.00")
    assert len(again.scenes.scenes) - len(once.scenes.scenes) == 2
    assert {s.offset.offset_dn for s in again.scenes.scenes if s.acquisition.baseline == "05.00"} == {-1000}
    for chip_id in (chip_of(WEST_EPSG), chip_of(EAST_EPSG)):
        first, second = again.read(chip_id), once.read(chip_id)
        assert first.n_acquisitions == second.n_acquisitions
        np.testing.assert_allclose(first.values, second.values, atol=0.005)


def test_the_corner_that_no_pass_of_february_shows_is_absent_with_its_reason(source, server):
    february = source(server, OPTICAL[0], lambda each: each.sensed.month == 2)
    absent = {row.channel.name: row.reason for row in february.read(chip_of(WEST_EPSG)).absences}
    assert {name: why for name, why in absent.items() if name.startswith("2020-02")} == {
        f"2020-02_{kind}": "all clouded" for kind in KINDS
    }


def test_the_mean_power_of_radar_is_that_which_was_simulated(source, server):
    january = source(server, RADAR, lambda each: each.sensed.month == 1)
    for chip_id in (chip_of(WEST_EPSG), chip_of(EAST_EPSG)):
        seen, expected = january.read(chip_id), truth(PLAN, chip_id)
        for channel, plane in zip(seen.channels, seen.values, strict=True):
            powers = [10 ** (decibels / 10) for decibels in (expected[channel.name], plane[np.isfinite(plane)])]
            simulated, found_db = (10 * np.log10(power.mean()) for power in powers)
            assert found_db == pytest.approx(simulated, abs=0.4), channel.name


def test_one_frame_lacks_a_polarisation_and_one_pass_comes_in_two_halves(server):
    frames = found(server, RADAR).acquisitions
    assert [set(each.assets) for each in frames].count({"vv"}) == 1
    halves = [each for each in frames if f"{each.sensed:%Y-%m-%d}" == "2020-02-16"]
    assert len(halves) == 2 and not halves[0].footprint.covers(halves[1].footprint)
    assert {each.orbit_direction for each in frames} == {"ascending", "descending"}


def answer(url, part=None):
    request = Request(url, headers={"Range": part} if part else {})
    try:
        with urlopen(request) as found:
            return found.status, dict(found.headers), found.read()
    except HTTPError as refused:
        return refused.code, dict(refused.headers), refused.read()


def test_ranges_are_answered_exactly(folder, server):
    path = "/sentinel-cogs/sentinel-s2-l2a-cogs/31/T/GK/2020/1/S2A_31TGK_20200103_0_L2A/B04.tif"
    content = (folder / "served" / path[1:]).read_bytes()
    size = len(content)
    cases = {"bytes=0-99": (0, 100), "bytes=100-100": (100, 101), f"bytes={size - 5}-{size + 99}": (size - 5, size),
             "bytes=50-": (50, size), "bytes=-7": (size - 7, size)}  # fmt: skip
    whole = answer(f"{server.url}{path}")
    assert whole[0] == 200 and whole[2] == content
    for part, (start, stop) in cases.items():
        status, headers, body = answer(f"{server.url}{path}", part)
        assert (status, body) == (206, content[start:stop])
        assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}" and headers["ETag"] == whole[1]["ETag"]
    status, headers, body = answer(f"{server.url}{path}", f"bytes={size}-{size + 9}")
    assert (status, headers["Content-Range"], body) == (416, f"bytes */{size}", b"")
    assert server.counts[path] == len(cases) + 2


def test_both_catalogues_name_the_same_bytes_and_nothing_else_is_served(folder, server):
    first, second = (found(server, name).acquisitions[0] for name in OPTICAL)
    assert answer(first.assets["red"].href)[2] == answer(second.assets["B04"].href)[2]
    for path in ("/catalogue.json", "/../labels.csv", "/sentinel-cogs", "/v1/collections/none"):
        assert answer(f"{server.url}{path}")[0] == 404


def test_what_goes_wrong_at_a_request_that_is_told_is_asked_for_again(source, folder):
    with RehearsalServer(folder / "served") as well:
        expected = source(well, OPTICAL[0], lambda each: each.sensed.day == 23).read(chip_of(WEST_EPSG))
    with RehearsalServer(folder / "served", {0: "short", 2: "reset", 7: "busy", 11: "short", 15: "reset"}) as ill:
        seen = source(ill, OPTICAL[0], lambda each: each.sensed.day == 23).read(chip_of(WEST_EPSG))
        assert len(ill.asked) == len(well.asked) + 5
    np.testing.assert_array_equal(seen.values, expected.values)


def test_rasters_of_both_zones_show_the_same_ground():
    west, east = (make_ground(PLAN, epsg) for epsg in (WEST_EPSG, EAST_EPSG))
    places = [
        RasterPlace(f"EPSG:{g.place.epsg}", tuple(g.place.transform()), g.place.width_px, g.place.height_px)
        for g in (west, east)
    ]
    for name, least in (("2020-01_red", 0.95), ("2020-03_vv", 0.7)):
        moved = onto(west.planes[name][None], places[0], places[1])[0]
        both = np.isfinite(moved)
        assert both.mean() > 0.9 and np.corrcoef(moved[both], east.planes[name][both])[0, 1] > least


def test_files_are_tiled_with_overviews_in_the_products_numbers(folder):
    for name, dtype, nodata, pixel_m in (
        ("B04.tif", "uint16", 0, 10),
        ("SCL.tif", "uint8", 0, 20),
        ("iw-vv.rtc.tiff", "float32", -32768, 10),
    ):
        with rasterio.open(next((folder / "served").rglob(name))) as file:
            assert (file.dtypes[0], file.nodata, file.transform.a) == (dtype, nodata, pixel_m)
            assert file.profile["tiled"] and file.compression.name == "deflate"
            assert file.overviews(1) or pixel_m == 20


def test_labels_and_study_are_those_of_the_areas_chips(folder, server, tmp_path):
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(row["id"] for row in rows) == PLAN.chip_ids
    assert {"vegetation", "builtup", "cropland", "water"} < set(rows[0])
    assert all(0 <= float(row["vegetation"]) <= 1 for row in rows)
    told = tomllib.loads(write_study(PLAN, server, tmp_path).read_text())
    assert told["ingest"]["allowed_hosts"] == [server.host] and tuple(told["areas"]["edge"]["bbox"]) == PLAN.bbox
    lon_deg = [to_degrees(chip.epsg).transform(*chip.bounds_m[:2])[0] for chip in map(chip_from_id, PLAN.chip_ids)]
    assert min(lon_deg) < 6 < max(lon_deg)
