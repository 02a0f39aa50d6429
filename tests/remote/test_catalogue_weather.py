"""A search of a catalogue on loopback is whole or an error that names it, within every limit, in any weather."""

import gzip
import tracemalloc
from dataclasses import replace
from email.utils import formatdate

import pytest
from stac_searches import EARTH_SEARCH, IDS, ITEMS, OUTLINE, YEAR, ids, search
from stac_server import Catalogue, FakeClock, body, hanging_body, hung_up, packed, serving, short, status, truncated

from terrashot.errors import NetworkError
from terrashot.remote.catalogue import Search, fetch_acquisitions
from terrashot.remote.patience import Limits


@pytest.fixture
def catalogue():
    with serving(Catalogue(items=list(ITEMS))) as served:
        yield served


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
            profile, Search(OUTLINE, YEAR), limits=Limits(seconds=12), clock=replace(time.clock(), seconds=ticking)
        )


def test_nobody_there_is_said_as_such():
    with serving(Catalogue()) as served:
        pass
    with pytest.raises(NetworkError, match=r"Earth Search: gave up after 2 requests .*Connection"):
        search(served, limits=Limits(attempts=2))
