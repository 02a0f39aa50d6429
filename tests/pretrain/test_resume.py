"""A killed run goes on as if nothing had happened, or says by name why it cannot."""

import dataclasses
import json
import os

import pytest
from safetensors.torch import load, save

from fake_chip_store import textured_store
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.durable.files import sha256_of
from terrashot.errors import IntegrityError
from terrashot.model.towers import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.dataset import make_draws
from terrashot.pretrain.train import EpochDone, TrainSettings, train

MODALITIES = ("optical", "radar")
CONFIG = TowersConfig(MODALITIES, VitConfig(width=8, depth=1, heads=2, patch_px=4, chip_px=8), embedding=8)
SETTINGS = TrainSettings(
    epochs=4, batch_size=6, learning_rate=3e-3, weight_decay=0.05, warmup_share=0.2, flips=True, seed=3
)
IDS = tuple(f"chip{number:02d}" for number in range(30))


def run(state, *, settings=SETTINGS, config=CONFIG, ids=IDS, stop_after=None, mean=0.5):
    """Bytes of the weights and of the metrics; None if stopped after an epoch."""
    stats = ChannelStats({name: {"all": KindStats(mean, 1.5, 9, "unit")} for name in MODALITIES})
    store = textured_store(IDS, {"optical": 2, "radar": 3})
    draws = [make_draws(store, stats, part, seed=settings.seed) for part in (ids[:20], ids[20:])]
    work = train(config, *draws, settings, state)
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            trained = stop.value
            break
        if isinstance(event, EpochDone) and event.metrics["epoch"] + 1 == stop_after:
            work.close()
            return None
    weights = {f"best/{name}": tensor for name, tensor in trained.towers.state_dict().items()}
    weights |= {f"last/{name}": tensor for name, tensor in trained.last.items()}
    return save(dict(sorted(weights.items()))), json.dumps(trained.metrics, sort_keys=True).encode()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("stops", [(1,), (3,), (1, 2, 3), (4,)])
def test_a_run_stopped_after_an_epoch_ends_the_same(tmp_path, uninterrupted, stops):
    for epoch in stops:
        assert run(tmp_path, stop_after=epoch) is None
    assert run(tmp_path) == uninterrupted


def test_a_run_stopped_inside_an_epoch_ends_the_same(tmp_path, uninterrupted):
    run(tmp_path, stop_after=2)
    stats = ChannelStats({name: {"all": KindStats(0.5, 1.5, 9, "unit")} for name in MODALITIES})
    store = textured_store(IDS, {"optical": 2, "radar": 3})
    draws = [make_draws(store, stats, part, seed=SETTINGS.seed) for part in (IDS[:20], IDS[20:])]
    work = train(CONFIG, *draws, SETTINGS, tmp_path)
    next(work)
    next(work)
    work.close()
    assert run(tmp_path) == uninterrupted


def test_only_the_newest_state_is_kept(tmp_path):
    run(tmp_path, stop_after=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-000003.safetensors", "state.json"]


@pytest.mark.parametrize(
    "change, words",
    [
        (
            {"settings": dataclasses.replace(SETTINGS, learning_rate=1e-3)},
            r"\[pretrain\] learning_rate: 0.003 then, 0.001 now",
        ),
        ({"settings": dataclasses.replace(SETTINGS, epochs=9)}, r"\[pretrain\] epochs: 4 then, 9 now"),
        ({"ids": IDS[1:]}, "other training chips"),
        ({"ids": IDS[:29]}, "other validation chips"),
        ({"mean": 0.75}, "other channel statistics"),
        ({"config": dataclasses.replace(CONFIG, embedding=4)}, "other towers"),
    ],
)
def test_another_run_is_refused_by_name(tmp_path, change, words):
    run(tmp_path, stop_after=1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(IntegrityError, match=words):
        run(tmp_path, **change)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["state.json", "epoch-000001.safetensors"])
def test_a_damaged_state_is_refused_in_words(tmp_path, name):
    run(tmp_path, stop_after=1)
    path, whole = tmp_path / name, (tmp_path / name).read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], whole[:-9] + b"\xff" + whole[-8:]):
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError, match="delete the folder to begin again"):
            run(tmp_path)
    if name != "state.json":
        path.unlink()
        with pytest.raises(IntegrityError, match="delete the folder to begin again"):
            run(tmp_path)


def forge(state, *, progress=None, tensors=None):
    """The state with other progress or tensors, the digest between them made to fit."""
    card = json.loads((state / "state.json").read_bytes())
    found = load((state / card["tensors"]).read_bytes())
    content = save(dict(sorted((found | (tensors(found) if tensors else {})).items())))
    (state / card["tensors"]).write_bytes(content)
    card |= {"sha256": sha256_of(content), "progress": card["progress"] | (progress or {})}
    (state / "state.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    "progress",
    [{"run": "x"}, {"metrics": 5}, {"metrics": [1]}, {"epochs_done": "1"}, {"epochs_done": -5}, {"best_epoch": 9}, {"best_loss": None}],
)  # fmt: skip
def test_forged_progress_is_refused(tmp_path, progress):
    run(tmp_path, stop_after=1)
    forge(tmp_path, progress=progress)
    with pytest.raises(IntegrityError, match="the state of this training is damaged"):
        run(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: {"last/extra": found["last/log_scale"].clone()},
        lambda found: {"best/log_scale": found["best/log_scale"].reshape(1)},
        lambda found: {"exp_avg/log_scale": found["exp_avg/log_scale"].double()},
        lambda found: {"last/log_scale": found["last/log_scale"] * float("nan")},
    ],
)
def test_tensors_that_these_towers_have_not_are_refused(tmp_path, change):
    run(tmp_path, stop_after=1)
    forge(tmp_path, tensors=change)
    with pytest.raises(IntegrityError, match="the state of this training is damaged"):
        run(tmp_path)


def test_a_state_far_larger_than_these_towers_is_not_read(tmp_path):
    run(tmp_path, stop_after=1)
    os.truncate(next(tmp_path.glob("epoch-*")), 1 << 40)
    with pytest.raises(IntegrityError, match="the state of this training is damaged"):
        run(tmp_path)
