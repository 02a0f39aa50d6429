"""Earth Engine is asked within a budget, with a login that shows nowhere, and every refusal says what to do."""

import io
import json
import logging
import pickle
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from stac_server import FakeClock

from earth_engine_server import TOKEN, Service, refusal, serving
from fake_earth_engine import FakeEarthEngine, FakeImage
from terrashot.errors import InputError, MissingExtraError, NetworkError, UsageError
from terrashot.ingest.earthengine.expression import call, filled, load_image
from terrashot.ingest.earthengine.window import Band, compute_bands
from terrashot.raster.npy_bytes import read_npy_bands
from terrashot.raster.place import RasterPlace
from terrashot.remote.earth_engine import ENGINE_LIMITS, HIGH_VOLUME, EarthEngine
from terrashot.remote.google_login import TOKEN_VARIABLE, GoogleLogin

PLACE = RasterPlace("EPSG:32632", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0), 6, 4)
VALUES = np.arange(24.0).reshape(4, 6)
IMAGE = call("Image.toFloat", value=filled(load_image("some/image")))
BANDS = [Band("b", "float32")]


@dataclass
class Tokens:
    """A login that counts."""

    given: str = TOKEN
    next_ones: list[str] = field(default_factory=list)
    renewed: int = 0

    def token(self):
        return self.given

    def renew(self):
        self.renewed += 1
        self.given = self.next_ones.pop(0) if self.next_ones else self.given


@pytest.fixture
def service():
    with serving(Service(FakeEarthEngine({"some/image": FakeImage(PLACE, {"b": VALUES})}))) as served:
        yield served


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def engine(service, clock):
    return EarthEngine("my-project", service.url, frozenset({"127.0.0.1"}), Tokens(), ENGINE_LIMITS, clock)


def read(engine):
    return compute_bands(engine, IMAGE, BANDS, PLACE)["b"]


def test_pixels_come_as_they_were_computed_for_the_project_that_pays(engine, service):
    np.testing.assert_array_equal(read(engine), VALUES.astype(np.float32))
    ((path, headers),) = service.asked
    assert path == "/v1/projects/my-project/image:computePixels"
    assert headers["Authorization"] == f"Bearer {TOKEN}" and headers["x-goog-user-project"] == "my-project"


def test_values_come_by_their_own_method(engine, service):
    assert engine.value({"result": "0", "values": {"0": {"constantValue": [1, "a"]}}}) == [1, "a"]
    assert service.asked[0][0] == "/v1/projects/my-project/value:compute"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_quotas_and_faults_that_pass_are_waited_out(engine, service, clock, status):
    service.faults = {0: refusal(status, "Too many concurrent aggregations."), 1: lambda _: None}
    np.testing.assert_array_equal(read(engine), VALUES.astype(np.float32))
    assert len(service.asked) == 3 and len(clock.slept_s) == 2


def test_what_the_service_asks_to_wait_is_waited(engine, service, clock):
    service.faults = {0: refusal(429, "Quota exceeded", **{"Retry-After": "17"})}
    read(engine)
    assert clock.slept_s[0] >= 17


def test_what_never_passes_ends_within_its_attempts_and_says_the_last_reason(engine, service):
    service.every = refusal(429, "Quota exceeded for quota metric 'Concurrent requests'")
    with pytest.raises(NetworkError, match=r"8 attempts failed.*Quota exceeded.*fewer \[study\] workers"):
        read(engine)
    assert len(service.asked) == 8


def test_what_cannot_be_computed_is_not_asked_twice(engine, service):
    service.every = refusal(400, "User memory limit exceeded.")
    with pytest.raises(InputError, match="User memory limit exceeded"):
        read(engine)
    assert len(service.asked) == 1


@pytest.mark.parametrize("status", [403])
def test_a_project_that_is_refused_is_a_matter_of_usage(engine, service, status):
    service.every = refusal(
        status, "Earth Engine API has not been used in project my-project before or it is disabled."
    )
    with pytest.raises(UsageError, match=r"'my-project'.*has not been used.*docs/earth-engine\.md"):
        read(engine)


def test_a_login_that_ran_out_is_renewed_once(engine, service):
    service.tokens = {"the next one"}
    login = Tokens("old", ["the next one"])
    np.testing.assert_array_equal(read(replace(engine, login=login)), VALUES.astype(np.float32))
    assert login.renewed == 1
    with pytest.raises(UsageError, match="login"):
        read(replace(engine, login=Tokens("old")))


def test_no_token_shows_in_a_message_a_log_or_a_representation(engine, service, caplog, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    own = replace(engine, login=GoogleLogin())
    shown = [repr(own), str(own)]
    with caplog.at_level(logging.DEBUG):
        for fault in (
            refusal(403, "no"),
            refusal(400, "no"),
            refusal(503, "no"),
            refusal(302, "", Location="/elsewhere"),
        ):
            service.every = fault
            with pytest.raises((InputError, UsageError, NetworkError)) as error:
                read(own)
            shown.append(str(error.value))
    assert all(TOKEN not in text for text in [*shown, caplog.text])
    assert TOKEN.encode() not in pickle.dumps(own)  # as it goes to another process


def test_a_redirect_is_not_followed_so_that_the_token_goes_nowhere_else(engine, service):
    service.every = refusal(302, "", Location=f"{service.url}/elsewhere")
    with pytest.raises(NetworkError):
        read(engine)
    assert len(service.asked) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
def test_a_service_that_is_not_public_is_not_asked_unless_it_is_allowed(url, clock):
    with pytest.raises(NetworkError, match="not asked"):
        read(EarthEngine("my-project", url, login=Tokens(), clock=clock))


def npy(array):
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


def table(dtype="<f4", shape=(4, 6), name="b"):
    return np.zeros(shape, [(name, dtype)])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "no .npy"),
        (b"", "no .npy"),
        (npy(np.array([{"a": 1}], dtype=object)), "no .npy"),
        (npy(np.zeros((4, 6), [("b", object)])), "no .npy"),
        (npy(np.zeros((4, 6), np.float32)), "no .npy"),
        (npy(np.asfortranarray(table())), "no .npy"),
        (npy(table("<f8")), "asked for"),
        (npy(table(shape=(6, 4))), "asked for"),
        (npy(table(name="c")), "asked for"),
        (npy(table())[:-1], "bytes of pixels"),
        (npy(table()) + b"\0", "bytes of pixels"),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000, "no .npy"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_refused_unread(content, said):
    with pytest.raises(InputError, match=said):
        read_npy_bands(content, {"b": "float32"}, (4, 6), "Earth Engine")


def test_an_answer_that_is_larger_than_what_was_asked_for_is_not_taken(engine, service):
    service.every = lambda answer: (200, answer[1], answer[2] + b"\0" * (1 << 20))
    with pytest.raises(NetworkError, match="larger than"):
        read(engine)


def test_an_answer_that_breaks_off_or_is_a_web_page_is_asked_for_again(engine, service):
    service.faults = {
        0: lambda answer: (
            200,
            {**answer[1], "Content-Length": str(len(answer[2]) + 9), "Connection": "close"},
            answer[2],
        ),
        1: lambda _: (200, {"Content-Type": "text/html"}, b"<html>log in</html>"),
    }
    np.testing.assert_array_equal(read(engine), VALUES.astype(np.float32))
    assert len(service.asked) == 3


def test_the_questions_are_whole_json_on_the_wire(engine, service):
    read(engine)
    kind, body = service.engine.asked[0]
    assert (
        kind == "pixels"
        and json.loads(json.dumps(body)) == body
        and set(body) == {"expression", "fileFormat", "bandIds", "grid"}
    )


def test_a_token_of_the_environment_is_taken_and_cannot_be_renewed(monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, "abc")
    assert GoogleLogin().token() == "abc"
    with pytest.raises(UsageError, match="holds for an hour"):
        GoogleLogin().renew()


def test_without_a_token_and_without_the_library_the_extra_is_named(monkeypatch):
    try:
        import ee  # noqa: F401
    except ImportError:
        monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
        with pytest.raises(MissingExtraError, match=r'pip install "terrashot\[earthengine\]"'):
            GoogleLogin().token()
    else:
        pytest.skip("earthengine-api is installed")


def test_the_door_for_programs_is_asked_by_default():
    assert EarthEngine("my-project").service_url == HIGH_VOLUME
