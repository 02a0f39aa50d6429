"""A search of a catalogue on loopback is complete or an error that names it, within every limit, in any weather."""

import copy
import gzip
import json
import logging
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stac_server import Catalogue, FakeClock, body, hanging_body, hung_up, packed, serve, short, status, truncated

from stac_items import REAL, small_item, stac_json, twin
from terrashot.errors import NetworkError, UsageError
from terrashot.remote.catalogue import fetch_acquisitions, fetch_item_assets
from terrashot.remote.patience import Limits
from terrashot.remote.profiles import PROFILES

OUTLINE = shapely.box(-11.6, 24.4, -11.4, 24.6)
YEAR = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
EARTH_SEARCH = PROFILES["earth-search/sentinel-2-l2a"]


def item(number: int) -> dict:
    """The small item of day `number`; ids and times in the same order."""
    name = f"S2A_MSIL2A_202002{number + 1:02}T112111_N0214_R037_T29RKH_20200301T000000"
    return twin(small_item(id=name), datetime=f"2020-02-{number + 1:02}T11:34:25Z", s2__product_uri=None)


ITEMS = [item(number) for number in range(5)]
IDS = [each["id"] for each in ITEMS]


@pytest.fixture
def catalogue():
    served = Catalogue(items=list(ITEMS))
    server = serve(served)
    yield served
    served.released.set()
    server.shutdown()
    server.server_close()


def search(catalogue, *, limits=Limits(), time=None, method="POST", **more):
    profile = replace(EARTH_SEARCH, search_url=f"{catalogue.url}/search", method=method)
    return fetch_acquisitions(
        profile,
        more.pop("outline", OUTLINE),
        more.pop("period", YEAR),
        limits=limits,
        clock=(time or FakeClock()).clock(),
        **more,
    )


def ids(found):
    return [each.id for each in found.acquisitions]


@pytest.mark.parametrize(("method", "next_by"), [("POST", "POST"), ("POST", "merge"), ("POST", "GET"), ("GET", "GET")])
def test_all_pages_are_followed_by_post_and_by_get(catalogue, method, next_by):
    catalogue.next_by = next_by
    found = search(catalogue, method=method)
    assert ids(found) == IDS and found.refused == () and found.requests == len(catalogue.asked) == 3


def test_the_catalogue_is_asked_for_the_collection_the_outline_and_the_period(catalogue):
    search(catalogue, query={"eo:cloud_cover": {"lt": 80}})
    _, path, question = catalogue.asked[0]
    assert path == "/search" and question["collections"] == ["sentinel-2-l2a"]
    assert question["datetime"] == "2020-01-01T00:00:00Z/2021-01-01T00:00:00Z"
    assert shapely.equals(shapely.geometry.shape(question["intersects"]), OUTLINE)
    assert question["query"] == {"eo:cloud_cover": {"lt": 80}}


def test_what_a_product_is_always_asked_for_is_asked_for(catalogue):
    profile = replace(PROFILES["planetary-computer/sentinel-1-rtc"], search_url=f"{catalogue.url}/search")
    fetch_acquisitions(profile, OUTLINE, YEAR)
    assert catalogue.asked[0][2]["query"] == {"sar:instrument_mode": {"eq": "IW"}}


def test_an_outline_of_many_vertices_is_sent_as_boxes(catalogue):
    round_one = shapely.Point(-11.5, 24.5).buffer(0.1, quad_segs=400)
    assert ids(search(catalogue, outline=round_one)) == IDS
    sent = shapely.geometry.shape(catalogue.asked[0][2]["intersects"])
    assert shapely.get_num_coordinates(sent) == 5 and sent.covers(round_one)


def test_real_items_come_through_as_they_are(shared_data, catalogue):
    catalogue.items = [stac_json(shared_data, REAL)]
    found = search(catalogue).acquisitions
    assert [each.id for each in found] == ["S2A_29RKH_20200219_0_L2A"] and found[0].assets["red"].bands[
        0
    ].scale == 0.0001


def test_nothing_found_is_no_error(catalogue):
    catalogue.items = []
    assert ids(search(catalogue)) == []


def test_items_elsewhere_or_of_another_time_are_left_out(catalogue):
    assert ids(search(catalogue, outline=shapely.box(10, 10, 11, 11))) == []
    assert (
        ids(
            search(
                catalogue,
                period=(datetime(2020, 2, 2, 11, 34, 25, tzinfo=UTC), datetime(2020, 2, 4, 11, 34, 25, tzinfo=UTC)),
            )
        )
        == IDS[1:3]
    )


def test_the_order_of_a_catalogue_and_what_it_repeats_change_nothing(catalogue):
    catalogue.items = [*reversed(ITEMS), ITEMS[2], ITEMS[0]]
    assert ids(search(catalogue)) == IDS


def test_a_broken_item_is_named_and_the_others_come(catalogue):
    bad = copy.deepcopy(ITEMS[1])
    bad["geometry"] = None
    catalogue.items[1] = bad
    catalogue.items.append("no item")
    found = search(catalogue)
    assert ids(found) == [IDS[0], *IDS[2:]]
    assert len(found.refused) == 2 and IDS[1] in found.refused[0] and "geometry" in found.refused[0]


# Weather that passes.

PASSING = {
    "429": status(429), "500": status(500), "502": status(502), "503": status(503), "504": status(504), "408": status(408),
    "hung up": hung_up, "body shorter than announced": short, "truncated JSON": truncated, "HTML with 200": body(b"<html>we are busy</html>"),
    "deep JSON": body(b'{"a":' * 100_000), "a list": body(b"[]"), "no features": body(b"{}"), "features no list": body(b'{"features": {}}'),
    "links no list": body(b'{"features": [], "links": 5}'), "a next without address": body(b'{"features": [{}], "links": [{"rel": "next"}]}'),
    "NaN": body(b'{"features": [NaN]}'), "bytes of no text": body(b"\xff\xfe\x00"), "nothing": body(b""), "a number of many digits": body(b'{"features": [' + b"9" * 5000 + b"]}"),
    "no gzip": body(b"\x1f\x8b nonsense", Content_Encoding="gzip"),
}  # fmt: skip


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("number", [0, 2])
def test_weather_that_passes_is_waited_out_and_the_answer_is_whole(catalogue, fault, number):
    time = FakeClock()
    catalogue.faults = {number: fault, number + 1: fault}
    found = search(catalogue, time=time)
    assert ids(found) == IDS and found.requests == 5
    assert time.slept_s == [1.0, 2.0]


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_weather_that_stays_is_given_up_after_the_attempts_of_a_page(catalogue, fault):
    catalogue.every = fault
    time = FakeClock()
    with pytest.raises(
        NetworkError, match=r"Earth Search: gave up after 4 requests in 7 s: .*; try again later"
    ) as caught:
        search(catalogue, limits=Limits(attempts=4), time=time)
    assert caught.value.exit_code == 4 and "\n" not in str(caught.value)
    assert len(catalogue.asked) == 4 and time.slept_s == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(catalogue, code):
    time = FakeClock()
    catalogue.faults = {
        0: status(code, Retry_After="17"),
        1: status(code, Retry_After=formatdate(time.now_s + 17 + 40, usegmt=True)),
    }
    assert ids(search(catalogue, time=time)) == IDS
    assert time.slept_s == [17.0, 40.0]


@pytest.mark.parametrize("header", ["soon", "-5", "1e9", "9" * 40, "Mon, 99 Foo 2020"])
def test_a_retry_after_that_says_nothing_is_passed_over(catalogue, header):
    time = FakeClock()
    catalogue.faults = {0: status(503, Retry_After=header)}
    assert ids(search(catalogue, time=time)) == IDS and time.slept_s == [1.0]


def test_a_date_that_is_past_asks_for_no_wait(catalogue):
    time = FakeClock()
    catalogue.faults = {0: status(503, Retry_After=formatdate(time.now_s - 60, usegmt=True))}
    assert ids(search(catalogue, time=time)) == IDS and time.slept_s == [0.0]


def test_a_wait_beyond_the_budget_is_not_begun(catalogue):
    time = FakeClock()
    catalogue.every = status(429, Retry_After="86400")
    with pytest.raises(NetworkError, match=r"it wants .* s more"):
        search(catalogue, time=time)
    assert time.slept_s == [] and len(catalogue.asked) == 1


def test_the_seconds_of_a_search_are_counted_over_all_its_pages(catalogue):
    catalogue.faults = {number: status(503, Retry_After="40") for number in range(0, 10, 2)}
    time = FakeClock()
    with pytest.raises(NetworkError, match="it wants 40 s more"):
        search(catalogue, limits=Limits(seconds=100), time=time)
    assert time.slept_s == [40.0, 40.0]


def test_the_attempts_of_a_search_are_counted_over_all_its_pages(catalogue):
    catalogue.faults = {0: status(500), 2: status(500)}
    with pytest.raises(NetworkError, match="gave up after 4 requests"):
        search(catalogue, limits=Limits(all_attempts=4))
    assert len(catalogue.asked) == 4


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 413, 501])
def test_an_answer_that_another_try_would_not_better_is_not_asked_for_again(catalogue, code):
    catalogue.every = lambda _: (code, {}, b'{"description": "collection \x1b[31m unknown"}')
    time = FakeClock()
    with pytest.raises(
        NetworkError, match=rf"Earth Search: POST http://127.0.0.1:\d+/search was answered with status {code}.*unknown"
    ):
        search(catalogue, time=time)
    assert len(catalogue.asked) == 1 and time.slept_s == []


def test_what_a_catalogue_says_cannot_colour_a_terminal(catalogue):
    catalogue.every = lambda _: (400, {}, b"\x1b[31mred")
    with pytest.raises(NetworkError) as caught:
        search(catalogue)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(catalogue, code):
    catalogue.every = status(code, Location="http://169.254.169.254/latest/meta-data")
    with pytest.raises(NetworkError, match="sends us to another address"):
        search(catalogue)
    assert len(catalogue.asked) == 1


# Pages without an end, and pages elsewhere.


def with_next(link):
    def fault(answer):
        page = json.loads(answer[2])
        page["links"] = [link(page) if callable(link) else link]
        return 200, {}, json.dumps(page).encode()

    return fault


def test_a_next_link_without_an_end_is_bounded_by_pages(catalogue):
    numbers = iter(range(1000))
    catalogue.every = with_next(lambda _: {"rel": "next", "href": f"{catalogue.url}/search?page={next(numbers)}"})
    with pytest.raises(NetworkError, match="more than 7 pages"):
        search(catalogue, limits=Limits(pages=7))
    assert len(catalogue.asked) == 7


def test_a_next_link_without_an_end_is_bounded_by_items(catalogue):
    numbers = iter(range(1000))
    catalogue.every = with_next(lambda _: {"rel": "next", "href": f"{catalogue.url}/search?page={next(numbers)}"})
    with pytest.raises(NetworkError, match="more than 9 items"):
        search(catalogue, limits=Limits(items=9))
    assert len(catalogue.asked) == 5


def test_pages_in_a_circle_are_seen_at_once(catalogue):
    catalogue.every = with_next({"rel": "next", "href": f"{catalogue.url}/search?page=1"})
    with pytest.raises(NetworkError, match="one that we had before"):
        search(catalogue)
    assert len(catalogue.asked) == 2


@pytest.mark.parametrize("href", ["http://127.0.0.1:1/search", "https://example.com/search", "file:///etc/hostname", "/etc/hostname", "ftp://127.0.0.1/x", "http://[", "", "\x00", "\ud800", "//127.0.0.1/search", "http://user@127.0.0.1/search"])  # fmt: skip
def test_a_next_page_at_another_address_is_not_fetched(catalogue, href):
    catalogue.every = with_next({"rel": "next", "href": href})
    with pytest.raises(NetworkError, match="another address"):
        search(catalogue)
    assert len(catalogue.asked) == 1


def test_a_next_page_by_another_method_is_not_fetched(catalogue):
    catalogue.every = with_next({"rel": "next", "href": f"{catalogue.url}/search", "method": "DELETE"})
    with pytest.raises(NetworkError, match="another method"):
        search(catalogue)
    assert len(catalogue.asked) == 1


json_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.sampled_from(["next", "POST", "http://[", "\ud800", "HERE"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["rel", "href", "method", "body", "headers", "merge", "id"]), inner, max_size=7
        )
    ),
    max_leaves=9,
)
page = st.fixed_dictionaries(
    {},
    optional={
        "features": json_value | st.just([{"id": "x"}]),
        "links": json_value
        | st.lists(
            st.fixed_dictionaries(
                {"rel": st.just("next"), "href": json_value},
                optional=dict.fromkeys(["method", "body", "headers", "merge", "type", "title"], json_value),
            ),
            max_size=2,
        ),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(page)
def test_any_page_is_read_or_given_up(catalogue, content):
    here = json.dumps(content).replace('"HERE"', json.dumps(f"{catalogue.url}/search?page=2"))
    catalogue.every = body(here.encode())
    try:
        found = search(catalogue, limits=Limits(attempts=1, pages=3))
    except NetworkError as error:
        assert "Earth Search" in str(error) and "\n" not in str(error)
    else:
        assert found.acquisitions == ()


@pytest.mark.parametrize(
    "period", [(YEAR[1], YEAR[0]), (YEAR[0], YEAR[0]), (datetime(2020, 1, 1), datetime(2021, 1, 1))]
)
def test_a_period_that_is_none_is_refused_before_anything_is_asked(catalogue, period):
    with pytest.raises(UsageError, match="two times with their zone"):
        search(catalogue, period=period)
    assert catalogue.asked == []


# Bytes and seconds of one answer.


def test_a_packed_answer_is_unpacked(catalogue):
    catalogue.every = packed
    assert ids(search(catalogue)) == IDS


def test_an_answer_that_is_too_large_is_dropped_while_it_comes(catalogue):
    catalogue.every = body(b" " * 5_000_000)
    with pytest.raises(NetworkError, match="larger than 1000000 bytes"):
        search(catalogue, limits=Limits(page_bytes=1_000_000))
    assert len(catalogue.asked) == 1


def test_a_packed_answer_is_never_unpacked_beyond_the_limit(catalogue):
    catalogue.every = body(gzip.compress(b" " * 100_000_000, 1), Content_Encoding="gzip")
    tracemalloc.start()
    with pytest.raises(NetworkError, match="larger than 1000000 bytes"):
        search(catalogue, limits=Limits(page_bytes=1_000_000))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


def test_a_catalogue_that_falls_silent_is_asked_again_and_then_given_up(catalogue):
    for fault in (catalogue.hanging, hanging_body):
        catalogue.asked.clear()
        catalogue.every = fault
        with pytest.raises(NetworkError, match=r"gave up after 2 requests .*[Tt]ime"):
            search(catalogue, limits=Limits(attempts=2, silence_s=0.05))


def test_an_answer_that_comes_too_slowly_is_dropped_while_it_comes(catalogue):
    """The clock runs by itself here, a second each time it is read: each piece of the body costs one."""
    time = FakeClock()
    catalogue.every = body(b" " * 3_000_000)

    def ticking():
        time.now_s += 1.0
        return time.now_s

    profile = replace(EARTH_SEARCH, search_url=f"{catalogue.url}/search")
    with pytest.raises(NetworkError, match="too slowly"):
        fetch_acquisitions(
            profile, OUTLINE, YEAR, limits=Limits(seconds=12), clock=replace(time.clock(), seconds=ticking)
        )


def test_nobody_there_is_said_as_such():
    served = Catalogue()
    serve(served).server_close()
    with pytest.raises(NetworkError, match=r"Earth Search: gave up after 2 requests .*Connection"):
        search(served, limits=Limits(attempts=2))


def test_what_a_collection_says_of_its_assets_can_be_fetched(catalogue):
    catalogue.documents["/collections/sentinel-2-l2a"] = {"id": "sentinel-2-l2a", "item_assets": {"red": {"gsd": 10}}}
    profile = replace(EARTH_SEARCH, search_url=f"{catalogue.url}/search")
    assert fetch_item_assets(profile) == {"red": {"gsd": 10}}
    catalogue.documents["/collections/sentinel-2-l2a"] = {"id": "sentinel-2-l2a"}
    assert fetch_item_assets(profile) == {}


def test_a_search_writes_no_more_than_debug_into_the_log(catalogue, caplog):
    with caplog.at_level(logging.INFO):
        search(catalogue)
    assert caplog.records == []
