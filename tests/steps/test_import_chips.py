"""`terrashot import geetiles | m3leo` on files in the exact layout: what comes out, what goes on, what is refused."""

import json
import shutil
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio

from published_layout import (
    GUNW,
    SIDE_PX,
    SPLITS,
    STEM,
    as_parquet,
    bounds_of,
    chip_id,
    optical_names,
    radar_names,
    wrapped,
    write_all,
    write_gunw,
    write_partitions,
    write_tile,
)
from terrashot.areas.partitions import read_partitions
from terrashot.domain.modality import Imagery
from terrashot.errors import InputError, MissingImageryError, StorageError, UsageError
from terrashot.ingest.folder import open_chip_folder
from terrashot.steps.import_chips import ChipImport, choices_of, import_chip_folder
from terrashot.steps.new import make_study
from terrashot.steps.progress import finish


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    root = tmp_path_factory.mktemp("published")
    write_all(root, 5)
    return root


@pytest.fixture
def own(published, tmp_path):
    return shutil.copytree(published, tmp_path / "own")


def asked(source, out, *, kind="geetiles", months="2020-01,2020-02", lattice="degrees", zero="together", **more):
    return ChipImport(kind, source, out, choices_of(months, 48, "mixed", zero, lattice), workers=1, **more)


def brought(source, out, **how):
    return finish(import_chip_folder(asked(source, out, **how)))


def contents(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "inputs.json"
    }


def read(folder, modality, number) -> Imagery:
    source = next(s for s in open_chip_folder(folder).sources if s.modality == modality)
    return source.read(chip_id(number))


def test_a_folder_comes_out_that_is_read_as_any_chip_folder(published, tmp_path):
    answer = brought(published, tmp_path / "out")
    folder = open_chip_folder(tmp_path / "out")
    assert folder.chips.ids == tuple(chip_id(n) for n in range(5)) and folder.chips.split == (
        "train",
        "train",
        "train",
        "test",
        "val",
    )
    assert answer.facts["with"] == {"s2rgbm": 5, "s1grdm": 5, "gunw": 4}
    radar = next(s for s in folder.sources if s.modality == "s1grdm")
    assert [c.name for c in radar.channels] == ["2020-01_vv", "2020-01_vh", "2020-02_vv", "2020-02_vh"]
    assert [d.channel.name for d in radar.differences] == ["2020-01_vv-vh", "2020-02_vv-vh"] and radar.unit == "dB"
    with rasterio.open(published / STEM / "s1grdm-2020-asc" / f"{chip_id(0)}.tif") as file:
        stored = file.read(1).view(np.int16)
    found = read(tmp_path / "out", "s1grdm", 0).values[0]
    assert np.array_equal(found[stored != 0], stored[stored != 0])
    pairs = read(tmp_path / "out", "gunw", 0)
    assert [c.name for c in pairs.channels] == ["20200115_20200103", "20200217_20200205"]
    assert {c.second_date for c in pairs.channels} <= {"2020-01-15", "2020-02-17"} and np.isfinite(
        pairs.values
    ).mean() > 0.5
    with pytest.raises(MissingImageryError, match="NO_GRANULES_FOUND"):
        read(tmp_path / "out", "gunw", 3)
    labels = folder.labels()
    assert set(labels.targets) == {"vegetation", "builtup", "cropland", "water"}
    assert np.allclose(labels.targets["cropland"] + labels.targets["water"], 1)


def test_the_same_bytes_come_out_of_the_parquet_form_and_of_a_second_import(published, own, tmp_path):
    brought(published, tmp_path / "one")
    as_parquet(own)
    brought(own, tmp_path / "two", kind="m3leo")
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    skip = {name for name in one if name.endswith(".skipped") or name == "import.json"}
    assert {n: b for n, b in one.items() if n not in skip} == {n: b for n, b in two.items() if n not in skip}


def test_on_the_lattice_of_metres_a_chip_keeps_its_ground(published, tmp_path):
    brought(published, tmp_path / "out", lattice="utm")
    with rasterio.open(tmp_path / "out" / "s2rgbm" / f"{chip_id(1)}.tif") as file:
        assert file.crs.to_epsg() == 32613 and file.res == (10.0, 10.0) and file.shape == (SIDE_PX, SIDE_PX)
        assert all(corner % 10 == 0 for corner in file.bounds)
        assert np.isfinite(file.read(1)).mean() > 0.9
    assert read(tmp_path / "out", "s2rgbm", 1).values.shape == (6, SIDE_PX, SIDE_PX)


def test_a_damaged_tile_is_named_all_others_are_kept_and_the_mended_import_ends_the_same(published, own, tmp_path):
    brought(published, tmp_path / "whole")
    tile = own / STEM / "s2rgbm-2020" / f"{chip_id(2)}.tif"
    good = tile.read_bytes()
    tile.write_bytes(good[: len(good) // 2])
    with pytest.raises(InputError, match=f"1 of 5 chips failed.*{chip_id(2)}.*--max-failed-share"):
        brought(own, tmp_path / "out")
    assert not (tmp_path / "out" / "chips.csv").exists()
    tile.write_bytes(good)
    brought(own, tmp_path / "out")
    ours = contents(tmp_path / "out")
    assert ours == contents(tmp_path / "whole")


def test_a_finished_folder_is_left_alone_unless_overwritten(published, tmp_path):
    brought(published, tmp_path / "out")
    with pytest.raises(StorageError, match="not empty"):
        brought(published, tmp_path / "out")
    (tmp_path / "out" / "mine.txt").write_text("kept")
    brought(published, tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "mine.txt").read_text() == "kept"


def tile(data_set, stored, names, **how):
    """Puts another tile into the place of a chip's own."""
    return lambda root, number: write_tile(root, data_set, number, stored, names, **how)


def halved(data_set):
    """Cuts a chip's tile short."""

    def harm(root, number):
        (path,) = (root / STEM / data_set).glob(f"{chip_id(number)}.*")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return harm


def change_pairs(name, values):
    """Puts something else into a chip's file of pairs."""

    def harm(root, number):
        with h5py.File(root / STEM / GUNW / f"{chip_id(number)}.nc", "r+") as file:
            del file[f"science/grids/data/{name}"]
            if values is not None:
                file[f"science/grids/data/{name}"] = values

    return harm


def no_tiff(root, number):
    (root / STEM / "s2rgbm-2020" / f"{chip_id(number)}.tif").write_bytes(b"<html>not found</html>")


def outside(root, number):
    path = root / STEM / "s2rgbm-2020" / f"{chip_id(number)}.tif"
    path.rename(root.parent / "outside.tif")
    path.symlink_to(root.parent / "outside.tif")


def above_one(root, number):
    write_gunw(root, number, np.full((1, 12, 12), 1.5), ["20200115_20200103"])


def plane(bands, dtype, value=1, width=SIDE_PX):
    return np.full((bands, SIDE_PX, width), value, dtype)


OPTICAL, RADAR, COVER = "s2rgbm-2020", "s1grdm-2020-asc", "esaworldcover-2020"
TREES = tuple(f"Percent_Tree_Cover_{year}" for year in range(2016, 2021))
HARMS = {
    "radar cut short": (halved(RADAR), "cannot be read"),
    "pairs cut short": (halved(GUNW), "cannot be read"),
    "land cover cut short": (halved(COVER), "cannot be read"),
    "optical of two bytes": (tile(OPTICAL, plane(36, np.uint16), optical_names()), "holds uint16"),
    "radar of one byte": (tile(RADAR, plane(24, np.uint8), radar_names()), "holds uint8"),
    "no TIFF": (no_tiff, "cannot be read"),
    "no coherence": (change_pairs("coherence", None), "coherence"),
    "coherence of two axes": (change_pairs("coherence", np.ones((4, 3))), "coherence"),
    "pairs of no dates": (change_pairs("datepair", ["x"]), "datepair"),
    "another number of rows": (change_pairs("latitude", np.arange(3.0)), "latitude"),
    "trees of 150 percent": (tile("modis44b006veg", plane(5, np.uint8, 150), TREES), "holds 150"),
    "built up twice": (tile("ghsbuilts-2020", plane(1, np.float32, 2e4), ("built_surface",)), "20000 m2"),
    "bands of radar": (tile(OPTICAL, plane(24, np.uint8), radar_names()), "called '01_vv'"),
    "of another place": (tile(OPTICAL, plane(36, np.uint8), optical_names(), bounds=bounds_of(4)), "of another chip"),
    "out of the folder": (outside, "leads out"),
    "power": (tile(RADAR, plane(24, np.uint16, 20000), radar_names()), "20000"),
    "of another size": (tile(RADAR, wrapped(plane(24, np.float64, -9.0, 70)), radar_names()), "70 x 64"),
    "coherence above one": (above_one, "between 0 and 1"),
}
"""What is wrong with one tile of a chip, and what is said of it: a chip each."""


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """What an import of chips that are all harmed says, by chip."""
    folder = tmp_path_factory.mktemp("harmed")
    write_all(folder / "own", len(HARMS) + 2)
    for number, (harm, _) in enumerate(HARMS.values()):
        harm(folder / "own", number)
    return brought(folder / "own", folder / "out", max_failed_share=1.0).facts["failed"]


@pytest.mark.parametrize("what", HARMS)
def test_a_wrong_tile_fails_its_chip_with_a_reason(failed, what):
    chip = chip_id(list(HARMS).index(what))
    (reason,) = failed[chip].values()
    assert chip in reason and HARMS[what][1] in reason.partition(chip)[2]


def test_a_right_tile_is_imported_whatever_is_wrong_with_the_others(failed):
    assert set(failed) == {chip_id(number) for number in range(len(HARMS))}


def test_without_a_split_the_outlines_go_along_and_a_study_makes_its_own_split(published, own, tmp_path):
    brought(published, out := tmp_path / "out")
    with_split = make_study(tmp_path / "split", "folder", out)
    write_partitions(own, 5, splits=False)
    (own / SPLITS).unlink()
    brought(own, out, overwrite=True)
    assert set(open_chip_folder(out).chips.split) == {None}
    (out / "stranger.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    without = make_study(tmp_path / "none", "folder", out)
    told = [tomllib.loads(Path(answer.facts["study"]).read_text())["areas"] for answer in (with_split, without)]
    ((area, named),) = told[1].items()
    assert list(named) == ["partitions"] and list(told[0][area]) == ["partitions", "splits"]
    chips, _ = read_partitions(Path(named["partitions"]), None, area)
    assert set(chips.ids) == set(open_chip_folder(out).chips.ids) and set(chips.split) == {None}
    assert not (out / f"{area}_splits.csv").exists()


def test_groups_without_a_split_stand_in_the_table_alone(own, tmp_path):
    write_partitions(own, 5, splits=False)
    (own / SPLITS).unlink()
    path = own / f"{STEM}.geojson"
    content = json.loads(path.read_text())
    for number, feature in enumerate(content["features"]):
        feature["properties"]["group"] = f"g{number % 2}"
    path.write_text(json.dumps(content))
    brought(own, tmp_path / "out", group="group")
    assert set(open_chip_folder(tmp_path / "out").chips.group) == {"g0", "g1"}
    assert not list((tmp_path / "out").glob("*.geojson"))


def test_what_is_of_no_layout_is_refused(own, tmp_path):
    write_partitions(own, 5, splits=False)
    (own / SPLITS).unlink()
    brought(own, tmp_path / "out")
    with pytest.raises(InputError, match="_partitions_KIND"):
        brought(tmp_path / "out", tmp_path / "other")
    with pytest.raises(UsageError, match="no such month"):
        brought(own, tmp_path / "another", months="2019-01")
    write_partitions(own, 1)
    content = json.loads((own / f"{STEM}.geojson").read_text())
    content["features"][0]["properties"]["identifier"] = "0000000000001"
    (own / f"{STEM}.geojson").write_text(json.dumps(content))
    (own / SPLITS).unlink()
    with pytest.raises(InputError, match=r"of no chip|none of its"):
        brought(own, tmp_path / "third")


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [("../../x.tif", b"II*\0", "no way upward"), ("/etc/x.tif", b"II*\0", "no way upward"), (f"c/{STEM}/s/x.pkl", b"II*\0", "nothing else"),
     (f"c/{STEM}/s/x.tif", b"\x80\x04pickle", "begins like no")],
)  # fmt: skip
def test_a_row_that_is_no_tile_is_refused_with_its_number(own, tmp_path, path, content, said):
    pq.write_table(
        pa.table({"path": [path], "ds": ["s2rgbm-2020"], "content": [content]}), own / STEM / "a.zstd.parquet"
    )
    with pytest.raises(InputError, match=f"row 1: .*{said}"):
        brought(own, tmp_path / "out", kind="m3leo")
