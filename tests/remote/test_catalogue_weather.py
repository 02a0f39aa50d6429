"""A search of a catalogue on loopback is whole or an error that names it, within every limit, in any weather."""

from dataclasses import replace
from email.utils import formatdate

import pytest
from stac_searches import IDS, ITEMS, ids, search
from stac_server import (
    Catalogue,
    FakeClock,
    TickingClock,
    body,
    hanging_body,
    hung_up,
    packed,
    serving,
    short,
    slow,
    status,
    truncated,
)

from terrashot.errors import NetworkError
from terrashot.remote.catalogue import SEARCH_LIMITS, SearchLimits


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
    "packed": packed,
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
    told = r"Earth Search at .*: gave up after 4 requests and 7 s: all 4 attempts failed: .*; try again later"
    with pytest.raises(NetworkError, match=told) as caught:
        search(catalogue, spend=replace(SEARCH_LIMITS, max_attempts=4), time=time)
    assert caught.value.exit_code == 4 and "\n" not in str(caught.value)
    assert len(catalogue.asked) == 4 and time.slept_s == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(catalogue, code):
    time = FakeClock()
    catalogue.faults = {
        0: status(code, Retry_After="17"),
        1: status(code, Retry_After=formatdate(time.now_s + 17 + 40, usegmt=True)),
    }
    assert ids(search(catalogue, spend=replace(SEARCH_LIMITS, first_wait_s=0.0), time=time)) == IDS
    assert time.slept_s == [17.0, 40.0]


def test_what_is_asked_for_is_waited_on_top_of_our_own_wait(catalogue):
    time = FakeClock()
    catalogue.faults = {0: status(503, Retry_After="17")}
    assert ids(search(catalogue, time=time)) == IDS and time.slept_s == [18.0]


@pytest.mark.parametrize("header", ["soon", "-5", "1e9", "9" * 40, "Mon, 99 Foo 2020"])
def test_a_retry_after_that_says_nothing_is_passed_over(catalogue, header):
    time = FakeClock()
    catalogue.faults = {0: status(503, Retry_After=header)}
    assert ids(search(catalogue, time=time)) == IDS and time.slept_s == [1.0]


def test_a_date_that_is_past_asks_for_no_wait_beyond_our_own(catalogue):
    time = FakeClock()
    catalogue.faults = {0: status(503, Retry_After=formatdate(time.now_s - 60, usegmt=True))}
    assert ids(search(catalogue, time=time)) == IDS and time.slept_s == [1.0]


def test_a_wait_beyond_the_budget_is_not_begun(catalogue):
    time = FakeClock()
    catalogue.every = status(429, Retry_After="86400")
    with pytest.raises(NetworkError, match=r"300 of 300 s are left, the server asks for 86400 s"):
        search(catalogue, time=time)
    assert time.slept_s == [] and len(catalogue.asked) == 1


def test_the_seconds_of_a_search_are_counted_over_all_its_pages(catalogue):
    catalogue.faults = {number: status(503, Retry_After="40") for number in range(0, 10, 2)}
    time = FakeClock()
    with pytest.raises(NetworkError, match="20 of 100 s are left, the server asks for 40 s"):
        search(catalogue, spend=replace(SEARCH_LIMITS, max_seconds=100, first_wait_s=0), time=time)
    assert time.slept_s == [40.0, 40.0]


def test_the_attempts_of_a_search_are_counted_over_all_its_pages(catalogue):
    catalogue.faults = {0: status(500), 2: status(500)}
    with pytest.raises(NetworkError, match=r"gave up after 4 requests .* all 4 requests are spent"):
        search(catalogue, spend=replace(SEARCH_LIMITS, max_requests=4))
    assert len(catalogue.asked) == 4


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 413, 501])
def test_an_answer_that_another_try_would_not_better_is_not_asked_for_again(catalogue, code):
    catalogue.every = lambda _: (code, {}, b'{"description": "collection \x1b[31m unknown"}')
    time = FakeClock()
    with pytest.raises(
        NetworkError,
        match=rf"Earth Search at .*: POST http://127.0.0.1:\d+/search was answered with status {code}.*unknown",
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


def test_a_packed_answer_is_not_asked_for_and_never_unpacked(catalogue):
    catalogue.every = packed
    with pytest.raises(NetworkError, match="packed, which was not asked for"):
        search(catalogue)
    assert {headers["Accept-Encoding"] for headers in catalogue.headers} == {"identity"}


@pytest.mark.parametrize(
    "length", [{}, {"Content_Length": "", "Transfer_Encoding": "chunked"}], ids=["announced", "in chunks"]
)
def test_an_answer_that_is_too_large_is_dropped_while_it_comes(catalogue, length):
    catalogue.every = body(b"%x\r\n" % 5_000_000 + b" " * 5_000_000, **length)
    with pytest.raises(NetworkError, match="larger than 1000000 bytes"):
        search(catalogue, most=SearchLimits(page_bytes=1_000_000))
    assert len(catalogue.asked) == 1


def test_the_bytes_of_a_search_are_counted_over_all_its_pages(catalogue):
    spend = replace(SEARCH_LIMITS, max_bytes=10_000)
    catalogue.every = lambda right: (right[0], right[1], right[2].ljust(4_000))
    with pytest.raises(NetworkError, match="all 10000 bytes are spent"):
        search(catalogue, spend=spend)
    assert len(catalogue.asked) == 3


def test_a_catalogue_that_falls_silent_is_asked_again_and_then_given_up(catalogue):
    for fault in (catalogue.hanging, hanging_body):
        catalogue.asked.clear()
        catalogue.every = fault
        with pytest.raises(NetworkError, match=r"gave up after 2 requests .*no answer in time"):
            search(catalogue, spend=replace(SEARCH_LIMITS, max_attempts=2, stall_s=0.05))


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_that_comes_byte_by_byte_is_dropped_while_it_comes(catalogue, part):
    catalogue.every = slow(part)
    with pytest.raises(NetworkError, match=r"gave up after 1 requests and .* all 30 s are spent"):
        search(catalogue, spend=replace(SEARCH_LIMITS, max_seconds=30), time=TickingClock())


def test_nobody_there_is_said_as_such():
    with serving(Catalogue()) as served:
        pass
    with pytest.raises(NetworkError, match=r"Earth Search at .*: gave up .* all 2 attempts failed: Connection refused"):
        search(served, spend=replace(SEARCH_LIMITS, max_attempts=2))
