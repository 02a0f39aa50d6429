"""The scripts in examples/ make chip folders that open; skipped where the real data is absent."""

import csv
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from real_chips import TEST_COUNTRY, random_split

from terrashot.config import read_config
from terrashot.domain.tables import Chips
from terrashot.ingest.folder import open_chip_folder

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def make(script, src, out):
    done = subprocess.run([sys.executable, EXAMPLES / script, src, out], capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"chips in {out}\n")
    return open_chip_folder(out)


def test_ombria_becomes_chips_of_both_dates(shared_data, tmp_path):
    country = shared_data / "ombria_2021_events" / "2021" / "TIMOR"
    for path in country.rglob("*_10.png"):
        target = tmp_path / "src" / "2021" / "TIMOR" / path.relative_to(country)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    opened = make("ombria_chips.py", tmp_path / "src", tmp_path / "out")
    assert len(opened.chips) == 16 and set(opened.chips.group) == {"timor_10"} and set(opened.chips.area) == {"timor"}
    optical, radar = opened.sources
    assert [channel.kind for channel in optical.channels] == ["swir", "nir", "green"] * 2
    assert [channel.name for channel in radar.channels] == ["before_vv", "after_vv"]
    whole = np.asarray(Image.open(country / "Sentinel2" / "AFTER" / "imafter_10.png"))
    chip = optical.read("timor_10_r1_c2").values
    assert np.array_equal(chip[3:].transpose(1, 2, 0), whole[64:128, 128:192])
    mask = np.asarray(Image.open(country / "Sentinel1" / "MASK" / "gt_10.png")) > 0
    assert abs(opened.labels().targets["flooded"].mean() - mask.mean()) < 1e-5


def test_pairs_become_chips_with_a_split_by_pair(shared_data, tmp_path):
    src, few = shared_data / "optical_sar_pairs_socal_texas", tmp_path / "src"
    listed = json.loads((src / "selected.json").read_text())
    kept = [next(pair for pair in listed if pair["tile"] == tile) for tile in ("T11SLT", "T14RNT")]
    for kind in ("opt", "sar"):
        (few / kind).mkdir(parents=True)
        for pair in kept:
            shutil.copyfile(src / kind / pair["name"], few / kind / pair["name"])
    (few / "selected.json").write_text(json.dumps(kept))
    opened = make("pairs_chips.py", few, tmp_path / "out")
    chips = opened.chips
    assert len(chips) == 512 and set(chips.area) == {"california", "texas"}
    for area, pair in zip(("california", "texas"), kept, strict=True):
        rows = [row for row, name in enumerate(chips.area) if name == area]
        assert len({chips.split[row] for row in rows}) == 1
        assert pair["west"] < chips.lon_deg[rows].min() and chips.lon_deg[rows].max() < pair["east"]
        assert abs(chips.lat_deg[rows].mean() - (pair["south"] + pair["north"]) / 2) < 1e-5
        assert chips.lat_deg[rows[0]] > chips.lat_deg[rows[-1]], "rows run southward"
    optical = opened.sources[0].read(f"pair{kept[0]['name'][:3]}_r00_c01").values
    whole = np.asarray(Image.open(few / "opt" / kept[0]["name"]))
    assert np.array_equal(optical.transpose(1, 2, 0), whole[:64, 64:128])
    assert [source.unit for source in opened.sources] == ["dn", "dn"]


def test_all_pairs_put_both_areas_into_train_and_test(shared_data):
    # The rule of the script on the names alone: cutting all 5,120 chips takes too long for a test.
    namespace = runpy.run_path(str(EXAMPLES / "pairs_chips.py"))
    listed = json.loads((shared_data / "optical_sar_pairs_socal_texas" / "selected.json").read_text())
    seen, count = {}, {}
    for pair in sorted(listed, key=lambda pair: pair["name"]):
        area = namespace["AREAS"][pair["tile"]]
        split = namespace["SPLITS"][seen.get(area, 0) % len(namespace["SPLITS"])]
        seen[area] = seen.get(area, 0) + 1
        count[area, split] = count.get((area, split), 0) + 1
    assert count == {
        ("california", "train"): 8, ("california", "val"): 2, ("california", "test"): 4,
        ("texas", "train"): 4, ("texas", "val"): 1, ("texas", "test"): 1,
    }  # fmt: skip


def test_eurosat_becomes_chips_with_ten_classes(shared_data, tmp_path):
    for path in sorted((shared_data / "eurosat_rgb_subset").glob("*/*.jpg"))[::150]:
        target = tmp_path / "src" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    opened = make("eurosat_chips.py", tmp_path / "src", tmp_path / "out")
    assert len(opened.chips) == 20 and len(set(opened.labels().targets["class"])) == 10
    assert opened.sources[0].read(opened.chips.ids[0]).values.shape == (3, 64, 64)
    with (tmp_path / "out" / "labels.csv").open() as file:
        assert all(row["id"].startswith(row["class"]) for row in csv.DictReader(file))


def test_worldcover_becomes_quarters_that_stay_one_group(shared_data, tmp_path):
    with np.load(shared_data / "water_worldcover_chips" / "chips.npz") as stored:
        few = {name: stored[name][:2] for name in ("id", "reflectance_bgrn", "worldcover")}
    (tmp_path / "src").mkdir()
    np.savez(tmp_path / "src" / "chips.npz", **few)
    opened = make("worldcover_chips.py", tmp_path / "src", tmp_path / "out")
    assert len(opened.chips) == 8 and len(set(opened.chips.group)) == 2
    (optical,) = opened.sources
    assert [channel.kind for channel in optical.channels] == ["red", "green", "blue", "nir"]
    pixels = optical.read(f"source{few['id'][1]:03d}_r1_c0").values
    blue = few["reflectance_bgrn"][1, 0, 64:, :64]
    assert np.allclose(pixels[2], blue / 10_000) and optical.unit == "reflectance"
    labels, whole = opened.labels().targets, few["worldcover"][0]
    assert abs(labels["water"][:4].mean() - (whole == 80).mean()) < 1e-5
    assert abs(labels["vegetation"][:4].mean() - np.isin(whole, (10, 20, 30)).mean()) < 1e-5


def test_sen1floods_becomes_chips_that_radar_saw_and_somebody_labelled(shared_data, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    src = shared_data / "sen1floods11_s1_samples"
    for path in src.glob("Mekong*.tif"):
        (tmp_path / "src" / src.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, tmp_path / "src" / src.name / path.name)
    opened = make("sen1floods_chips.py", tmp_path / "src", tmp_path / "out")
    assert set(opened.chips.group) == {"Mekong"} and 0 < len(opened.chips) < 64
    (radar,) = opened.sources
    assert [channel.name for channel in radar.channels] == ["vv", "vh"] and radar.unit == "dB"
    chip_id = opened.chips.ids[0]
    row, col = (int(part[1:]) for part in chip_id.split("_")[-2:])
    with rasterio.open(next(src.glob("Mekong*S1Hand.tif"))) as raster:
        whole = raster.read()[:, row * 64 : (row + 1) * 64, col * 64 : (col + 1) * 64]
    assert np.array_equal(radar.read(chip_id).values, whole)
    assert not np.isnan(opened.labels().targets["water"]).any()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_the_studies_beside_them_are_valid(path):
    assert read_config(path).source.kind == "folder"


def few_of_all(shared_data, src):
    """Two pairs, one place in France and one elsewhere, twenty images of EuroSAT."""
    pairs, ombria = shared_data / "optical_sar_pairs_socal_texas", shared_data / "ombria_2021_events"
    names = sorted(pair["name"] for pair in json.loads((pairs / "selected.json").read_text()))[:2]
    found = [pairs / kind / name for kind in ("opt", "sar") for name in names]
    found += [path for country in ("TIMOR", "FRANCE") for path in (ombria / "2021" / country).rglob("*_10.png")]
    found += sorted((shared_data / "eurosat_rgb_subset").glob("*/*.jpg"))[::150]
    for path in found:
        target = src / path.relative_to(shared_data)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (src / pairs.name / "selected.json").write_text(json.dumps([{"name": name} for name in names]))


def test_real_training_chips_have_the_channels_of_their_own_area_alone_in_spreads(shared_data, tmp_path):
    few_of_all(shared_data, tmp_path / "src")
    opened = make("real_training_chips.py", tmp_path / "src", tmp_path / "out")
    chips, (optical, radar) = opened.chips, opened.sources
    assert {area: chips.area.count(area) for area in set(chips.area)} == {"pairs": 512, "ombria": 32, "eurosat": 20}
    assert set(chips.split) == {"train", "val"} and not any("france" in chip_id for chip_id in chips.ids)
    assert optical.unit == radar.unit == "spreads"
    shown = {
        "pairs": {"red", "green", "blue", "vh"},
        "ombria": {"swir", "nir", "green", "vv"},
        "eurosat": {"red", "green", "blue"},
    }
    for area, kinds in shown.items():
        ids = [chip_id for chip_id, own in zip(chips.ids, chips.area, strict=True) if own == area]
        sources = opened.sources if area != "eurosat" else (optical,)
        images = [np.concatenate([source.read(chip_id).values for source in sources]) for chip_id in ids]
        channels = [channel.kind for source in sources for channel in source.channels]
        for kind, pixels in zip(channels, np.stack(images, axis=1), strict=True):
            assert np.isfinite(pixels).all() if kind in kinds else np.isnan(pixels).all()
            if kind in kinds and area != "eurosat":  # of which some validate, and moments are of the others
                assert abs(pixels.mean()) < 0.01 and abs(pixels.std() - 1) < 0.01


def test_no_chip_to_train_on_is_one_that_the_measure_on_real_labels_chooses_or_tests_with(shared_data):
    namespace = runpy.run_path(str(EXAMPLES / "real_training_chips.py"))
    eurosat = list(namespace["eurosat"](shared_data / "eurosat_rgb_subset"))
    ids = tuple(sorted(path.stem for path in (shared_data / "eurosat_rgb_subset").glob("*/*.jpg")))
    nobody = (None,) * len(ids)
    (split,) = random_split(Chips(ids, ("eurosat",) * len(ids), nobody, nobody))
    assert {chip.id for chip in eurosat} == {ids[row] for row, name in enumerate(split) if name == "train"}
    assert sum(chip.is_train for chip in eurosat) == 1620
    assert namespace["TEST_COUNTRY"].lower() == TEST_COUNTRY
