"""Who may be asked: what the text of a URL tells, what its host resolves to, and that nothing is looked up twice."""

import pytest
from faults.server import FaultServer
from hypothesis import given
from hypothesis import strategies as st

from terrashot.errors import NetworkError
from terrashot.remote.address import (
    AddressRules,
    Origin,
    checked_addresses,
    is_public,
    shown,
    system_resolve,
    target_of,
)
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.ranges import RemoteRanges

NOBODY = AddressRules()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
     "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
     "2001:db8::1", "fe80::1%eth0", "not an address", ""],
)  # fmt: skip
def test_an_address_of_no_public_host_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "52.218.0.1", "2a00:1450:4001:80b::200e", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_an_address_of_the_open_internet_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "localhost", "localhost."]
)
def test_every_way_to_write_loopback_is_refused(host):
    origin = target_of(f"https://{host}/a.tif", NOBODY).origin
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1|::1"):
        checked_addresses(origin, NOBODY)


@pytest.mark.parametrize("host", ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"])
def test_loopback_of_the_new_kind_is_refused(host):
    origin = target_of(f"https://{host}/a.tif", NOBODY).origin
    with pytest.raises(NetworkError, match="not a public one"):
        checked_addresses(origin, NOBODY, lambda host, port: [host])


@pytest.mark.parametrize(
    "url",
    ["http://example.org/a", "ftp://example.org/a", "file:///a/b", "/vsicurl/https://example.org/a", "s3://bucket/a", "https:///a", "https://",
     "https://user:word@example.org/a", "https://example.org@127.0.0.1/a", "https://example.org\\@127.0.0.1/a", "https://exa mple.org/a",
     "https://example.org:0/a", "https://example.org:99999/a", "https://[::1/a", "https://-/a", "gopher://x", "", "https://a..b/",
     "https://" + "a" * 300 + ".org/"],
)  # fmt: skip
def test_a_url_that_is_not_plain_https_is_refused(url):
    with pytest.raises(NetworkError):
        target_of(url, NOBODY)


def test_one_private_address_among_public_ones_refuses_the_host():
    with pytest.raises(NetworkError, match=r"10\.0\.0\.1"):
        checked_addresses(Origin("https", "example.org", 443), NOBODY, lambda host, port: ["8.8.8.8", "10.0.0.1"])


def test_an_allowed_host_may_be_private_and_without_https_and_no_other_may():
    rules = AddressRules(frozenset({"archive.local", "127.0.0.1:8080"}))
    assert target_of("http://archive.local/a", rules).origin == Origin("http", "archive.local", 80)
    assert target_of("http://ARCHIVE.local:81/a", rules).origin.port == 81
    assert target_of("http://127.0.0.1:8080/a", rules).origin.authority == "127.0.0.1:8080"
    for url in ("http://127.0.0.1:8081/a", "http://local/a", "http://x.archive.local/a"):
        with pytest.raises(NetworkError, match="only https"):
            target_of(url, rules)


def test_a_host_is_looked_up_once_a_line_and_its_checked_address_is_the_one_that_is_asked():
    looked_up = []

    def rebinding(host, port):
        looked_up.append(host)
        return [["127.0.0.1"], ["10.0.0.1"]][min(len(looked_up) - 1, 1)]

    with FaultServer({"/a": b"abc"}) as server:
        rules = AddressRules(frozenset({"archive.local"}))
        ranges = RemoteRanges(f"http://archive.local:{server.port}/a", Client(rules, rebinding), Budget(Limits()))
        assert ranges.read(0, 2) == b"ab" and ranges.read(2, 3) == b"c"
        assert looked_up == ["archive.local"]
        assert server.seen[0].headers["Host"] == f"archive.local:{server.port}"


def test_a_name_that_turns_private_is_refused_when_it_is_looked_up_again():
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    origin = Origin("https", "example.org", 443)
    assert checked_addresses(origin, NOBODY, lambda host, port: next(answers)) == ["8.8.8.8"]
    with pytest.raises(NetworkError, match="not a public one"):
        checked_addresses(origin, NOBODY, lambda host, port: next(answers))


def test_the_machine_finds_loopback_under_its_own_name():
    assert set(system_resolve("localhost", 80)) <= {"127.0.0.1", "::1"}


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_refused_with_one_line(text):
    try:
        target = target_of(text, NOBODY)
    except NetworkError as error:
        assert "\n" not in str(error) and "\r" not in str(error)
    else:
        assert target.origin.scheme == "https" and not set(target.request) & set(" \r\n\t")


@given(st.text(min_size=1, max_size=11), st.text("XYZ", min_size=12, max_size=20))
def test_what_is_shown_holds_no_query_no_user_and_no_fragment(path, secret):
    for url in (
        f"https://{secret}@example.org/{path}",
        f"https://example.org/x?{path}={secret}",
        f"https://u:{secret}@h/#{secret}",
    ):
        assert secret not in shown(url)


def test_a_long_url_is_shown_shortened():
    assert len(shown("https://example.org/" + "a" * 5000)) == 200
