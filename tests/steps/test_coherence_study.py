"""A study of coherence on loopback: pairs searched, logged in for, fetched once, cut, let go of; killed, resumed, damaged."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("rasterio")
from faults.earthdata import SECRETS, TOKEN, Earthdata, entry

from coherence_fields import expected, frame
from terrashot.domain.grid import chip_from_id
from terrashot.errors import NetworkError
from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_and_report, run_study
from terrashot.store.chips import open_chip_store
from terrashot.store.study import find_study
from terrashot.store.tables import read_chips, read_presence

AT = (-96.0, 35.0)
"""On the edge of two zones."""
BOX = (-96.012, 34.992, -95.988, 35.008)
NORTH, SOUTH = (-96.1, 35.0, -95.9, 35.1), (-96.1, 34.9, -95.9, 35.01)
STORED_STEP = 0.0041
"""Of coherence in a chip store, 8 bits."""
PIXELS = Wishes(only=("chips", "ingest"))
STUDY = """\
[study]
workers = 1
[source]
kind = "scenes"
months = ["2021-07"]
[source.coherence]
search_url = "{url}"
{more}
[grid]
chip_px = 96
pixel_m = 10.0
[areas.edge]
bbox = {box}
[ingest]
allowed_hosts = {hosts}
max_failed_share = 0.0
{ingest}
[labels]
file = "labels.csv"
[split]
scheme = "random"
"""


def named(later, earlier, place, track="014", direction="D", version="v2_0_4"):
    return f"S1-GUNW-{direction}-R-{track}-tops-{later}_{earlier}-161540-{place}-PP-7a85-{version}"


PAIR = [named("20210723", "20210711", "35100N_35000N"), named("20210723", "20210711", "35010N_34900N")]
OTHER = named("20210717", "20210530", "00097W_00034N", "078", "A", "v3_0_1")
UNWANTED = [named("20210801", "20210720", "35100N_34900N"), named("20210717", "20210527", "35100N_34900N")]
"""Ends after the period; 51 days apart."""


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    frame(folder / f"{PAIR[0]}.nc", AT, *NORTH)
    frame(folder / f"{PAIR[1]}.nc", AT, *SOUTH)
    frame(folder / f"{OTHER}.nc", AT, NORTH[0], SOUTH[1], NORTH[2], NORTH[3])
    return {path.stem: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def served(products, monkeypatch):
    with Earthdata(products, page_items=2) as earthdata:
        boxes = {PAIR[0]: NORTH, PAIR[1]: SOUTH}
        for name in (*PAIR, OTHER, *UNWANTED):
            content = products.get(name, b"")
            box = boxes.get(name, (NORTH[0], SOUTH[1], NORTH[2], NORTH[3]))
            md5 = hashlib.md5(content).hexdigest()
            earthdata.entries.append(entry(name, earthdata.url_of(name), box, len(content), md5))
        monkeypatch.setenv("EARTHDATA_TOKEN", TOKEN)
        monkeypatch.setenv("EARTHDATA_HOSTS", f"{earthdata.host('login')} {earthdata.host('files')}")
        yield earthdata


def study_of(served, folder, more="", ingest="", box=BOX):
    folder.mkdir(parents=True, exist_ok=True)
    hosts = sorted(served.hosts)
    text = STUDY.format(
        url=served.search_url, more=more, box=list(box), hosts=str(hosts).replace("'", '"'), ingest=ingest
    )
    (folder / "study.toml").write_text(text)
    return find_study(folder)


def fetched(served):
    """Names of products that the storage handed out, each as often as its first byte was asked for in earnest."""
    ranges = [seen for seen in served.storage.seen if not seen.headers.get("Range", "").endswith("=0-0")]
    return sorted(seen.path.partition("?")[0].strip("/").removesuffix(".nc") for seen in ranges)


def test_each_product_is_fetched_once_and_each_chip_has_its_pairs_where_pyproj_says(served, tmp_path):
    study = study_of(served, tmp_path / "study")
    finish(run_study(study, PIXELS))
    assert fetched(served) == sorted([*PAIR, OTHER])
    store, chips = open_chip_store(study.folder), read_chips(study.chips)
    zones = {chip_from_id(chip_id).epsg for chip_id in chips.ids}
    assert zones == {32614, 32615} and len(chips) == 4
    for chip_id in chips.ids:
        stored = store.channels(chip_id, "gunw")
        assert [at.channel.name for at in stored] == ["20210717_20210530_A078", "20210723_20210711_D014"]
        planes = store.read("gunw", [(chip_id, at.slot) for at in stored])
        wanted = expected(chip_from_id(chip_id), planes.shape[-1], AT)
        assert np.isfinite(planes).all() and float(np.abs(planes - wanted).max()) <= STORED_STEP
    presence = read_presence(study.presence)
    assert set(presence.status) == {"ok"} and set(presence.first_date) == {"2021-05-30", "2021-07-11"}
    assert not study.cuts.exists() and not study.products.exists()
    kept = " ".join(path.read_text(errors="replace") for path in study.folder.rglob("*") if path.is_file())
    assert not any(secret in kept for secret in SECRETS)
    # Another split, and a second run, ask nobody.
    before = len(served.seen)
    finish(run_study(study, PIXELS))
    assert len(served.seen) == before


@pytest.mark.slow
def test_what_a_killed_run_had_fetched_and_cut_is_not_fetched_again_and_the_store_is_the_same(served, tmp_path):
    whole = study_of(served, tmp_path / "whole")
    finish(run_study(whole, PIXELS))
    for number, point in enumerate(("spool:9", "write:9", "remove:2")):
        killed = study_of(served, tmp_path / f"killed{number}")
        served.storage.seen.clear()
        command = [sys.executable, "-m", "terrashot", "run", str(killed.folder), "--only", "chips", "--only", "ingest"]
        died = subprocess.run(
            command, env={**os.environ, "TERRASHOT_CRASH_AT": point}, capture_output=True, check=False
        )
        assert died.returncode == 137, died.stderr[-500:]
        finish(run_study(killed, PIXELS))
        # Files of one piece: what was whole, or had been cut, is not asked for again.
        assert len(fetched(served)) <= 3 + 1
        stores = [open_chip_store(study.folder) for study in (whole, killed)]
        assert stores[0].digest() == stores[1].digest()


@pytest.mark.slow
def test_products_are_kept_where_that_is_asked_for_and_serve_another_study_as_a_folder(served, tmp_path):
    study = study_of(served, tmp_path / "study", ingest="keep_products = true")
    finish(run_study(study, PIXELS))
    assert sorted(path.stem for path in study.products.iterdir()) == sorted([*PAIR, OTHER])
    before = len(served.seen)
    own = study_of(served, tmp_path / "own")
    text = own.config_path.read_text().replace(f'search_url = "{served.search_url}"', f'folder = "{study.products}"')
    own.config_path.write_text(text)
    finish(run_study(own, PIXELS))
    assert len(served.seen) == before and len(list(study.products.iterdir())) == 3
    one, two = (open_chip_store(folder.folder) for folder in (study, own))
    picks = [(chip_id, at.slot) for chip_id in one.chip_ids for at in one.channels(chip_id, "gunw")]
    np.testing.assert_array_equal(one.read("gunw", picks), two.read("gunw", picks))


MEASURED = """\
import sys
from pathlib import Path
from resident import resident
from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_study
from terrashot.store.study import find_study
study, before = find_study(Path(sys.argv[1])), resident("VmRSS")
finish(run_study(study, Wishes(only=("chips", "ingest"))))
print(resident("VmHWM") - before)
"""


@pytest.mark.slow
def test_a_study_of_three_hundred_chips_takes_hardly_more_memory_than_one_of_four(served, tmp_path):
    taken = []
    for name, box in (("few", BOX), ("many", (-96.09, 34.92, -95.91, 35.08))):
        study = study_of(served, tmp_path / name, box=box)
        command = [sys.executable, "-c", MEASURED, str(study.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-1000:]
        taken.append((len(read_chips(study.chips)), int(done.stdout.split()[-1])))
    print("; ".join(f"{chips} chips: {n_bytes / 1e6:.0f} MB" for chips, n_bytes in taken))
    (few, first), (many, last) = taken
    assert few == 4 and many > 300 and last < first + (16 << 20), taken


def test_a_damaged_product_fails_its_pairs_and_the_next_run_mends_them(served, tmp_path):
    study = study_of(served, tmp_path / "study", ingest="")
    study.config_path.write_text(
        study.config_path.read_text().replace("max_failed_share = 0.0", "max_failed_share = 1.0")
    )
    good = served.storage.files[f"/{OTHER}.nc"]
    served.storage.files[f"/{OTHER}.nc"] = good[:2000] + b"\0" * 2000 + good[4000:]
    finish(run_study(study, PIXELS))
    presence = read_presence(study.presence)
    failed = presence.status == "failed"
    assert set(presence.channel[failed]) == {"20210717_20210530_A078"} and failed.sum() == len(read_chips(study.chips))
    assert all("MD5" in reason for reason in presence.reason[failed])
    served.storage.files[f"/{OTHER}.nc"] = good
    served.storage.seen.clear()
    finish(run_study(study, Wishes(only=("ingest",), redo=("ingest",))))
    assert set(read_presence(study.presence).status) == {"ok"}


def test_no_login_ends_with_what_to_do_and_another_month_is_foreseen_without_a_fetch(served, tmp_path, monkeypatch):
    monkeypatch.delenv("EARTHDATA_TOKEN")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    study = study_of(served, tmp_path / "study")
    answer = finish(run_and_report(study, Wishes(dry_run=True)))
    assert answer.facts["ingest"]["gunw"]["products"] == 3 and not served.storage.seen
    assert any("needs an Earthdata login" in line for line in answer.lines)
    with pytest.raises(NetworkError, match="EARTHDATA_TOKEN"):
        finish(run_study(study, PIXELS))
    assert not served.storage.seen
