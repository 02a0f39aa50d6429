"""`terrashot import geetiles | m3leo` on files in the exact layout: what comes out, what goes on, what is refused."""

import json
import shutil

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
from terrashot.domain.modality import Imagery
from terrashot.errors import InputError, MissingImageryError, StorageError, UsageError
from terrashot.ingest.folder import open_chip_folder
from terrashot.steps.import_chips import ChipImport, choices_of, import_chip_folder
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


def bad_names(root):
    write_tile(root, "s2rgbm-2020", 0, np.ones((24, 8, 8), np.uint8), radar_names())


def elsewhere(root):
    write_tile(root, "s2rgbm-2020", 0, np.ones((36, SIDE_PX, SIDE_PX), np.uint8), optical_names(), bounds=bounds_of(4))


def outside(root):
    path = root / STEM / "s2rgbm-2020" / f"{chip_id(0)}.tif"
    path.unlink()
    shutil.copy(root / STEM / "s2rgbm-2020" / f"{chip_id(1)}.tif", root.parent / "outside.tif")
    path.symlink_to(root.parent / "outside.tif")


def power(root):
    write_tile(root, "s1grdm-2020-asc", 0, np.full((24, SIDE_PX, SIDE_PX), 20000, np.uint16), radar_names())


def wide(root):
    write_tile(root, "s1grdm-2020-asc", 0, wrapped(np.full((24, SIDE_PX, 70), -9.0)), radar_names())


def above_one(root):
    write_gunw(root, 0, np.full((1, 12, 12), 1.5), ["20200115_20200103"])


def halved(*data_sets):
    """Cuts a chip's tiles short."""

    def harm(root):
        for path in (path for name in data_sets for path in (root / STEM / name).glob(f"{chip_id(0)}.*")):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return harm


def of_two_bytes(root):
    write_tile(root, "s2rgbm-2020", 0, np.ones((36, SIDE_PX, SIDE_PX), np.uint16), optical_names())


def of_one_byte(root):
    write_tile(root, "s1grdm-2020-asc", 0, np.ones((24, SIDE_PX, SIDE_PX), np.uint8), radar_names())


def no_tiff(root):
    (root / STEM / "s2rgbm-2020" / f"{chip_id(0)}.tif").write_bytes(b"<html>not found</html>")


def change_pairs(name, values):
    """Puts something else into a chip's file of pairs."""

    def harm(root):
        with h5py.File(root / STEM / GUNW / f"{chip_id(0)}.nc", "r+") as file:
            del file[f"science/grids/data/{name}"]
            if values is not None:
                file[f"science/grids/data/{name}"] = values

    return harm


def half_trees(root):
    names = tuple(f"Percent_Tree_Cover_{year}" for year in range(2016, 2021))
    write_tile(root, "modis44b006veg", 0, np.full((5, SIDE_PX, SIDE_PX), 150, np.uint8), names)


def built_twice(root):
    write_tile(root, "ghsbuilts-2020", 0, np.full((1, SIDE_PX, SIDE_PX), 2e4, np.float32), ("built_surface",))


@pytest.mark.parametrize(
    ("harm", "said"),
    [(halved("s1grdm-2020-asc"), "cannot be read"), (halved(GUNW), "cannot be read"), (halved("esaworldcover-2020"), "cannot be read"),
     (of_two_bytes, "uint16"), (of_one_byte, "uint8"), (no_tiff, "cannot be read"), (change_pairs("coherence", None), "coherence"),
     (change_pairs("coherence", np.ones((4, 3))), "coherence"), (change_pairs("datepair", ["x"]), "datepair"),
     (change_pairs("latitude", np.arange(3.0)), "latitude"), (half_trees, "holds 150"), (built_twice, "20000 m2"),
     (bad_names, "called '01_vv'"), (elsewhere, "of another chip"), (outside, "leads out"), (power, "20000"), (wide, "70 x 64"),
     (above_one, "between 0 and 1")],
)  # fmt: skip
def test_a_wrong_tile_fails_its_chip_with_a_reason(own, tmp_path, harm, said):
    harm(own)
    with pytest.raises(InputError, match=rf"{chip_id(0)}.*{said}"):
        brought(own, tmp_path / "out")


def test_without_a_split_a_study_makes_its_own_and_what_is_of_no_layout_is_refused(own, tmp_path):
    write_partitions(own, 5, splits=False)
    (own / SPLITS).unlink()
    brought(own, tmp_path / "out")
    assert set(open_chip_folder(tmp_path / "out").chips.split) == {None}
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
