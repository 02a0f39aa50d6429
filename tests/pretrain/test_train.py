"""The loop: it learns, it chooses, it says what is wrong."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from fake_chip_store import FakeChipStore, textured_store
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.errors import InputError
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.checks import epoch_notes
from terrashot.pretrain.dataset import make_draws
from terrashot.pretrain.distributed import World
from terrashot.pretrain.settings import TrainSettings
from terrashot.pretrain.train import TIMES, EpochDone, StepDone, Training, train, view_plan
from terrashot.pretrain.validate import effective_rank, validate
from two_ranks import in_two_ranks

MODALITIES = ("optical", "radar", "pairs")
STATS = ChannelStats({name: {"all": KindStats(0.5, 1.5, 9, "unit")} for name in MODALITIES})
CONFIG = TowersConfig(MODALITIES, VitConfig(width=16, depth=2, heads=2, patch_px=4, chip_px=8), embedding=16)
SETTINGS = TrainSettings(
    epochs=2, batch_size=8, learning_rate=3e-3, weight_decay=0.05, warmup_share=0.1, flips=False, seed=0
)
TRAIN = tuple(f"train{number:03d}" for number in range(64))
VAL = tuple(f"val{number:03d}" for number in range(20))


def draws_of(chip_ids, *, channels=None, seed=0):
    store = textured_store(chip_ids, channels or {"optical": 2, "radar": 2, "pairs": 2})
    return make_draws(store, STATS, chip_ids, seed=seed, plan=view_plan(CONFIG, SETTINGS))


def without(store, modality):
    """The store with a modality that no chip has."""
    return FakeChipStore({**store.images, modality: {chip_id: [None] for chip_id in store.chip_ids}})


def finish(work):
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as stop:
            return events, stop.value


def untimed(trained):
    """The metrics without what only tells of the machine."""
    return [{name: metrics[name] for name in metrics if name not in TIMES} for metrics in trained.metrics]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    settings = dataclasses.replace(SETTINGS, epochs=15, batch_size=32, learning_rate=6e-3, warmup_share=0.2)
    many = tuple(f"train{number:03d}" for number in range(160))
    return finish(train(Training(CONFIG, draws_of(many), draws_of(VAL), settings, tmp_path_factory.mktemp("state"))))


def test_partners_are_found_among_chips_never_trained_on(trained):
    _, result = trained
    chance, recall = 1 / len(VAL), result.metrics[result.best_epoch]["recall"]
    assert set(recall) == {f"{a}>{b}" for a in MODALITIES for b in MODALITIES if a != b}
    assert np.mean([found["1"] for found in recall.values()]) > 2.5 * chance
    assert all(found["n"] == len(VAL) and found["1"] <= found["5"] <= found["10"] for found in recall.values())


def test_the_best_epoch_by_validation_loss_is_kept_beside_the_last(trained):
    events, result = trained
    losses = [event.metrics["val_loss"] for event in events if isinstance(event, EpochDone)]
    assert result.best_epoch == int(np.argmin(losses)) and len(losses) == 15 == len(result.metrics)
    again = validate(result.towers, draws_of(VAL))
    assert again["val_loss"] == result.metrics[result.best_epoch]["val_loss"] == min(losses)
    last = make_towers(CONFIG, 0)
    last.load_state_dict(result.last)
    assert validate(last, draws_of(VAL))["val_loss"] == losses[-1]


def test_events_count_steps_and_epochs_and_metrics_tell_the_share_of_waiting(trained):
    events, result = trained
    steps = [event for event in events if isinstance(event, StepDone)]
    assert len(steps) == 15 * 5 and steps[6] == StepDone(epoch=1, done=2, steps=5)
    assert set(result.metrics[0]) == {
        "epoch", "train_loss", "val_loss", "recall", "effective_rank", "temperature", "chips_skipped", *TIMES
    }  # fmt: skip
    assert all(0 <= metrics["waiting_share"] <= 1 and metrics["seconds"] > 0 for metrics in result.metrics)


def test_the_same_seed_gives_the_same_run_whatever_the_order_of_the_chips(tmp_path):
    _, first = finish(train(Training(CONFIG, draws_of(TRAIN), draws_of(VAL), SETTINGS, tmp_path / "a")))
    _, second = finish(train(Training(CONFIG, draws_of(TRAIN[::-1]), draws_of(VAL[::-1]), SETTINGS, tmp_path / "b")))
    _, other = finish(train(Training(CONFIG, draws_of(TRAIN, seed=1), draws_of(VAL), SETTINGS, tmp_path / "c")))
    assert untimed(first) == untimed(second)
    assert all(torch.equal(first.last[name], second.last[name]) for name in first.last)
    assert untimed(first) != untimed(other)


def test_a_modality_that_no_chip_has_does_not_stop_the_others(tmp_path):
    stores = [without(textured_store(ids, dict.fromkeys(MODALITIES, 2)), "pairs") for ids in (TRAIN, VAL)]
    draws = [make_draws(store, STATS, store.chip_ids, seed=0) for store in stores]
    _, result = finish(train(Training(CONFIG, *draws, SETTINGS, tmp_path)))
    assert all(math.isfinite(metrics["val_loss"]) and metrics["val_loss"] > 0 for metrics in result.metrics)
    assert set(result.metrics[0]["recall"]) == {"optical>radar", "radar>optical"}


def test_a_batch_larger_than_the_split_is_cut_and_said(tmp_path):
    settings = dataclasses.replace(SETTINGS, batch_size=1000)
    events, _ = finish(train(Training(CONFIG, draws_of(TRAIN), draws_of(VAL), settings, tmp_path)))
    notes = [note for event in events if isinstance(event, EpochDone) for note in event.notes]
    assert notes[0] == "batch_size 1000 is more than the 64 training chips: each step takes all of them"
    assert sum("batch_size" in note for note in notes) == 1


def test_one_modality_is_refused(tmp_path):
    draws = draws_of(TRAIN, channels={"optical": 2})
    with pytest.raises(InputError, match="at least two modalities of the same chips, found optical"):
        next(train(Training(CONFIG, draws, draws, SETTINGS, tmp_path)))


@pytest.mark.parametrize(
    "n_train, n_val, words", [(1, 5, "1 train chips"), (0, 5, "0 train chips"), (5, 1, "1 val chips")]
)
def test_too_few_chips_are_refused(tmp_path, n_train, n_val, words):
    store = textured_store(TRAIN, dict.fromkeys(MODALITIES, 1))
    draws = [make_draws(store, STATS, TRAIN[:n], seed=0) for n in (n_train, n_val)]
    with pytest.raises(InputError, match=words):
        next(train(Training(CONFIG, *draws, SETTINGS, tmp_path)))


def test_a_loss_that_is_no_number_names_the_chips(tmp_path):
    """No chip can do it, however broken (its pixels are held within bounds); a rate of learning can."""
    settings = dataclasses.replace(SETTINGS, learning_rate=1e38)
    with pytest.raises(InputError, match=r"epoch 1, step \d: the training loss is not .* chips train\d+.* and 3 more"):
        finish(train(Training(CONFIG, draws_of(TRAIN), draws_of(VAL), settings, tmp_path)))


def measured(epoch, rank, temperature):
    return {"epoch": epoch, "effective_rank": {"optical": rank, "radar": 9.0}, "temperature": temperature}


def test_collapse_and_a_vanished_temperature_are_said_in_words_once():
    history = [measured(0, 8.0, 0.07), measured(1, 1.2, 0.0100), measured(2, 1.1, 0.0100), measured(3, 8.0, 0.02)]
    said = [epoch_notes(history[: n + 1]) for n in range(4)]
    assert said[0] == said[2] == said[3] == ()
    assert said[1][0].startswith("epoch 2: the embeddings of optical have collapsed (effective rank 1.2)")
    assert said[1][1].startswith("epoch 2: the temperature has fallen to its least, 0.010")


def test_effective_rank_counts_directions():
    rng = np.random.default_rng(0)
    assert effective_rank(np.repeat(rng.normal(size=(1, 8)), 50, 0).astype(np.float32)) == 1.0
    assert effective_rank((rng.normal(size=(50, 1)) * rng.normal(size=(1, 8))).astype(np.float32)) < 1.01
    assert effective_rank(np.concatenate([np.eye(8), -np.eye(8)]).astype(np.float32)) == pytest.approx(8.0)
    assert effective_rank(np.zeros((0, 8), np.float32)) == 1.0


def test_training_stops_when_validation_has_not_improved_for_as_long_as_patience_allows(tmp_path):
    # A rate this high only makes it worse after the first epochs.
    settings = dataclasses.replace(SETTINGS, epochs=40, learning_rate=0.3, patience=3)
    _, result = finish(train(Training(CONFIG, draws_of(TRAIN), draws_of(VAL), settings, tmp_path)))
    assert len(result.metrics) == result.best_epoch + 1 + 3 < 40


def test_part_of_the_patches_trains_too_and_otherwise_than_all(tmp_path):
    settings = dataclasses.replace(SETTINGS, keep_patches=0.5)
    _, part = finish(train(Training(CONFIG, draws_of(TRAIN), draws_of(VAL), settings, tmp_path / "a")))
    _, whole = finish(train(Training(CONFIG, draws_of(TRAIN), draws_of(VAL), SETTINGS, tmp_path / "b")))
    assert untimed(part) != untimed(whole)


def test_a_step_reads_one_channel_a_chip_and_modality(tmp_path):
    draws = draws_of(TRAIN)
    finish(train(Training(CONFIG, draws, draws_of(VAL), dataclasses.replace(SETTINGS, epochs=1), tmp_path)))
    read = [(modality, chip_id) for modality, chip_id, _ in draws.store.requests]
    assert sorted(read) == sorted((modality, chip_id) for modality in MODALITIES for chip_id in TRAIN)


MANY = tuple(f"val{number:03d}" for number in range(600))


def test_validation_looks_at_so_many_chips_at_most_the_same_each_time():
    draws, towers = draws_of(MANY), make_towers(CONFIG, 0)
    few = [validate(towers, draws, 100) for _ in range(2)]
    assert few[0] == few[1]
    assert few[0]["recall"]["optical>radar"]["n"] == 100
    assert len({chip_id for _, chip_id, _ in draws.store.requests}) == 100


def validated(world):
    """What a rank finds of 600 chips, in three batches."""
    return validate(make_towers(CONFIG, 0), draws_of(MANY), world=world)


def test_every_rank_finds_what_one_process_finds_in_validation():
    alone = validated(World())
    for found in in_two_ranks(validated):
        assert found["val_loss"] == pytest.approx(alone["val_loss"], rel=1e-6)
        assert found["recall"] == alone["recall"] and found["temperature"] == alone["temperature"]
        assert found["effective_rank"] == pytest.approx(alone["effective_rank"], rel=1e-5)
