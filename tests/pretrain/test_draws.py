"""Which channel of which chip a step sees."""

import dataclasses

import numpy as np
import pytest
import torch

from fake_chip_store import FakeChipStore, textured_store
from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.pretrain.augment import N_SYMMETRIES, turned
from terrashot.pretrain.dataset import batches, make_draws
from terrashot.pretrain.schedule import learning_rate_share

IDS = tuple(f"chip{number:02d}" for number in range(20))
STATS = ChannelStats({name: {"all": KindStats(1.0, 2.0, 9, "unit")} for name in ("optical", "radar", "pairs")})
CHANNEL = Channel("c", "all", "unit")


@pytest.fixture
def store():
    return textured_store(IDS, {"optical": 3, "radar": 2, "pairs": 4})


def spelled(modality, chip, slot):
    """Pixels that spell out where they come from, so that a mix-up shows."""
    return np.full((4, 4), 100 * ("optical", "radar", "pairs").index(modality) + 10 * chip + slot, np.float32)


def spelling_store(n_chips=5, n_slots=3):
    return FakeChipStore(
        {
            name: {
                f"c{chip}": [(CHANNEL, spelled(name, chip, slot)) for slot in range(n_slots)] for chip in range(n_chips)
            }
            for name in ("optical", "radar", "pairs")
        }
    )


def test_every_chip_is_shown_once_an_epoch_in_an_order_of_its_own(store):
    draws = make_draws(store, STATS, IDS, seed=0)
    first, second = draws.order(0), draws.order(1)
    assert sorted(first) == sorted(second) == sorted(IDS)
    assert first != second


def test_order_and_channels_depend_on_seed_epoch_and_chip_alone(store):
    forward, backward = make_draws(store, STATS, IDS, seed=0), make_draws(store, STATS, IDS[::-1], seed=0)
    assert forward.order(3) == backward.order(3)
    assert make_draws(store, STATS, IDS, seed=1).order(3) != forward.order(3)
    together = forward.views(IDS[:4], "epoch 3", augment=True)
    alone = backward.views(IDS[2:3], "epoch 3", augment=True)
    for name in store.modalities:
        assert torch.equal(together.pixels[name][2], alone.pixels[name][0])


def test_the_pixels_of_a_row_are_those_of_its_chip_and_modality():
    store = spelling_store()
    stats = ChannelStats({name: {"all": KindStats(0.0, 1.0, 9, "unit")} for name in store.modalities})
    views = make_draws(store, stats, store.chip_ids, seed=0).views(["c3", "c0", "c4"], "epoch 0", augment=True)
    for number, name in enumerate(store.modalities):
        for row, chip in enumerate((3, 0, 4)):
            assert 0 <= float(views.pixels[name][row].mean()) - 100 * number - 10 * chip <= 2


def test_each_step_reads_one_channel_of_each_modality_of_each_chip(store):
    make_draws(store, STATS, IDS, seed=0).views(IDS, "epoch 0", augment=False)
    assert sorted((name, chip) for name, chip, _ in store.requests) == sorted(
        (n, c) for n in store.modalities for c in IDS
    )


def test_over_epochs_each_channel_is_drawn_as_often_as_the_others(store):
    draws = make_draws(store, STATS, IDS, seed=0)
    for epoch in range(60):
        draws.views(IDS, f"epoch {epoch}", augment=False)
    counts = np.bincount([slot for name, _, slot in store.requests if name == "pairs"])
    # 1,200 draws from 4: five standard deviations of a fair draw.
    assert abs(counts - 300).max() < 5 * (1200 * 0.25 * 0.75) ** 0.5


def test_pixels_are_scaled_and_gaps_become_the_mean():
    holed = spelled("optical", 0, 0)
    holed[1, 2] = np.nan
    store = FakeChipStore({"optical": {"c0": [(CHANNEL, holed + 5)]}, "radar": {"c0": [(CHANNEL, holed + 5)]}})
    shown = make_draws(store, STATS, ["c0"], seed=0).views(["c0"], "epoch 0", augment=False).pixels["optical"][0, 0]
    assert shown[1, 2] == 0
    assert shown[0, 0] == (5 - 1.0) / 2.0


def test_an_absent_modality_is_masked_and_never_read():
    store = spelling_store()
    images = {name: dict(chips) for name, chips in store.images.items()}
    images["pairs"]["c1"] = [None, None, None]
    del images["pairs"]["c2"]
    images["radar"]["c3"] = [(CHANNEL, np.full((4, 4), np.nan, np.float32))]
    views = make_draws(FakeChipStore(images), STATS, store.chip_ids, seed=0).views(
        store.chip_ids, "epoch 0", augment=True
    )
    assert views.present["pairs"].tolist() == [True, False, False, True, True]
    assert views.present["radar"].tolist() == [True, True, True, False, True]
    assert (views.pixels["pairs"][1:3] == 0).all() and (views.pixels["radar"][3] == 0).all()


def test_a_derived_channel_without_a_valid_pixel_counts_as_absent():
    @dataclasses.dataclass(frozen=True)
    class Hopeful(FakeChipStore):
        """Says that a channel has pixels before their difference is taken, as a store may."""

        def channels(self, chip_id, modality):
            return tuple(
                dataclasses.replace(stored, valid_fraction=0.5) for stored in super().channels(chip_id, modality)
            )

    empty = [(CHANNEL, np.full((4, 4), np.nan, np.float32))]
    store = Hopeful({**spelling_store(2).images, "radar": {"c0": empty, "c1": empty}})
    views = make_draws(store, STATS, store.chip_ids, seed=0).views(["c0", "c1"], "epoch 0", augment=False)
    assert not views.present["radar"].any() and views.present["optical"].all()


def test_a_chip_with_one_modality_is_left_out_and_counted():
    images = {name: dict(chips) for name, chips in spelling_store().images.items()}
    del images["radar"]["c2"], images["pairs"]["c2"], images["pairs"]["c3"]
    draws = make_draws(FakeChipStore(images), STATS, ["c0", "c1", "c2", "c3", "c4"], seed=0)
    assert draws.chip_ids == ("c0", "c1", "c3", "c4") and draws.n_skipped == 1


def test_all_modalities_of_a_chip_are_turned_alike():
    corner = np.zeros((4, 4), np.float32)
    corner[0, 1] = 1.0
    store = FakeChipStore({name: {f"c{i}": [(CHANNEL, corner)] for i in range(40)} for name in ("optical", "radar")})
    views = make_draws(store, STATS, store.chip_ids, seed=0).views(store.chip_ids, "epoch 0", augment=True)
    assert torch.equal(views.pixels["optical"], views.pixels["radar"])
    assert len({image.numpy().tobytes() for image in views.pixels["optical"]}) == N_SYMMETRIES
    still = make_draws(store, STATS, store.chip_ids, seed=0).views(store.chip_ids, "epoch 0", augment=False)
    assert len({image.numpy().tobytes() for image in still.pixels["optical"]}) == 1


def test_the_eight_symmetries_are_different_and_lose_no_pixel():
    image = np.arange(9, dtype=np.float32).reshape(3, 3)
    results = [turned(image, symmetry) for symmetry in range(N_SYMMETRIES)]
    assert len({result.tobytes() for result in results}) == 8
    assert all((np.sort(result, axis=None) == np.arange(9)).all() for result in results)
    assert (results[0] == image).all()


@pytest.mark.parametrize(
    "n, size, lengths", [(10, 4, [4, 4, 2]), (9, 4, [4, 5]), (8, 4, [4, 4]), (3, 64, [3]), (1, 4, [1])]
)
def test_batches_hold_every_chip_and_none_holds_a_chip_alone(n, size, lengths):
    cut = list(batches(IDS[:n], size))
    assert [len(part) for part in cut] == lengths
    assert [chip for part in cut for chip in part] == list(IDS[:n])


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing():
    shares = [learning_rate_share(step, 100, 10) for step in range(100)]
    assert shares[0] == 0.1 and shares[9] == shares[10] == 1.0 and shares[-1] < 0.001
    assert shares[:10] == sorted(shares[:10]) and shares[10:] == sorted(shares[10:], reverse=True)
    assert learning_rate_share(0, 5, 0) == 1.0
