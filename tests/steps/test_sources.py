"""The sources that a study file names, and what a change of rates or outlines means for the chips that are there."""

import json
import shutil

import numpy as np
import pytest

from terrashot.config import read_config
from terrashot.domain.area import Outline
from terrashot.ingest.world.absences import Absences
from terrashot.steps.plan import Context
from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_study
from terrashot.steps.sources import imagery_sources, label_source
from terrashot.store.study import find_study
from terrashot.store.tables import read_chips, read_presence

STUDY = """
[study]
workers = 1
[grid]
chip_px = 8
pixel_m = 80.0
[areas.west]
bbox = [9.40, 45.10, 9.46, 45.14]
[areas.east]
bbox = [9.46, 45.10, 9.52, 45.14]
[split]
scheme = "random"
[source.absences]
month = 0.0
cloud = 0.1
[source.area_absences.east]
cloud = 1.0
pairs = 0
"""


def write(folder, text=STUDY):
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(text)
    return folder


def context(folder):
    study = find_study(folder)
    return Context(study, read_config(study.config_path), 1)


def worlds(folder):
    return [source.world for source in imagery_sources(context(folder))]


def harvest(folder):
    """Whether `ingest` ran, and when each shard was written."""
    decisions = finish(run_study(find_study(folder), Wishes(only=["chips", "ingest"])))
    shards = {path: path.stat().st_mtime_ns for path in (folder / "chips.zarr").glob("*/c/*/0/0/0")}
    return {d.step: d.runs for d in decisions}["ingest"], shards


@pytest.fixture(scope="module")
def harvested(made_once):
    return made_once("harvested study", lambda folder: harvest(write(folder)))


@pytest.fixture
def copy(harvested, tmp_path):
    return shutil.copytree(harvested, tmp_path / "copy")


def test_the_simulated_earth_has_the_rates_of_the_study_file_area_by_area(tmp_path):
    for world in worlds(write(tmp_path)):
        assert world.absences == Absences(month=0.0, cloud=0.1)
        assert [area.name for area, _ in world.by_area] == ["west", "east"]
        assert [rates for _, rates in world.by_area] == [world.absences, Absences(month=0.0, cloud=1.0, pairs=0.0)]


def test_without_rates_by_area_no_outline_is_read(tmp_path):
    text = STUDY.split("[source.area_absences")[0].replace(
        "bbox = [9.40, 45.10, 9.46, 45.14]", 'outline = "gone.geojson"'
    )
    assert [world.by_area for world in worlds(write(tmp_path, text))] == [(), (), ()]


def test_labels_ask_for_no_outline(tmp_path):
    text = STUDY.replace("bbox = [9.46, 45.10, 9.52, 45.14]", 'outline = "gone.geojson"')
    assert label_source(context(write(tmp_path, text)), []).world.by_area == ()


def test_an_area_with_an_outline_in_a_file_may_have_rates(tmp_path):
    ring = [[9.46, 45.10], [9.52, 45.10], [9.52, 45.14], [9.46, 45.10]]
    (tmp_path / "east.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    text = STUDY.replace("bbox = [9.46, 45.10, 9.52, 45.14]", 'outline = "east.geojson"')
    area, _ = worlds(write(tmp_path, text))[0].by_area[1]
    assert isinstance(area.outline, Outline) and area.outline.area == pytest.approx(0.06 * 0.04 / 2)


def test_only_the_area_that_asks_for_it_loses_its_pairs_and_pixels(harvested):
    chips, presence = read_chips(harvested / "chips.parquet"), read_presence(harvested / "presence.parquet")
    area_of = dict(zip(chips.ids, chips.area, strict=True))
    area = np.array([area_of[chip_id] for chip_id in presence.chip_id])
    pairs, optical = presence.modality == "gunw", presence.modality == "s2rgbm"
    there = presence.status == "ok"
    assert set(area[pairs & there]) == {"west"}
    assert np.nansum(presence.valid_fraction[optical & (area == "east")]) == 0
    assert np.mean(presence.valid_fraction[optical & there & (area == "west")]) > 0.6


@pytest.mark.parametrize(
    ("old", "new"),
    [("cloud = 1.0", "cloud = 0.9"), ("cloud = 0.1", "cloud = 0.2"), ("pairs = 0", ""), ("pairs = 0", "pairs = 4.8")],
)
def test_a_changed_rate_reads_the_chips_again(copy, old, new):
    _, before = harvest(copy)
    ran, after = harvest(write(copy, STUDY.replace(old, new)))
    assert ran
    assert before and before.keys() <= after.keys()
    assert all(after[path] > before[path] for path in before)


def test_a_moved_outline_reads_no_chip_again_that_is_there(copy):
    _, before = harvest(copy)
    ran, after = harvest(write(copy, STUDY.replace("9.52", "9.55")))
    assert ran
    assert len(after) > len(before)
    assert {path: after[path] for path in before} == before
