"""What every chip store promises, on disk and held in memory; and what holding adds."""

import shutil
import tracemalloc

import numpy as np
import pytest

from terrashot.domain.grid import Grid
from terrashot.errors import IntegrityError
from terrashot.ingest.harvest import harvest
from terrashot.ingest.world.sources import World, simulated_sources
from terrashot.store.chips import ChipStore, open_chip_store
from terrashot.store.held import HeldChipStore, held_bytes, hold
from terrashot.store.layout import shard_path

SIDE = 32
IDS = [Grid(32632, SIDE * 10.0).chip(450_000 // SIDE, 50_000 // SIDE + number).id for number in range(12)]
PLENTY = 1 << 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("held")
    for _ in harvest(simulated_sources(World(0, SIDE), 10.0), IDS, found, workers=1):
        pass
    return found


@pytest.fixture(params=["on disk", "held"])
def store(request, folder):
    opened = open_chip_store(folder)
    return opened if request.param == "on disk" else hold(opened, IDS, PLENTY)


def picks_of(store, modality):
    return [(chip_id, found.slot) for chip_id in store.chip_ids for found in store.channels(chip_id, modality)]


def test_it_is_a_chip_store_of_what_was_put_in(store):
    assert isinstance(store, ChipStore)
    assert sorted(store.chip_ids) == sorted(IDS)
    assert store.modalities == ("s2rgbm", "s1grdm", "gunw") and store.chip_px == SIDE
    assert set(store.presence().chip_id) == set(IDS)


def test_read_gives_one_image_a_pick_in_the_order_of_the_picks(store):
    for modality in store.modalities:
        picks = picks_of(store, modality)
        together = store.read(modality, [*picks[::-1], picks[0]])
        assert together.dtype == np.float32 and together.shape == (len(picks) + 1, SIDE, SIDE)
        for image, pick in zip(together, [*picks[::-1], picks[0]], strict=True):
            np.testing.assert_array_equal(image, store.read(modality, [pick])[0])
        assert store.read(modality, []).shape == (0, SIDE, SIDE)


def test_what_the_caller_does_to_an_image_changes_no_later_one(store):
    for modality in store.modalities:
        picks = picks_of(store, modality)[:3]
        before = store.read(modality, picks)
        changed = store.read(modality, picks)
        changed[:] = 7
        np.testing.assert_array_equal(store.read(modality, picks), before)


def test_a_channel_that_is_listed_has_as_many_valid_pixels_as_it_says(store):
    for chip_id in store.chip_ids:
        for found in store.channels(chip_id, "s2rgbm"):
            image = store.read("s2rgbm", [(chip_id, found.slot)])[0]
            assert np.mean(~np.isnan(image)) == pytest.approx(found.valid_fraction, abs=1e-6)


def test_a_channel_that_is_not_listed_is_no_data(store):
    listed = {slot for _, slot in picks_of(store, "gunw")}
    first = store.chip_ids[0]
    absent = sorted(listed - {found.slot for found in store.channels(first, "gunw")})[0]
    assert np.isnan(store.read("gunw", [(first, absent)])).all()
    assert store.channels("no such chip", "gunw") == ()


def test_held_images_are_those_on_disk_to_the_last_bit(folder):
    disk = open_chip_store(folder)
    held = hold(disk, IDS, PLENTY)
    for modality in disk.modalities:
        picks = picks_of(disk, modality)
        wanted = disk.read(modality, picks).tobytes()
        assert held.read(modality, picks).tobytes() == wanted
        assert held.read(modality, picks).tobytes() == wanted, "read for the second time, from memory"


def test_what_was_read_once_is_not_read_again_and_nothing_else_is_held(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    disk = open_chip_store(tmp_path)
    held = hold(disk, IDS[:1], PLENTY)
    first, other = ([(c, s.slot) for s in disk.channels(c, "s1grdm")] for c in IDS[:2])
    before = held.read("s1grdm", first)
    held.read("s1grdm", other)
    path = shard_path(tmp_path, "s1grdm", 0)
    path.write_bytes(bytes(path.stat().st_size))
    np.testing.assert_array_equal(held.read("s1grdm", first), before)
    with pytest.raises(IntegrityError, match=f"chip {IDS[1]}, s1grdm, slot {other[0][1]} is damaged"):
        held.read("s1grdm", other)


def test_a_store_that_does_not_fit_is_given_back_as_it_is(folder):
    disk = open_chip_store(folder)
    total = sum(held_bytes(disk, chip_id) for chip_id in IDS)
    assert isinstance(hold(disk, IDS, total), HeldChipStore)
    assert hold(disk, IDS, total - 1) is disk
    assert isinstance(hold(disk, IDS[:-1], total - 1), HeldChipStore)


def test_holding_takes_what_it_says(folder):
    disk = open_chip_store(folder)
    for modality in disk.modalities:
        disk.read(modality, picks_of(disk, modality))  # files opened, chips looked up
    held = hold(disk, IDS, PLENTY)
    tracemalloc.start()
    for modality in disk.modalities:
        held.read(modality, picks_of(disk, modality))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    said = sum(held_bytes(disk, chip_id) for chip_id in IDS)
    assert 0.8 * said <= taken <= said
