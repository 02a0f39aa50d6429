"""A chip folder holds its files itself: a link that leads out of it is refused, and any other link is followed."""

import csv

import numpy as np
import pytest

from terrashot.errors import InputError
from terrashot.ingest.folder import open_chip_folder, read_folder_labels
from terrashot.ingest.inside import refuse_outside

IDS = ("a", "b", "c")


def write_csv(path, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def folder(tmp_path):
    """Three chips of 4 px in `chips`, a sub-folder, so that there is an outside."""
    folder = tmp_path / "chips"
    (folder / "s2rgbm").mkdir(parents=True)
    for chip_id in IDS:
        np.save(folder / "s2rgbm" / f"{chip_id}.npy", np.ones((3, 4, 4), np.uint8))
    write_csv(folder / "chips.csv", ["id", "area"], *([chip_id, "x"] for chip_id in IDS))
    write_csv(folder / "labels.csv", ["id", "wet"], ["a", "1"])
    (folder / "s2rgbm.toml").write_text('units = "dn"\n')
    return folder


def move_out(path):
    """The file lies outside the chip folder now, and a link to it where it was."""
    target = path.parents[1] / f"outside-{path.name}" if path.parent.name == "chips" else path.parents[2] / path.name
    path.rename(target)
    path.symlink_to(target)


@pytest.mark.parametrize("name", ["chips.csv", "s2rgbm.toml", "s2rgbm"])
def test_a_link_out_of_the_chip_folder_is_refused_and_named(folder, name):
    move_out(folder / name)
    with pytest.raises(InputError, match=rf"{name}.*: leads out of the chip folder, to .*; copy the file there"):
        open_chip_folder(folder)


def test_linked_labels_are_refused_too(folder):
    move_out(folder / "labels.csv")
    with pytest.raises(InputError, match=r"labels\.csv: leads out of the chip folder"):
        read_folder_labels(folder, IDS)


def test_an_image_linked_from_outside_fails_its_own_chip_alone(folder):
    move_out(folder / "s2rgbm" / "b.npy")
    (source,) = open_chip_folder(folder).sources
    assert source.read("a").values.shape == (3, 4, 4)
    with pytest.raises(InputError, match=r"b\.npy: leads out of the chip folder"):
        source.read("b")


def test_a_link_inside_the_folder_is_followed(folder):
    (folder / "s2rgbm" / "b.npy").unlink()
    (folder / "s2rgbm" / "b.npy").symlink_to("a.npy")
    (source,) = open_chip_folder(folder).sources
    assert source.read("b").values.shape == (3, 4, 4)


def test_the_folder_itself_may_be_a_link(folder):
    link = folder.with_name("link")
    link.symlink_to(folder)
    opened = open_chip_folder(link)
    assert opened.sources[0].read("a").values.shape == (3, 4, 4)
    assert opened.labels().chip_ids == ("a",)


@pytest.mark.parametrize("target", ["nowhere", "b.npy"])
def test_a_link_to_nothing_is_no_missing_image(folder, target):
    (source,) = open_chip_folder(folder).sources
    (folder / "s2rgbm" / "b.npy").unlink()
    (folder / "s2rgbm" / "b.npy").symlink_to(target)
    with pytest.raises(InputError, match=r"b\.npy: no plain file, or a link to nothing"):
        source.read("b")


@pytest.mark.parametrize("chip_id", ["../a", "../../chips/s2rgbm/a", "/etc/hostname", ".."])
def test_an_id_that_is_a_path_names_no_image(folder, chip_id):
    (source,) = open_chip_folder(folder).sources
    with pytest.raises(InputError, match=r"an id is no path|no file"):
        source.read(chip_id)


def test_a_name_that_begins_like_the_folder_is_outside(folder):
    with pytest.raises(InputError):
        refuse_outside(folder.with_name("chips-2") / "a.npy", folder)
