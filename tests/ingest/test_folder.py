"""A chip folder gives its chips, images and labels; what is not there stays absent and is said."""

import csv
import pickle

import h5py
import numpy as np
import pytest
import rasterio
from PIL import Image

from terrashot.domain.modality import Channel
from terrashot.engine import ordered_map
from terrashot.errors import InputError, MissingImageryError
from terrashot.ingest.folder import open_chip_folder, read_chip_table
from terrashot.ingest.source import ImagerySource

IDS = ("a", "b", "c")


def write_csv(path, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def folder(tmp_path):
    """Three chips of 4 px: optical of all, radar of two, labels of two."""
    write_csv(tmp_path / "chips.csv", ["id", "area"], *([chip_id, "x"] for chip_id in IDS))
    for modality, ids, count in (("s2rgbm", IDS, 3), ("s1grdm", IDS[:2], 2)):
        (tmp_path / modality).mkdir()
        for number, chip_id in enumerate(ids):
            np.save(tmp_path / modality / f"{chip_id}.npy", np.full((count, 4, 4), number + 1, np.uint8))
    write_csv(tmp_path / "labels.csv", ["id", "wet", "kind"], ["c", "0.5", ""], ["a", "", "lake"])
    return tmp_path


def source_of(folder, modality):
    return next(source for source in open_chip_folder(folder).sources if source.modality == modality)


def write_gunw(path, values, labels):
    with h5py.File(path, "w") as file:
        group = file.create_group("science/grids/data")
        group["coherence"] = values.astype(np.float32)
        group["datepair"] = np.array(labels, dtype=h5py.string_dtype())
        group["latitude"], group["longitude"] = np.linspace(1, 0, values.shape[1]), np.linspace(0, 1, values.shape[2])


def test_chips_come_by_id_whatever_the_files_order_with_what_is_known(folder):
    write_csv(
        folder / "chips.csv",
        ["group", "id", "lat", "lon", "split", "area"],
        ["g", "b", "45.5", "9.25", "train", "x"],
        ["", "a", "", "", "test", ""],
    )
    chips = open_chip_folder(folder).chips
    assert (chips.ids, chips.area, chips.group, chips.split) == (
        ("a", "b"),
        ("all", "x"),
        (None, "g"),
        ("test", "train"),
    )
    assert np.array_equal(chips.lon_deg, [np.nan, 9.25], equal_nan=True)
    assert np.array_equal(chips.lat_deg, [np.nan, 45.5], equal_nan=True)
    assert chips.footprint is None and chips.utm is None


def test_chips_without_places_have_none(folder):
    chips = open_chip_folder(folder).chips
    assert chips.lon_deg is None and chips.split == (None, None, None)


def test_a_chip_table_can_be_read_alone(folder):
    assert read_chip_table(folder / "chips.csv").ids == IDS


def test_sources_are_what_the_harvest_asks_for(folder):
    sources = open_chip_folder(folder).sources
    assert [source.modality for source in sources] == ["s2rgbm", "s1grdm"]
    assert all(isinstance(source, ImagerySource) for source in sources)
    assert (sources[0].side_px, sources[0].max_channels, sources[0].unit) == (4, 3, "dn")


def test_channels_without_names_are_counted(folder):
    imagery = source_of(folder, "s2rgbm").read("b")
    assert imagery.channels == tuple(Channel(name, name, "dn") for name in ("c1", "c2", "c3"))
    assert (imagery.values == 2).all() and imagery.absences == ()


def test_a_chip_without_a_file_is_missing_imagery(folder):
    with pytest.raises(MissingImageryError, match="chip c: s1grdm: no file"):
        source_of(folder, "s1grdm").read("c")


def test_labels_come_in_the_chips_order_and_stay_absent_where_empty(folder):
    labels = open_chip_folder(folder).labels()
    assert labels.chip_ids == ("a", "c")
    assert np.array_equal(labels.targets["wet"], [np.nan, 0.5], equal_nan=True)
    assert labels.targets["kind"].tolist() == ["lake", None]


def test_what_must_be_said_is_said(folder):
    write_csv(folder / "chips.csv", ["id"], *([chip_id] for chip_id in IDS))
    (folder / "s2rgbm" / "z.npy").write_bytes(b"")
    (folder / "s2rgb").mkdir()
    notes = "\n".join(open_chip_folder(folder).notes)
    for said in (
        "all chips are in area 'all'",
        "s2rgbm: no unit is stated",
        "s1grdm: 1 of 3 chips have no file",
        "s2rgbm: 1 files are of no chip in chips.csv, as z.npy",
        "'s2rgb' is not read, for its name is no modality; did you mean 's2rgbm'?",
    ):
        assert said in notes


def test_a_folder_that_says_everything_needs_no_notes(folder):
    write_csv(folder / "chips.csv", ["id", "area"], ["a", "x"], ["b", "x"])
    (folder / "s2rgbm" / "c.npy").unlink()
    (folder / "s2rgbm.toml").write_text('units = "reflectance"\nscale = 0.0001')
    (folder / "s1grdm.toml").write_text('units = "dB"')
    assert open_chip_folder(folder).notes == ()


def test_the_channel_file_names_scales_and_masks(folder):
    np.save(folder / "s1grdm" / "a.npy", np.array([[[0, 10], [20, 255]], [[30, 40], [50, 60]]], np.uint8))
    for other in ("b.npy",):
        np.save(folder / "s1grdm" / other, np.ones((2, 2, 2), np.uint8))
    (folder / "s1grdm.toml").write_text(
        'names = ["before_vv", "after_vv"]\nkinds = "vv"\nunits = "dB"\nscale = [0.5, 1]\noffset = -10\nnodata = [0, 255]'
    )
    imagery = source_of(folder, "s1grdm").read("a")
    assert imagery.channels == (Channel("before_vv", "vv", "dB"), Channel("after_vv", "vv", "dB"))
    assert np.array_equal(imagery.values[0], [[np.nan, -5], [0, np.nan]], equal_nan=True)
    assert np.array_equal(imagery.values[1], [[20, 30], [40, 50]])


def test_a_scale_beside_the_folder_replaces_that_of_the_file(folder):
    for chip_id in IDS:
        with rasterio.open(
            folder / "s2rgbm" / f"{chip_id}.tif", "w", driver="GTiff", count=1, width=4, height=4, dtype="uint16"
        ) as file:
            file.write(np.full((1, 4, 4), 100, np.uint16))
            file.scales, file.offsets, file.descriptions = (0.5,), (1.0,), ("red",)
        (folder / "s2rgbm" / f"{chip_id}.npy").unlink()
    assert (source_of(folder, "s2rgbm").read("a").values == 51).all()
    assert source_of(folder, "s2rgbm").channels == (Channel("red", "red", None),)
    (folder / "s2rgbm.toml").write_text('scale = 0.01\noffset = 0\nunits = "reflectance"')
    imagery = source_of(folder, "s2rgbm").read("a")
    assert np.allclose(imagery.values, 1) and imagery.channels == (Channel("red", "red", "reflectance"),)


def test_a_channel_without_any_data_is_kept_for_the_store_to_call_empty(folder):
    values = np.ones((3, 4, 4), np.float32)
    values[1] = np.nan
    for chip_id in IDS:
        np.save(folder / "s2rgbm" / f"{chip_id}.npy", values)
    imagery = source_of(folder, "s2rgbm").read("a")
    assert len(imagery.channels) == 3 and np.isnan(imagery.values[1]).all()


def test_endings_may_differ_and_be_written_in_capitals(folder):
    (folder / "s2rgbm" / "a.npy").unlink()
    Image.new("RGB", (4, 4), (5, 6, 7)).save(folder / "s2rgbm" / "a.PNG")
    source = source_of(folder, "s2rgbm")
    assert source.read("a").values[:, 0, 0].tolist() == [5, 6, 7]
    assert (source.read("b").values == 2).all()


def test_files_that_name_their_channels_may_hold_them_in_another_order(folder):
    for chip_id, order in zip(IDS, (("r", "g", "b"), ("r", "g", "b"), ("b", "g", "r")), strict=True):
        with rasterio.open(
            folder / "s2rgbm" / f"{chip_id}.tif", "w", driver="GTiff", count=3, width=4, height=4, dtype="uint8"
        ) as file:
            file.write(
                np.array([{"r": 1, "g": 2, "b": 3}[name] for name in order], np.uint8)[:, None, None]
                .repeat(4, 1)
                .repeat(4, 2)
            )
            file.descriptions = order
        (folder / "s2rgbm" / f"{chip_id}.npy").unlink()
    imagery = source_of(folder, "s2rgbm").read("c")
    assert {channel.name: plane[0, 0] for channel, plane in zip(imagery.channels, imagery.values, strict=True)} == {
        "r": 1, "g": 2, "b": 3,
    }  # fmt: skip


def test_one_odd_file_among_many_is_its_own_failure(folder):
    np.save(folder / "s2rgbm" / "a.npy", np.ones((3, 9, 9), np.uint8))
    source = source_of(folder, "s2rgbm")
    assert source.side_px == 4 and (source.read("b").values == 2).all()
    with pytest.raises(InputError, match=r"a\.npy: 9 px, the other s2rgbm files have 4"):
        source.read("a")


def test_one_unreadable_file_among_many_is_its_own_failure(folder):
    (folder / "s2rgbm" / "a.npy").write_bytes(b"\x93NUMPY")
    source = source_of(folder, "s2rgbm")
    with pytest.raises(InputError, match=r"a\.npy: cannot be read"):
        source.read("a")


def test_coherence_keeps_a_varying_number_of_pairs_and_lies_on_one_lattice(folder):
    (folder / "gunw").mkdir()
    pairs = ["20200217_20200205", "20200324_20200217"]
    write_gunw(folder / "gunw" / "a.nc", np.full((2, 5, 8), 0.25), pairs)
    write_gunw(folder / "gunw" / "b.nc", np.full((1, 5, 7), 0.75), pairs[:1])
    write_gunw(folder / "gunw" / "c.nc", np.empty((0, 6, 7)), [])
    source = source_of(folder, "gunw")
    assert (source.side_px, source.max_channels, source.channels, source.unit) == (5, 2, None, "coherence")
    imagery = source.read("a")
    assert imagery.channels[1] == Channel(pairs[1], "coherence", "coherence", "2020-02-17", "2020-03-24")
    assert imagery.values.shape == (2, 5, 5) and np.allclose(imagery.values, 0.25)
    assert source.read("b").values.shape == (1, 5, 5)
    nothing = source.read("c")
    assert nothing.values.shape == (0, 5, 5) and nothing.absences[0].reason == "the file holds no date pair"


def test_coherence_in_geotiff_takes_dates_from_tags_and_loses_zero(folder):
    (folder / "gunw").mkdir()
    values = np.full((1, 4, 4), 0.5, np.float32)
    values[0, 0, 0] = 0
    with rasterio.open(
        folder / "gunw" / "a.tif", "w", driver="GTiff", count=1, width=4, height=4, dtype="float32"
    ) as file:
        file.write(values)
        file.update_tags(FIRST_DATE="2020-02-05", SECOND_DATE="2020-02-17")
    imagery = source_of(folder, "gunw").read("a")
    assert imagery.channels == (Channel("20200217_20200205", "coherence", "coherence", "2020-02-05", "2020-02-17"),)
    assert np.isnan(imagery.values[0, 0, 0]) and np.isnan(imagery.values).sum() == 1


def test_a_source_is_small_and_travels_to_other_processes(folder):
    source = source_of(folder, "s2rgbm")
    assert len(pickle.dumps(source)) < 2000
    found = list(ordered_map(source.read, list(IDS), 2))
    assert [imagery.values[0, 0, 0] for imagery in found] == [1, 2, 3]
