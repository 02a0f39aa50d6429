"""The Earthdata login: walked with a token or a password, from environment or netrc; credentials go to its hosts alone."""

import logging
import random

import pytest
from faults.earthdata import PASSWORD, SECRETS, TOKEN, USER, Earthdata
from faults.server import SkippingClock

from terrashot.errors import ConfigError, NetworkError
from terrashot.remote.address import AddressRules
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.earthdata import FILE_HOSTS, LOGIN_HOST, Credentials, EarthdataLogin, find_credentials
from terrashot.remote.ranges import RemoteRanges

NAME = "S1-GUNW-D-R-014-tops-20210723_20210711-161540-42666N_40796N-PP-7a85-v2_0_4"
CONTENT = random.Random(0).randbytes(100_000)


@pytest.fixture
def earthdata():
    with Earthdata({NAME: CONTENT}) as served:
        yield served


def login_of(earthdata, kind):
    return EarthdataLogin(earthdata.credentials(kind), AddressRules(earthdata.hosts), clock=SkippingClock())


def read(earthdata, login, client=None):
    client = client or Client(AddressRules(earthdata.hosts))
    budget = Budget(Limits(max_attempts=3), SkippingClock(), random.Random(0))
    return RemoteRanges(earthdata.url_of(NAME), client, budget, login.access(budget)).read(0, len(CONTENT))


@pytest.mark.parametrize("kind", ["token", "password"])
def test_the_file_comes_and_no_credential_goes_to_another_host_nor_into_a_message(earthdata, kind, caplog):
    caplog.set_level(logging.DEBUG)
    login = login_of(earthdata, kind)
    assert read(earthdata, login) == CONTENT
    to_storage = " ".join(seen.text for seen in earthdata.storage.seen)
    told = f"{login!r} {login.credentials!r} {caplog.text}"
    assert not any(secret in to_storage + told for secret in SECRETS)
    # A password is for the login alone; a token also for the host of files.
    to_files = " ".join(seen.text for seen in earthdata.asked("files"))
    assert not any(secret in to_files for secret in (PASSWORD, SECRETS[3]))
    assert (TOKEN in to_files) == (kind == "token")


def test_one_login_serves_all_further_files_of_its_host(earthdata):
    login = login_of(earthdata, "password")
    for _ in range(3):
        assert read(earthdata, login) == CONTENT
    assert len(earthdata.asked("login")) == 1


def test_a_login_takes_no_longer_than_is_left_of_the_time_of_its_file(earthdata):
    earthdata._login = lambda seen, path, query, say: say(503, {"Retry-After": "2"}, b"")
    clock = SkippingClock()
    began = clock.now()
    budget = Budget(Limits(max_seconds=5.0), clock, random.Random(0))
    login = EarthdataLogin(earthdata.credentials("password"), AddressRules(earthdata.hosts), clock=clock)
    with Client(AddressRules(earthdata.hosts)) as client, pytest.raises(NetworkError, match=r"of \d.* s are left"):
        RemoteRanges(earthdata.url_of(NAME), client, budget, login.access(budget)).read(0, 1)
    assert clock.now() - began < 5.5
    # Nothing is left: nobody is asked.
    clock.sleep(5.0)
    earthdata.seen.clear()
    with pytest.raises(NetworkError, match="all 0 s are spent"):
        login(earthdata.url_of(NAME), within=budget)
    assert not earthdata.seen


@pytest.mark.parametrize(("kind", "says"), [("none", "there is none; make a free account"), ("wrong", "was refused")])
def test_without_credentials_or_with_wrong_ones_it_says_what_to_do(earthdata, kind, says):
    with pytest.raises(NetworkError, match=says) as caught:
        read(earthdata, login_of(earthdata, kind))
    assert not any(secret in str(caught.value) for secret in (*SECRETS, "wrong;"))


def test_a_licence_that_was_not_accepted_is_said(earthdata):
    earthdata.licence_accepted = False
    with pytest.raises(NetworkError, match="accept the licence"):
        read(earthdata, login_of(earthdata, "token"))


def test_an_address_elsewhere_is_shown_neither_token_nor_password(earthdata):
    """What a catalogue names that lies, or was taken over."""
    with Earthdata({NAME: CONTENT}) as stranger:
        for kind in ("token", "password"):
            given = earthdata.credentials(kind)
            login = EarthdataLogin(given, AddressRules(earthdata.hosts | stranger.hosts), clock=SkippingClock())
            with pytest.raises(NetworkError):
                login(stranger.url_of(NAME))
        text = " ".join(seen.text for seen in stranger.seen)
        assert stranger.seen and not any(secret in text for secret in SECRETS)


def test_a_login_that_turns_in_a_circle_and_one_to_a_private_host_end(earthdata):
    login = EarthdataLogin(earthdata.credentials("token"), AddressRules(frozenset({earthdata.host("files")})))
    with pytest.raises(NetworkError, match="not asked"):
        login(earthdata.url_of(NAME))
    earthdata._file = lambda seen, path, query, say: say(302, {"Location": path}, b"")
    with pytest.raises(NetworkError, match="circle"):
        login_of(earthdata, "token")(earthdata.url_of(NAME))


def test_credentials_come_from_the_environment_before_the_netrc_file(tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine other.org login a password b\nmachine {LOGIN_HOST} login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    assert find_credentials({}, tmp_path) == Credentials()
    own = find_credentials({"NETRC": str(netrc)}, tmp_path)
    assert (own.user, own.password, own.login_host, own.file_hosts) == (USER, PASSWORD, LOGIN_HOST, FILE_HOSTS)
    netrc.rename(tmp_path / ".netrc")
    assert find_credentials({}, tmp_path) == own
    named = find_credentials({"EARTHDATA_USERNAME": "x", "EARTHDATA_PASSWORD": "y"}, tmp_path)
    assert (named.user, named.password, named.token) == ("x", "y", None)
    token = find_credentials({"EARTHDATA_TOKEN": TOKEN, "EARTHDATA_USERNAME": "x"}, tmp_path)
    assert token.token == TOKEN
    elsewhere = find_credentials({"EARTHDATA_HOSTS": "login.example files.example"}, tmp_path)
    # The netrc file's line is of another login.
    assert (elsewhere.user, elsewhere.login_host, elsewhere.file_hosts) == (None, "login.example", ("files.example",))


def test_a_token_and_a_netrc_file_of_another_form_are_refused_without_being_told(tmp_path):
    with pytest.raises(ConfigError, match="EARTHDATA_TOKEN") as caught:
        find_credentials({"EARTHDATA_TOKEN": "two words\r\nHost: x"}, tmp_path)
    assert "words" not in str(caught.value)
    (tmp_path / ".netrc").write_text(f"machine {PASSWORD} nonsense {PASSWORD}")
    with pytest.raises(ConfigError, match="netrc") as caught:
        find_credentials({}, tmp_path)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "gets"),
    [
        ("https://cumulus.asf.earthdatacloud.nasa.gov/a", True), ("https://grfn.asf.alaska.edu/a", True),
        (f"https://{LOGIN_HOST}/a", True), ("https://asf.alaska.edu.example.com/a", False),
        ("https://evilasf.alaska.edu/a", False), (f"https://{LOGIN_HOST}.example.com/a", False), ("https://example.com/a", False),
    ],
)  # fmt: skip
def test_a_token_is_for_the_login_and_for_hosts_of_its_files(url, gets):
    from terrashot.remote.address import target_of

    assert bool(Credentials(token=TOKEN).headers_for(target_of(url, AddressRules()).origin)) == gets
