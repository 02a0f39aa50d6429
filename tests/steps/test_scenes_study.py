"""A study of whole scenes on loopback: searched, fetched, killed, resumed; simulated scenes of examples/open_data_rehearsal.py."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))  # where they lie when one of them is run
from open_data_rehearsal import make, write_study  # noqa: E402
from rehearsal_ground import Plan, truth  # noqa: E402
from rehearsal_server import RehearsalServer  # noqa: E402

from terrashot.errors import InputError, NetworkError  # noqa: E402
from terrashot.ingest.scene_file import read_listed  # noqa: E402
from terrashot.steps.progress import finish  # noqa: E402
from terrashot.steps.run import Wishes, run_and_report, run_study  # noqa: E402
from terrashot.store.chips import open_chip_store  # noqa: E402
from terrashot.store.study import find_study  # noqa: E402
from terrashot.store.tables import read_chips  # noqa: E402

PLAN = Plan(chips=6)
PIXELS = Wishes(only=("chips", "ingest"))


def one_month(server, folder):
    """A study of one month, in which the same passes count."""
    study = find_study(write_study(PLAN, server, folder))
    changed(study, 'months = ["2020-01", "2020-02", "2020-03"]', 'months = ["2020-01"]')
    return study


@pytest.fixture(scope="module")
def made(made_once):
    return made_once("scenes-study", lambda folder: make(PLAN, folder))


@pytest.fixture(scope="module")
def server(made):
    with RehearsalServer(made / "served") as served:
        yield served


@pytest.fixture(scope="module")
def harvested(made, server, tmp_path_factory):
    """A study whose pixels are there."""
    folder = tmp_path_factory.mktemp("harvested")
    shutil.copy(made / "labels.csv", folder)
    finish(run_study(one_month(server, folder), PIXELS))
    return folder


@pytest.fixture
def study(harvested, tmp_path):
    """A copy of it, to be changed."""
    shutil.copytree(harvested, tmp_path / "study")
    return find_study(tmp_path / "study")


def changed(study, old, new):
    text = study.config_path.read_text()
    assert old in text
    study.config_path.write_text(text.replace(old, new))


def files_asked(server):
    return sum(count for path, count in server.counts.items() if path.endswith((".tif", ".tiff")))


def test_the_store_holds_what_was_simulated_and_says_what_is_absent(study):
    store, chips = open_chip_store(study.folder), read_chips(study.chips)
    for chip_id in chips.ids[:3]:
        expected = truth(PLAN, chip_id)
        for stored in store.channels(chip_id, "s2rgbm"):
            (plane,) = store.read("s2rgbm", [(chip_id, stored.slot)])
            mean = float(np.nanmean(expected[stored.channel.name][np.isfinite(plane)]))
            assert float(np.nanmean(plane)) == pytest.approx(mean, rel=0.08), stored.channel.name
        assert {stored.channel.kind for stored in store.channels(chip_id, "s1grdm")} == {"vv", "vh", "vv-vh"}
    assert not study.fetched.exists()


def test_a_second_run_and_another_split_ask_the_network_for_nothing(study, server):
    before = len(server.asked)
    finish(run_study(study, PIXELS))
    changed(study, 'scheme = "random"', 'scheme = "bands"\nbands = 5\nbuffer_chips = 0')
    finish(run_study(study, PIXELS))
    assert len(server.asked) == before


def test_a_dry_run_tells_acquisitions_bytes_and_hours_and_fetches_no_pixel(made, server, tmp_path):
    study = one_month(server, tmp_path)
    before = files_asked(server)
    answer = finish(run_and_report(study, Wishes(dry_run=True)))
    told = answer.facts["ingest"]
    assert told["s2rgbm"]["acquisitions"] == 12 and told["s1grdm"]["acquisitions"] == 5
    assert told["s2rgbm"]["gigabytes"] > 0 and told["s1grdm"]["hours"] > 0
    assert any("12 acquisitions of sentinel-2-l2a (Earth Search)" in line for line in answer.lines)
    assert files_asked(server) <= before + 1  # the header of a far map tells where it lies
    assert not study.scenes.exists() and not study.chips.exists()


@pytest.mark.slow
def test_what_a_run_that_failed_had_fetched_is_not_fetched_again(made, tmp_path):
    """The server breaks for good in the middle of the harvest; the next run goes on with what is there."""
    with RehearsalServer(made / "served") as whole:
        (tmp_path / "whole").mkdir()
        finish(run_study(one_month(whole, tmp_path / "whole"), PIXELS))
        needed = files_asked(whole)
    faults = dict.fromkeys(range(40, 100_000), "forbidden")
    (tmp_path / "broken").mkdir()
    with RehearsalServer(made / "served", faults) as broken:
        study = one_month(broken, tmp_path / "broken")
        with pytest.raises(NetworkError):
            finish(run_study(study, PIXELS))
        first = files_asked(broken)
        broken.faults.clear()
        finish(run_study(study, PIXELS))
        refused = first - 40
        assert files_asked(broken) - refused <= needed + 8 * 2  # what was on its way when it broke
    one, other = (open_chip_store(tmp_path / name) for name in ("whole", "broken"))
    for modality in ("s2rgbm", "s1grdm"):
        asked = [(chip, at.slot) for chip in one.chip_ids for at in one.channels(chip, modality)]
        np.testing.assert_array_equal(one.read(modality, asked), other.read(modality, asked))


@pytest.mark.slow
def test_the_same_items_in_a_file_of_the_users_give_the_same_chips_without_a_search(study, server, tmp_path):
    found = json.loads((study.scenes / "s2rgbm.json").read_text())
    del found["terrashot"]
    own = tmp_path / "own"
    own.mkdir()
    (own / "items.json").write_text(json.dumps(found))
    other = one_month(server, own)
    changed(other, f'search_url = "{server.url}/v1/search"', 'items = "items.json"')
    searches = sum(each.method == "POST" for each in server.asked)
    finish(run_study(other, PIXELS))
    assert sum(each.method == "POST" for each in server.asked) == searches + 1  # the radar's month
    stores = [open_chip_store(folder) for folder in (study.folder, own)]
    asked = [(chip, at.slot) for chip in stores[0].chip_ids for at in stores[0].channels(chip, "s2rgbm")]
    one, two = (store.read("s2rgbm", asked) for store in stores)
    np.testing.assert_array_equal(one, two)
    for item in found["features"]:
        item["properties"]["eo:cloud_cover"] = 91.0
    (own / "items.json").write_text(json.dumps(found))
    decisions = finish(run_study(other, Wishes(only=("ingest",), dry_run=True)))
    assert decisions[0].runs and "scenes of optical changed" in decisions[0].why
    finish(run_study(other, PIXELS))
    assert read_listed(other.scenes / "s2rgbm.json").items == []  # all cloudier than [source.optical] max_cloud_percent


def test_no_catalogue_there_is_a_network_error_and_a_bad_file_of_items_is_named(study, server, tmp_path):
    changed(study, f"{server.url}/v1/search", f"{server.url}/v9/search")
    with pytest.raises(NetworkError, match="Earth Search"):
        finish(run_study(study, PIXELS))
    (study.folder / "items.json").write_text('{"type": "FeatureCollection"}')
    changed(study, f'search_url = "{server.url}/v9/search"', 'items = "items.json"')
    with pytest.raises(InputError, match=r"items\.json"):
        finish(run_study(study, PIXELS))


@pytest.mark.slow
def test_the_rehearsal_goes_from_an_outline_to_a_report(tmp_path):
    script = EXAMPLES / "open_data_rehearsal.py"
    done = subprocess.run([sys.executable, script, tmp_path / "road"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "vegetation in edge" in done.stdout
    page = (tmp_path / "road" / "report.html").read_text()
    assert "simulated-open-data" in page and "all clouded" in page
