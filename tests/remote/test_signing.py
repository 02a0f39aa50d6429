"""A file of Planetary Computer gets a token that is fetched once, renewed in time, shown nowhere and sent to nobody else."""

import json
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stac_server import RULES, Catalogue, FakeClock, body, serving, status, truncated

from stac_items import stac_json
from terrashot.errors import NetworkError
from terrashot.remote.persist import PassingError
from terrashot.remote.profiles import PROFILES, plane_of
from terrashot.remote.signing import LOGIN_LIMITS, SPARE, PlanetaryComputerSigner, _has_token, unsigned
from terrashot.remote.stac_item import acquisition_of

FILE = "https://sentinel2l2a01.blob.core.windows.net/sentinel2-l2/06/V/VN/B04.tif"
SECRET = "sv=2026-01-01&sig=abc%2Fdef%3D"


def ends(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def time():
    return FakeClock()


@pytest.fixture
def service(time):
    """A token service whose tokens last an hour."""
    accounts = ("sentinel2l2a01/sentinel2-l2", "sentinel1euwestrtc/sentinel1-grd-rtc")
    token = {"token": SECRET, "msft:expiry": ends(time.now_s + 3600)}
    with serving(Catalogue(documents={f"/token/{account}": token for account in accounts})) as served:
        yield served


@pytest.fixture
def sign(service, time):
    limits = replace(LOGIN_LIMITS, first_wait_s=0.0)
    return PlanetaryComputerSigner(f"{service.url}/token", rules=RULES, limits=limits, clock=time)


def test_a_file_gets_its_containers_token(sign, service):
    assert sign(FILE) == f"{FILE}?{SECRET}"
    assert service.asked == [("GET", "/token/sentinel2l2a01/sentinel2-l2", {})]


def test_one_token_serves_all_files_of_a_container_and_no_other(sign, service):
    for name in ("B02", "B03", "B04"):
        sign(FILE.replace("B04", name))
    sign("https://sentinel1euwestrtc.blob.core.windows.net/sentinel1-grd-rtc/GRD/vv.tif")
    assert [path for _, path, _ in service.asked] == [
        "/token/sentinel2l2a01/sentinel2-l2",
        "/token/sentinel1euwestrtc/sentinel1-grd-rtc",
    ]


def test_threads_share_the_fetching_of_a_token(sign, service):
    threads = [threading.Thread(target=sign, args=(FILE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(service.asked) == 1


def test_a_token_that_was_refused_is_fetched_anew(sign, service):
    assert sign(FILE) == sign.renew(FILE) == sign(FILE)
    assert len(service.asked) == 2


def test_a_token_is_renewed_shortly_before_its_end_and_not_sooner(sign, service, time):
    sign(FILE)
    time.now_s += 3600 - SPARE.total_seconds()
    sign(FILE)
    assert len(service.asked) == 1
    time.now_s += 1
    service.documents["/token/sentinel2l2a01/sentinel2-l2"] = {
        "token": "sig=new",
        "msft:expiry": ends(time.now_s + 3600),
    }
    assert sign(FILE) == f"{FILE}?sig=new" and len(service.asked) == 2


@pytest.mark.parametrize(
    "url",
    ["https://sentinel-cogs.s3.us-west-2.amazonaws.com/B04.tif", "http://sentinel2l2a01.blob.core.windows.net/sentinel2-l2/B04.tif",
     "https://sentinel2l2a01.blob.core.windows.net.example.com/sentinel2-l2/B04.tif", "https://example.com/?x=sentinel2l2a01.blob.core.windows.net/a",
     "https://user@sentinel2l2a01.blob.core.windows.net/sentinel2-l2/B04.tif", "https://sentinel2l2a01.blob.core.windows.net:444/sentinel2-l2/B04.tif",
     "https://ai4edatasetspublicassets.blob.core.windows.net/assets/thumb.png", "https://sentinel2l2a01.blob.core.windows.net/", "s3://eodata/B04.jp2", "B04.tif", "http://[", "",
     f"{FILE}?sig=old", f"{FILE}?se=2026&sp=r", "https://sentinel2l2a01.blob.core.windows.net/../token/B04.tif", "https://sentinel2l2a01.blob.core.windows.net/A%2e/B04.tif"],
)  # fmt: skip
def test_other_addresses_and_signed_ones_stay_as_they_are_and_cost_nothing(sign, service, url):
    assert sign(url) == url == unsigned(url)
    assert service.asked == []


def test_a_query_of_its_own_is_kept(sign):
    assert sign(f"{FILE}?version=2") == f"{FILE}?version=2&{SECRET}"


def test_a_token_is_shown_nowhere(sign, service, caplog):
    with caplog.at_level(logging.DEBUG):
        sign(FILE)
        told = []
        for fault in (body(json.dumps({"token": SECRET, "msft:expiry": "never"}).encode()), truncated):
            service.every = fault
            with pytest.raises(NetworkError) as caught:
                sign.renew(FILE)
            told.append(str(caught.value))
    assert all("abc%2Fdef" not in shown for shown in (caplog.text, repr(sign), repr(sign._tokens), *told))


def test_weather_that_passes_is_waited_out(sign, service, time):
    service.faults = {0: status(429, Retry_After="3"), 1: status(503), 2: body(b"<html>"), 3: body(b"{}")}
    assert sign(FILE) == f"{FILE}?{SECRET}"
    assert time.slept_s == [3.0, 0.0, 0.0, 0.0]


def test_weather_that_stays_is_given_up_and_named(sign, service):
    service.every = status(503)
    with pytest.raises(NetworkError, match="Planetary Computer: gave up after 6 requests"):
        sign(FILE)
    assert len(service.asked) == LOGIN_LIMITS.max_attempts


def test_a_token_service_that_is_not_public_is_asked_only_where_it_is_allowed(service):
    with pytest.raises(NetworkError, match="only https"):
        PlanetaryComputerSigner(f"{service.url}/token")(FILE)
    assert service.asked == []


def test_a_refusal_is_told_at_once(sign, service):
    service.every = status(403)
    with pytest.raises(NetworkError, match=r"Planetary Computer: GET .* status 403"):
        sign(FILE)
    assert len(service.asked) == 1


@given(
    st.dictionaries(
        st.sampled_from(["token", "msft:expiry"]),
        st.text() | st.integers() | st.none() | st.lists(st.text()) | st.just(ends(1e9)),
    )
)
def test_any_answer_is_a_token_or_one_to_be_asked_for_again(answer):
    try:
        _has_token(answer)
    except PassingError:
        return
    assert "#" not in answer["token"] and " " not in answer["token"]


def test_the_files_of_a_real_item_are_signed(shared_data, sign):
    found = acquisition_of(stac_json(shared_data, "planetary-computer_s2-l2a.json"))
    plane = plane_of(found, PROFILES["planetary-computer/sentinel-2-l2a"], "red")
    assert sign(plane.href) == f"{found.assets['B04'].href}?{SECRET}"
