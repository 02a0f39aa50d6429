"""A killed run goes on as if nothing had happened, or says by name why it cannot."""

import dataclasses
import json
import os
import time
from functools import partial
from itertools import count

import pytest
from safetensors.torch import load, save

from fake_chip_store import textured_store
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.durable.files import sha256_of
from terrashot.errors import IntegrityError
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.dataset import make_draws
from terrashot.pretrain.distributed import World
from terrashot.pretrain.settings import TrainSettings
from terrashot.pretrain.train import TIMES, EpochDone, Training, train

MODALITIES = ("optical", "radar")
CONFIG = TowersConfig(MODALITIES, VitConfig(width=8, depth=1, heads=2, patch_px=4, chip_px=8), embedding=8)
SETTINGS = TrainSettings(
    epochs=4, batch_size=6, learning_rate=3e-3, weight_decay=0.05, warmup_share=0.2, flips=True, seed=3
)
IDS = tuple(f"chip{number:02d}" for number in range(30))


def run(state, *, settings=SETTINGS, config=CONFIG, ids=IDS, stop_after=None, mean=0.5, world=World(), clock=None):
    """Bytes of the weights and of the metrics; None if stopped after an epoch, or after a step of one."""
    stats = ChannelStats({name: {"all": KindStats(mean, 1.5, 9, "unit")} for name in MODALITIES})
    store = textured_store(IDS, {"optical": 2, "radar": 3})
    draws = [make_draws(store, stats, part, seed=settings.seed) for part in (ids[:20], ids[20:])]
    work = train(Training(config, *draws, settings, state, world=world, clock=clock or time.monotonic))
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            trained = stop.value
            break
        if stop_after is not None and where(event) == stop_after:
            work.close()
            return None
    weights = {f"best/{name}": tensor for name, tensor in trained.towers.state_dict().items()}
    weights |= {f"last/{name}": tensor for name, tensor in trained.last.items()}
    metrics = [{name: epoch[name] for name in epoch if name not in TIMES} for epoch in trained.metrics]
    return save(dict(sorted(weights.items()))), json.dumps(metrics, sort_keys=True).encode()


def where(event):
    """The number of epochs done, or of epoch and step."""
    return event.metrics["epoch"] + 1 if isinstance(event, EpochDone) else (event.epoch, event.done)


def always_due():
    """A clock that runs so fast that every step is saved."""
    return partial(next, count(0, 1000.0))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("stops", [(1,), (3,), (1, 2, 3), (4,)])
def test_a_run_stopped_after_an_epoch_ends_the_same(tmp_path, uninterrupted, stops):
    for epoch in stops:
        assert run(tmp_path, stop_after=epoch) is None
    assert run(tmp_path) == uninterrupted


@pytest.mark.parametrize("stops", [[(0, 1)], [(0, 2), (1, 3), (3, 1)], [(2, 4)]])
def test_a_run_saved_and_stopped_inside_an_epoch_goes_on_from_that_step_and_ends_the_same(
    tmp_path, uninterrupted, stops
):
    for epoch, step in stops:
        assert run(tmp_path, stop_after=(epoch, step), clock=always_due()) is None
        progress = json.loads((tmp_path / "state.json").read_text())["progress"]
        assert (progress["epochs_done"], progress["steps_done"]) == (epoch, step)
    assert run(tmp_path) == uninterrupted


def test_a_run_stopped_inside_an_epoch_before_it_was_saved_ends_the_same(tmp_path, uninterrupted):
    run(tmp_path, stop_after=2)
    run(tmp_path, stop_after=(2, 3))
    assert run(tmp_path) == uninterrupted


def test_only_the_newest_state_and_the_best_weights_are_kept(tmp_path):
    run(tmp_path, stop_after=3)
    best = json.loads((tmp_path / "state.json").read_text())["progress"]["best_epoch"]
    names = [f"best-{best:06d}.safetensors", "last-000003-00000000.safetensors", "state.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize(
    "change, words",
    [
        (
            {"settings": dataclasses.replace(SETTINGS, learning_rate=1e-3)},
            r"\[pretrain\] learning_rate: 0.003 then, 0.001 now",
        ),
        ({"settings": dataclasses.replace(SETTINGS, epochs=9)}, r"\[pretrain\] epochs: 4 then, 9 now"),
        ({"settings": dataclasses.replace(SETTINGS, precision="bfloat16")}, r"\[pretrain\] precision"),
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


LAST = "last-000001-00000000.safetensors"


@pytest.mark.parametrize("name", ["state.json", LAST, "best-000000.safetensors"])
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


@pytest.mark.parametrize("version", [2, 4])
def test_a_state_of_another_format_is_refused(tmp_path, version):
    run(tmp_path, stop_after=1)
    card = json.loads((tmp_path / "state.json").read_bytes())
    (tmp_path / "state.json").write_text(json.dumps(card | {"format": version}))
    with pytest.raises(IntegrityError, match=f"format {version}, this terrashot reads 3"):
        run(tmp_path)


def forge(state, *, progress=None, tensors=None, part="last"):
    """The state with other progress or tensors, the digest between them made to fit."""
    card = json.loads((state / "state.json").read_bytes())
    file = card["files"][part]
    found = load((state / file["name"]).read_bytes())
    content = save(dict(sorted((found | (tensors(found) if tensors else {})).items())))
    (state / file["name"]).write_bytes(content)
    file["sha256"] = sha256_of(content)
    card["progress"] |= progress or {}
    (state / "state.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    "progress",
    [{"run": "x"}, {"metrics": 5}, {"metrics": [1]}, {"epochs_done": "1"}, {"epochs_done": -5}, {"best_epoch": 9}, {"best_loss": None},
     {"steps_done": 2}, {"losses": ["1"]}, {"losses": 3}, {"unknown": 1}],
)  # fmt: skip
def test_forged_progress_is_refused(tmp_path, progress):
    run(tmp_path, stop_after=1)
    forge(tmp_path, progress=progress)
    with pytest.raises(IntegrityError, match="the state of this training is damaged"):
        run(tmp_path)


@pytest.mark.parametrize(
    "part, change",
    [
        ("last", lambda found: {"weights/extra": found["weights/towers.log_scale"].clone()}),
        ("best", lambda found: {"log_scale": found["log_scale"].reshape(1)}),
        ("last", lambda found: {"exp_avg/towers.log_scale": found["exp_avg/towers.log_scale"].double()}),
        ("last", lambda found: {"weights/towers.log_scale": found["weights/towers.log_scale"] * float("nan")}),
    ],
)
def test_tensors_that_these_towers_have_not_are_refused(tmp_path, part, change):
    run(tmp_path, stop_after=1)
    forge(tmp_path, tensors=change, part=part)
    with pytest.raises(IntegrityError, match="the state of this training is damaged"):
        run(tmp_path)


def test_a_state_far_larger_than_these_towers_is_not_read(tmp_path):
    run(tmp_path, stop_after=1)
    os.truncate(tmp_path / LAST, 1 << 40)
    with pytest.raises(IntegrityError, match="the state of this training is damaged"):
        run(tmp_path)


def test_a_run_of_another_number_of_processes_is_refused_by_name(tmp_path):
    run(tmp_path, stop_after=1)
    card = json.loads((tmp_path / "state.json").read_bytes())
    card["progress"]["run"]["number of processes"] = "2"
    (tmp_path / "state.json").write_text(json.dumps(card))
    with pytest.raises(IntegrityError, match="other number of processes: 2 then, 1 now"):
        run(tmp_path)
