"""A search of a catalogue on loopback is complete, whatever the order of its pages, and never leaves its address."""

import copy
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stac_searches import EARTH_SEARCH, IDS, ITEMS, OUTLINE, YEAR, ids, search
from stac_server import RULES, Catalogue, body, serving

from stac_items import REAL, stac_json
from terrashot.errors import NetworkError, UsageError
from terrashot.remote.catalogue import SEARCH_LIMITS, Search, SearchLimits, fetch_acquisitions, fetch_item_assets
from terrashot.remote.client import Client
from terrashot.remote.profiles import PROFILES


@pytest.fixture
def catalogue():
    with serving(Catalogue(items=list(ITEMS))) as served:
        yield served


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
    fetch_acquisitions(profile, Search(OUTLINE, YEAR), Client(RULES))
    assert catalogue.asked[0][2]["query"] == {"sar:instrument_mode": {"eq": "IW"}}


def test_an_outline_of_many_vertices_is_sent_as_boxes(catalogue):
    round_one = shapely.Point(-11.5, 24.5).buffer(0.1, quad_segs=400)
    assert ids(search(catalogue, outline=round_one)) == IDS
    sent = shapely.geometry.shape(catalogue.asked[0][2]["intersects"])
    assert shapely.get_num_coordinates(sent) == 5 and sent.covers(round_one)


def test_real_items_come_through_as_they_are(shared_data, catalogue):
    catalogue.items = [stac_json(shared_data, REAL)]
    found = search(catalogue).acquisitions
    assert [each.id for each in found] == ["S2A_29RKH_20200219_0_L2A"]
    assert found[0].assets["red"].bands[0].scale == 0.0001


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
    found = search(catalogue)
    assert ids(found) == IDS and found.items == tuple(ITEMS)


def test_a_broken_item_is_named_and_the_others_come(catalogue):
    bad = copy.deepcopy(ITEMS[1])
    bad["geometry"] = None
    catalogue.items[1] = bad
    catalogue.items.append("no item")
    found = search(catalogue)
    assert ids(found) == [IDS[0], *IDS[2:]]
    assert found.items == (ITEMS[0], *ITEMS[2:])
    assert len(found.refused) == 2 and IDS[1] in found.refused[0] and "geometry" in found.refused[0]


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
        search(catalogue, most=SearchLimits(pages=7))
    assert len(catalogue.asked) == 7


def test_a_next_link_without_an_end_is_bounded_by_items(catalogue):
    numbers = iter(range(1000))
    catalogue.every = with_next(lambda _: {"rel": "next", "href": f"{catalogue.url}/search?page={next(numbers)}"})
    with pytest.raises(NetworkError, match="more than 9 items"):
        search(catalogue, most=SearchLimits(items=9))
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
        found = search(catalogue, most=SearchLimits(pages=3), spend=replace(SEARCH_LIMITS, max_attempts=1))
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


def test_what_a_collection_says_of_its_assets_can_be_fetched(catalogue):
    catalogue.documents["/collections/sentinel-2-l2a"] = {"id": "sentinel-2-l2a", "item_assets": {"red": {"gsd": 10}}}
    profile = replace(EARTH_SEARCH, search_url=f"{catalogue.url}/search")
    assert fetch_item_assets(profile, Client(RULES)) == {"red": {"gsd": 10}}
    catalogue.documents["/collections/sentinel-2-l2a"] = {"id": "sentinel-2-l2a"}
    assert fetch_item_assets(profile, Client(RULES)) == {}


@pytest.mark.parametrize(
    "fetch", [fetch_item_assets, lambda *to: fetch_acquisitions(to[0], Search(OUTLINE, YEAR), to[1])]
)
def test_a_catalogue_that_is_not_public_is_asked_only_where_it_is_allowed(catalogue, fetch):
    for url, why in (
        (f"{catalogue.url}/search", "only https"),
        (f"{catalogue.url.replace('http', 'https')}/search", "not a public one"),
        ("/etc/hostname", "needs https"),
    ):
        with pytest.raises(NetworkError, match=why):
            fetch(replace(EARTH_SEARCH, search_url=url), Client())
    assert catalogue.asked == []


def test_errors_name_the_server_that_was_asked_in_the_catalogues_place(catalogue):
    catalogue.every = body(b"{}")
    host = catalogue.url.removeprefix("http://")
    with pytest.raises(NetworkError, match=f"^Earth Search at {host}: gave up"):
        search(catalogue)


def test_a_search_writes_no_more_than_debug_into_the_log(catalogue, caplog):
    with caplog.at_level(logging.INFO):
        search(catalogue)
    assert caplog.records == []


def test_no_login_of_the_users_is_sent(catalogue, tmp_path, monkeypatch):
    """Other clients would take the default of this file for any host."""
    (tmp_path / "netrc").write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    search(catalogue)
    assert len(catalogue.headers) == 3 and all("Authorization" not in headers for headers in catalogue.headers)
