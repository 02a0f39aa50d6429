"""A study of Earth Engine on loopback: all three modalities and labels, resumed, foretold; the service works out what it is asked."""

from dataclasses import replace

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from earth_engine_server import TOKEN, Service, refusal, serving  # noqa: E402
from fake_earth_engine import FakeEarthEngine, FakeImage  # noqa: E402
from terrashot.errors import ConfigError, NetworkError, UsageError  # noqa: E402
from terrashot.raster.place import RasterPlace  # noqa: E402
from terrashot.remote.google_login import TOKEN_VARIABLE  # noqa: E402
from terrashot.steps.progress import finish  # noqa: E402
from terrashot.steps.run import Wishes, make_context, run_and_report, run_study  # noqa: E402
from terrashot.store.chips import open_chip_store  # noqa: E402
from terrashot.store.label_table import read_labels  # noqa: E402
from terrashot.store.study import find_study  # noqa: E402
from terrashot.store.tables import read_chips  # noqa: E402

S2, S1 = "COPERNICUS/S2_SR_HARMONIZED", "COPERNICUS/S1_GRD_FLOAT"
COHERENCE = "Earth_Big_Data/GLOBAL_SEASONAL_S1/V2019/COHERENCE"
WANTED = Wishes(only=("chips", "ingest", "labels"))
STUDY = """
[study]
workers = 1
[source]
kind = "earthengine"
months = ["2020-01", "2020-02"]
[source.earthengine]
project = "my-project"
service_url = "{url}"
[source.earthengine.optical]
bands = ["red"]
[source.earthengine.radar]
[source.earthengine.coherence]
seasons = ["winter"]
days = [12]
[ingest]
allowed_hosts = ["127.0.0.1"]
[grid]
chip_px = 16
[areas.a]
bbox = [9.0005, 45.1505, 9.0065, 45.1535]
[split]
scheme = "random"
[labels.earthengine.cropland]
map = "worldcover-v100"
classes = [40]
[labels.earthengine.builtup]
map = "ghs-built-s"
"""


def world():
    """Numbers that tell their column, over some 1.5 km."""
    place = RasterPlace("EPSG:32632", (10.0, 0.0, 499_500.0, 0.0, -10.0, 5_000_900.0), 150, 150)
    ramp = np.tile(np.arange(150.0), (150, 1))
    stamp, second = "20200110T100000", 1_578_650_400
    optical = FakeImage(
        place, {"B4": 1000 + ramp, "SCL": np.full((150, 150), 4.0)},
        {"system:time_start": second * 1000, "CLOUDY_PIXEL_PERCENTAGE": 1.0, "PRODUCT_ID": f"S2A_MSIL2A_{stamp}_N0214_R022_T32TNR_{stamp}"},
    )  # fmt: skip
    radar = FakeImage(
        place, {"VV": 0.1 + ramp / 1000, "VH": np.full((150, 150), 0.01)},
        {"system:time_start": second * 1000, "orbitProperties_pass": "ASCENDING", "instrumentMode": "IW", "resolution_meters": 10},
    )  # fmt: skip
    tile = RasterPlace("EPSG:4326", (1 / 1200, 0.0, 9.0, 0.0, -1 / 1200, 46.0), 1200, 1200)
    coarse, cover = (
        replace(place, affine=(20.0, 0.0, 499_500.0, 0.0, -20.0, 5_000_900.0), width_px=75, height_px=75),
        np.full((75, 75), 10.0),
    )
    cover[:, ::2] = 40
    built = replace(place, affine=(100.0, 0.0, 499_500.0, 0.0, -100.0, 5_000_900.0), width_px=15, height_px=15)
    return {
        f"{S2}/{stamp}_{stamp}_T32TNR": optical,
        f"{S1}/S1A_IW_GRDH_1SDV_20200110T100000_20200110T100025_031234_03A1B2_ABCD": radar,
        f"{COHERENCE}/a": FakeImage(tile, {"winter_vv_COH12": np.full((1200, 1200), 0.6)}),
        "ESA/WorldCover/v100/2020": FakeImage(coarse, {"Map": cover}),
        "JRC/GHSL/P2023A/GHS_BUILT_S/2020": FakeImage(built, {"built_surface": np.full((15, 15), 1234.0)}),
    }


@pytest.fixture(scope="module")
def images():
    return world()


@pytest.fixture
def service(images, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    with serving(Service(FakeEarthEngine(images))) as served:
        yield served


@pytest.fixture
def study(service, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.format(url=service.url))
    return find_study(tmp_path)


def changed(study, old, new):
    text = study.config_path.read_text()
    assert old in text
    study.config_path.write_text(text.replace(old, new))


def test_a_study_has_all_three_modalities_and_labels_and_asks_for_none_of_it_twice(study, service):
    finish(run_study(study, WANTED))
    store, chips = open_chip_store(study.folder), read_chips(study.chips)
    (red,) = store.read("s2rgbm", [(chips.ids[0], 0)])
    west = float(chips.ids[0][-6:]) * 160
    expected = (1000 + (west - 499_500) / 10 + np.arange(16)) / 1e4
    np.testing.assert_allclose(red[0], expected, atol=1e-4)
    kinds = {stored.channel.kind: stored.channel.unit for stored in store.channels(chips.ids[0], "s1grdm")}
    assert kinds == {"vv": "dB sigma0", "vh": "dB sigma0", "vv-vh": "dB sigma0"}
    (coherence,) = store.read("gunw", [(chips.ids[0], 0)])
    np.testing.assert_allclose(coherence, 0.6, atol=1 / 500)
    labels = read_labels(study.labels)
    np.testing.assert_allclose(labels.targets["cropland"], 0.5, atol=1e-6)
    np.testing.assert_allclose(labels.targets["builtup"], 0.1234, atol=1e-6)
    presence = store.presence()
    is_absent = presence.status != "ok"
    absent = set(zip(presence.modality[is_absent], presence.reason[is_absent], strict=True))
    none, derived = "no acquisition in the month", "one of its two channels is absent"
    assert absent == {("s2rgbm", none), ("s1grdm", none), ("s1grdm", derived)}
    asked = len(service.asked)
    finish(run_study(study, WANTED))
    changed(study, "my-project", "another-project")
    changed(study, 'scheme = "random"', 'scheme = "bands"\nbands = 5\nbuffer_chips = 0')
    finish(run_study(study, Wishes(only=("chips", "ingest"))))
    assert len(service.asked) == asked


def test_what_a_run_that_failed_had_is_not_asked_for_again(study, service):
    service.faults = dict.fromkeys(range(20, 10_000), refusal(418, "no more"))
    with pytest.raises(NetworkError):
        finish(run_study(study, Wishes(only=("chips", "ingest"))))
    before = len(service.asked)
    service.faults = {}
    finish(run_study(study, Wishes(only=("chips", "ingest"))))
    # What lies there, and its pixels, of three modalities: of these 20 were had before.
    assert len(service.asked) - before == len(read_chips(study.chips)) * 6 - 20
    assert not study.fetched.exists()


def test_a_dry_run_tells_requests_bytes_and_hours_and_asks_nothing(study, service):
    answer = finish(run_and_report(study, Wishes(dry_run=True, only=("chips", "ingest", "labels"))))
    told = answer.facts["earthengine"]
    n_chips = told["labels"]["requests"]
    assert (
        told["s2rgbm"]["requests"] == told["s1grdm"]["requests"] == 3 * n_chips
        and told["gunw"]["requests"] == 2 * n_chips
    )
    assert told["s2rgbm"]["gigabytes"] == pytest.approx(n_chips * 2 * 3 * 256 * 4 / 1e9, abs=5e-4)
    assert any("at once, if a request takes" in line for line in answer.lines)
    assert service.asked == []


def test_a_project_that_is_refused_ends_the_run_at_once_as_a_matter_of_usage(study, service):
    service.every = refusal(403, "Caller does not have required permission to use project my-project.")
    with pytest.raises(UsageError, match="my-project") as error:
        finish(run_study(study, Wishes(only=("chips", "ingest"))))
    assert error.value.exit_code == 2 and len(service.asked) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('project = "my-project"\n', "", "Earth Engine computes for a Google Cloud project of yours"),
        ('bands = ["red"]', 'bands = ["rde"]', "Sentinel-2 has no 'rde'"),
        ('bands = ["red"]', 'bands = ["red", "red"]', "'red' is there twice"),
        ('bands = ["red"]', 'mask = "qa60"\nbands = ["red"]', None),
        ("classes = [40]", "classes = [41]", "WorldCover has no class 41"),
        ("classes = [40]\n", "", "classes = [40] belongs to the maps worldcover"),
        ('map = "ghs-built-s"', 'map = "ghs-built-s"\nyear = 2021', "every fifth year"),
        ('map = "ghs-built-s"', 'map = "mod44b-006"\nyear = 2022', "mod44b-006 is of 2000 to 2020"),
        ('kind = "earthengine"', 'kind = "simulated"', 'belong to kind = "earthengine"'),
        ("[source.earthengine.optical]", "[source.earthengine.optcal]", "did you mean 'optical'?"),
    ],
)
def test_what_is_wrong_in_the_study_file_is_told_with_what_to_do(study, service, old, new, said):
    changed(study, old, new)
    if said is None:
        changed(study, '"2020-02"', '"2022-02"')
        said = "QA60 is empty in 2022-02"
    with pytest.raises(ConfigError) as error:
        finish(run_study(study, Wishes(only=("chips",))))
        finish(run_study(study, WANTED))
    assert said in str(error.value)


def test_scenes_may_have_labels_of_earth_engine(tmp_path):
    text = STUDY.format(url="https://earthengine.googleapis.com").replace('kind = "earthengine"', 'kind = "scenes"')
    for name in ('optical]\nbands = ["red"]', "radar]", 'coherence]\nseasons = ["winter"]\ndays = [12]'):
        text = text.replace(f"[source.earthengine.{name}\n", "")
    (tmp_path / "study.toml").write_text(f'{text}\n[source.radar]\ncatalogue = "planetary-computer/sentinel-1-rtc"\n')
    config = make_context(find_study(tmp_path)).config
    assert config.source.earthengine.project == "my-project" and set(config.labels.earthengine) == {
        "cropland",
        "builtup",
    }
