"""Ranges through any weather: exact bytes or a NetworkError, within the budget, and no credential anywhere else."""

import random
import re
import socket
from dataclasses import replace

import pytest
from faults.answers import ASKED_S, FAULTS
from faults.server import FaultServer, SkippingClock, script_of

from terrashot.errors import InputError, NetworkError
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.ranges import Access, RemoteRanges

CONTENT = random.Random(0).randbytes(20_000)
SECRET = "aVerySecretToken"
LIMITS = Limits(max_attempts=4, max_requests=40, max_seconds=60.0, max_bytes=200_000, stall_s=5.0)
HASTY = replace(LIMITS, stall_s=0.4)
"""For a server that hangs; a busy machine must not be taken for one."""
FINAL = {"redirect loop", "redirect to a private address", "429 for an hour", "replaced file"}
"""Faults that no second attempt mends."""

HARMLESS = {"200 for 206", "in chunks", "line closed after the answer"}
"""Odd ways to answer that cost nothing but bytes or another line."""


def served(fault="", hits=None, **how):
    return FaultServer({"/a.tif": CONTENT}, script_of(fault, hits), **how)


def ranges_of(server, *, limits=LIMITS, access=Access(), path="/a.tif", clock=None):
    budget = Budget(limits, clock or SkippingClock(), random.Random(1))
    return RemoteRanges(server.url(path), Client(server.rules), budget, access)


def test_ranges_are_the_bytes_of_the_file_and_end_where_it_ends():
    with served() as server:
        ranges = ranges_of(server)
        assert ranges.read(5, 900) == CONTENT[5:900]
        assert ranges.size == len(CONTENT)
        assert ranges.read(19_990, 30_000) == CONTENT[19_990:]
        assert ranges.read(30_000, 30_010) == b""


def test_a_range_beyond_the_end_of_a_file_of_unknown_size_is_empty():
    with served() as server:
        ranges = ranges_of(server)
        assert ranges.read(30_000, 30_010) == b""
        assert ranges.size == len(CONTENT)


def test_an_empty_file_has_no_bytes():
    with FaultServer({"/a.tif": b""}) as server:
        ranges = ranges_of(server)
        assert ranges.size == 0 and ranges.read(0, 10) == b""


def test_one_line_serves_many_ranges():
    with served() as server:
        ranges = ranges_of(server)
        for start in range(0, 1000, 100):
            ranges.read(start, start + 100)
        assert len(server.seen) == ranges.budget.requests == 10
        assert ranges.budget.received_bytes < 1000 + 10 * 400


@pytest.mark.parametrize(
    "fault", sorted(set(FAULTS) - FINAL - {"redirect elsewhere", "expired signature", "a byte now and then"})
)
def test_a_fault_that_passes_costs_another_attempt_and_the_bytes_are_exact(fault):
    with served(fault, frozenset({0, 1})) as server:
        ranges = ranges_of(server, limits=HASTY if "hang" in fault else LIMITS)
        assert ranges.read(100, 9000) + ranges.read(9000, 9999) == CONTENT[100:9999]
        assert len(server.seen) <= ranges.budget.requests <= LIMITS.max_requests


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"redirect elsewhere"} - HARMLESS))
def test_a_fault_that_stays_ends_in_a_network_error_that_names_the_file(fault):
    limits = Limits(
        max_attempts=3,
        max_requests=40,
        max_seconds=0.5 if "now and then" in fault else 60.0,
        max_bytes=200_000,
        stall_s=0.1,
    )
    with served(fault, frozenset(range(1, 100))) as server:
        ranges = ranges_of(server, limits=limits)
        assert ranges.read(0, 10) == CONTENT[:10]
        with pytest.raises(NetworkError, match=re.escape(server.url("/a.tif"))) as raised:
            ranges.read(10, 9000)
    budget = ranges.budget
    assert len(server.seen) <= budget.requests <= limits.max_requests
    assert budget.received_bytes <= limits.max_bytes
    assert "\n" not in str(raised.value)


def test_a_server_without_ranges_is_cut_after_the_part_and_refused_over_the_budget():
    with served("200 for 206") as server:
        ranges = ranges_of(server)
        assert ranges.read(100, 200) == CONTENT[100:200]
        assert ranges.budget.received_bytes < 20_000
        poor = ranges_of(server, limits=Limits(max_bytes=5000))
        with pytest.raises(NetworkError, match="sends no parts"):
            poor.read(10_000, 10_100)
        assert poor.budget.received_bytes <= 5000


def test_a_line_that_was_closed_while_idle_is_opened_again_without_a_wait():
    with served("line closed after the answer") as server:
        clock = SkippingClock()
        ranges = ranges_of(server, clock=clock)
        for start in range(0, 500, 100):
            assert ranges.read(start, start + 100) == CONTENT[start : start + 100]
        assert len(server.seen) == 5 and clock.waits == []


def test_a_host_that_is_not_found_is_a_network_error_after_its_attempts():
    def resolve(host, port):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    budget = Budget(replace(LIMITS, max_attempts=3), SkippingClock())
    with pytest.raises(NetworkError, match=r"all 3 attempts failed.*name resolution"):
        RemoteRanges("https://example.org/a", Client(resolve=resolve), budget).read(0, 1)
    assert budget.requests == 0


def test_a_range_larger_than_what_is_left_is_refused_before_it_is_asked_for():
    with served() as server:
        ranges = ranges_of(server, limits=Limits(max_bytes=1000))
        with pytest.raises(NetworkError, match="bytes wanted"):
            ranges.read(0, 2000)
        assert server.seen == []


def test_a_trickling_body_ends_at_the_deadline():
    limits = Limits(max_seconds=0.4, stall_s=0.2)
    with served("a byte now and then") as server:
        clock = SkippingClock()
        began = clock.now()
        with pytest.raises(NetworkError, match=r"of 0\.4 s are left|all 0\.4 s are spent"):
            ranges_of(server, limits=limits, clock=clock).read(0, 5000)
        assert clock.now() - began < 1.5


@pytest.mark.parametrize("fault", ["429 in seconds", "429 as a date"])
def test_the_server_is_given_the_time_that_it_asks_for(fault):
    with served(fault, frozenset({0})) as server:
        clock = SkippingClock()
        assert ranges_of(server, clock=clock).read(0, 9) == CONTENT[:9]
    assert len(clock.waits) == 1
    assert ASKED_S - 1.1 < clock.waits[0] < ASKED_S + 0.5


def test_a_wait_beyond_the_budget_is_not_begun():
    with served("429 for an hour") as server:
        clock = SkippingClock()
        with pytest.raises(NetworkError, match="the server asks for 3600 s"):
            ranges_of(server, clock=clock).read(0, 9)
        assert clock.waits == [] and len(server.seen) == 1


def test_waits_grow_with_the_failures_and_differ_between_readers():
    clock = SkippingClock()
    budget = Budget(Limits(max_seconds=1e9, first_wait_s=1.0, longest_wait_s=64.0), clock, random.Random(3))
    for failures in range(1, 11):
        for _ in range(200):
            budget.back_off(failures)
    longest = [max(clock.waits[200 * at : 200 * at + 200]) for at in range(10)]
    assert all(
        0.9 * bound < wait <= bound for wait, bound in zip(longest, [1, 2, 4, 8, 16, 32, 64, 64, 64, 64], strict=True)
    )
    assert len(set(clock.waits)) == len(clock.waits)


def test_a_file_that_changes_between_two_ranges_is_noticed():
    with served("replaced file", frozenset({1})) as server:
        ranges = ranges_of(server)
        ranges.read(0, 10)
        with pytest.raises(NetworkError, match="replaced while it was read"):
            ranges.read(10, 20)


def test_a_missing_file_is_an_input_error_and_asked_for_once():
    with served() as server:
        with pytest.raises(InputError, match=r"no such file \(404 Not Found\)"):
            ranges_of(server, path="/b.tif").read(0, 10)
        assert len(server.seen) == 1


def test_a_signature_goes_onto_the_wire_as_it_was_given():
    query = "sv=2026-01-01&sig=abc%2Fdef%2B+%3D&x=a/b:c"
    with served() as server:
        ranges_of(server, access=Access(sign=lambda url: f"{url}?{query}")).read(0, 1)
        assert server.seen[0].path == f"/a.tif?{query}"


def test_who_is_refused_with_a_kept_signature_asks_for_a_fresh_one():
    with served(good_signature="fresh") as server:
        access = Access(sign=lambda url: f"{url}?sig=kept", renew=lambda url: f"{url}?sig=fresh")
        ranges = ranges_of(server, access=access)
        assert ranges.read(0, 100) + ranges.read(100, 200) == CONTENT[:200]
        assert [seen.path for seen in server.seen] == ["/a.tif?sig=kept", "/a.tif?sig=fresh", "/a.tif?sig=fresh"]


def test_an_expired_signature_is_renewed_once():
    signatures = iter([f"old-{SECRET}", f"new-{SECRET}"])
    with served(good_signature=f"new-{SECRET}") as server:
        ranges = ranges_of(server, access=Access(sign=lambda url: f"{url}?sig={next(signatures)}"))
        assert ranges.read(0, 100) == CONTENT[:100]
        assert ranges.read(100, 200) == CONTENT[100:200]
        assert len(server.seen) == 3


def test_a_signature_that_is_refused_again_is_an_error_without_the_signature():
    with served(good_signature="another") as server:
        ranges = ranges_of(server, access=Access(sign=lambda url: f"{url}?sig={SECRET}"))
        with pytest.raises(NetworkError, match="access refused") as raised:
            ranges.read(0, 100)
        assert len(server.seen) == 2
    assert SECRET not in str(raised.value)


def test_credentials_stay_with_the_host_that_they_are_for():
    access = Access(lambda url: f"{url}?sig={SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
    with served() as other, served("redirect elsewhere", elsewhere=other.url("")) as server:
        assert ranges_of(server, access=access).read(0, 100) == CONTENT[:100]
        assert SECRET in server.seen[0].headers["Authorization"] and SECRET in server.seen[0].path
        assert len(other.seen) == 1 and SECRET not in other.seen[0].text
        assert "Referer" not in other.seen[0].headers


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX: y", f"{SECRET}\n", f"{SECRET}é"])
def test_a_credential_that_would_forge_a_header_is_refused_and_not_told(value):
    with served() as server:
        with pytest.raises(NetworkError, match="header Authorization holds a line break") as raised:
            ranges_of(server, access=Access(headers={"Authorization": value})).read(0, 10)
        assert server.seen == []
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_no_credential_is_told(fault, caplog):
    caplog.set_level("DEBUG")
    access = Access(lambda url: f"{url}?sig={SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
    limits = Limits(
        max_attempts=2, max_seconds=0.4 if "now and then" in fault else 30.0, stall_s=0.1 if "hang" in fault else 5.0
    )
    told = [repr(access)]
    with served() as other, served(fault, elsewhere=other.url("")) as server:
        ranges = ranges_of(server, limits=limits, access=access)
        told += [repr(ranges), ranges.name]
        try:
            ranges.read(0, 5000)
        except NetworkError as error:
            told += [str(error), repr(error), repr(error.__cause__)]
        told += [seen.text for seen in other.seen]
    assert SECRET not in " ".join([*told, caplog.text])


def test_a_packed_answer_is_not_unpacked():
    with served("gzip bomb") as server:
        ranges = ranges_of(server, limits=Limits(max_attempts=2))
        with pytest.raises(NetworkError, match="packed"):
            ranges.read(0, 5000)
        assert ranges.budget.received_bytes < 100_000
