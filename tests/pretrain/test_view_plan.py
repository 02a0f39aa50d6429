"""Which channels, windows and names of kinds a step shows."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
import torch

from fake_chip_store import textured_store
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.augment import PatchShow
from terrashot.pretrain.dataset import make_draws
from terrashot.pretrain.distributed import ALONE
from terrashot.pretrain.settings import TrainSettings
from terrashot.pretrain.step import gradients, make_learner
from terrashot.pretrain.train import Training, make_pupil, train, view_plan
from terrashot.pretrain.view_plan import ViewPlan, windows

IDS = tuple(f"c{number:02d}" for number in range(24))
STATS = ChannelStats({name: {"all": KindStats(0.5, 1.5, 9, None)} for name in ("optical", "radar")})
CONFIG = TowersConfig(
    ("optical", "radar"), VitConfig(16, 2, 2, 2, 8, (8,)), 2 * (8 + 16) + 8, {"optical": ("all",), "radar": ("all",)}
)
SETTINGS = TrainSettings(2, 8, 1e-3, 0.05, 0.1, True, 0, views=2, crop=0.5)


def draws_of(ids=IDS, settings=SETTINGS, channels=None):
    store = textured_store(ids, channels or {"optical": 3, "radar": 1})
    return make_draws(store, STATS, ids, 0, view_plan(CONFIG, settings))


def job_of(tmp_path, settings=SETTINGS):
    return Training(CONFIG, draws_of(settings=settings), draws_of(IDS[:6], settings), settings, tmp_path)


def test_windows_lie_inside_at_the_images_own_resolution_and_anywhere():
    images = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8).repeat(200, 0)
    found = windows(images, 6, np.random.default_rng(0).integers(0, 1 << 60, 200).astype(np.uint64))
    corners = {int(window[0, 0, 0]) for window in found}
    assert corners == {8 * top + left for top in range(3) for left in range(3)}
    np.testing.assert_array_equal(found[0, 0] - found[0, 0, 0, 0], images[0, 0, :6, :6])


@pytest.mark.parametrize("crop, sides", [(0.5, {4, 6, 8}), (0.6, {6, 8}), (1.0, {8})])
def test_a_window_is_whole_patches_wide_and_as_large_as_asked(crop, sides):
    assert set(ViewPlan(crop=crop, patch_px=2).sides_px(8)) == sides


def test_two_views_of_a_modality_are_two_of_its_channels_or_two_windows_of_a_lone_one():
    draws = draws_of()
    for draw in ("epoch 0", "epoch 1"):
        views = draws.views(IDS, draw, augment=False)
        assert list(views.pixels) == ["optical", "optical/2", "radar", "radar/2"]
        assert not any(
            torch.equal(a, b) for a, b in zip(views.pixels["optical"], views.pixels["optical/2"], strict=True)
        )
        torch.testing.assert_close(views.pixels["radar"], views.pixels["radar/2"])
        assert views.present["radar/2"].all()
    whole = dataclasses.replace(SETTINGS, crop=1.0)
    assert not draws_of(settings=whole).views(IDS, "epoch 0", augment=True).present["radar/2"].any()


def test_one_modality_is_enough_where_a_step_shows_two_channels_of_it():
    assert draws_of(channels={"optical": 2}).n_skipped == 0
    assert draws_of(channels={"optical": 1}).n_skipped == len(IDS)
    assert draws_of(channels={"optical": 2}, settings=dataclasses.replace(SETTINGS, views=1)).n_skipped == len(IDS)


def test_a_kind_is_told_but_now_and_then_in_training():
    draws = draws_of(tuple(f"c{number:03d}" for number in range(400)))
    told = draws.views(draws.chip_ids, "epoch 0", augment=True).kinds["optical"]
    assert 0.04 < (told == 1).float().mean() < 0.18
    assert (draws.views(draws.chip_ids, "epoch 0", augment=False).kinds["optical"] == 0).all()


def test_views_of_windows_of_their_own_show_patches_of_their_own():
    kept = draws_of().views(IDS, "epoch 0", augment=True, patches=PatchShow(16, 4)).kept
    assert kept is not None and len(kept) == 4
    assert not any(torch.equal(kept[a], kept[b]) for a, b in combinations(kept, 2))


def test_windows_are_cut_of_chips_that_lie_as_they_are_where_nothing_is_flipped():
    draws = draws_of(settings=dataclasses.replace(SETTINGS, flips=False))
    step = next(step for step in IDS if draws.window_px("epoch 0", step) == 4)
    shown = draws.views(IDS, "epoch 0", augment=True, step=step).pixels["radar"]
    every = draws.views(IDS, "epoch 0", augment=False).pixels["radar"].unfold(2, 4, 1).unfold(3, 4, 1).flatten(1, 3)
    assert (shown == every).all(dim=(2, 3)).any(dim=1).all()


def test_all_parts_of_a_batch_have_windows_of_one_size():
    views = [draws_of().views(part, "epoch 0", augment=True, step="c05") for part in (IDS[:3], IDS[3:])]
    assert len({own.pixels["optical"].shape[-1] for own in views}) == 1


def test_pieces_give_the_gradients_of_the_batch_at_once(tmp_path):
    found = []
    for at_once in (0, 5):
        job = job_of(tmp_path, dataclasses.replace(SETTINGS, chips_at_once=at_once))
        learner = make_learner(make_pupil(job), job.settings, ALONE, job.device)
        loss = gradients(learner, job.views(0, job.cuts(0)[0]))
        found.append((loss, [p.grad for name, p in learner.pupil.named_parameters()]))
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-4)


def test_a_fresh_tower_behind_a_stem_is_settled_on_training_chips(tmp_path):
    job = job_of(tmp_path)
    pupil = make_pupil(job)
    views = job.train_draws.views(IDS, "settle", augment=False)
    seen = pupil.towers.see(views.pixels["radar"], "radar", views.kinds["radar"]).pooled
    torch.testing.assert_close(seen.mean(0), torch.zeros(32), atol=0.5, rtol=0)


def test_the_loss_goes_down(tmp_path):
    settings = dataclasses.replace(SETTINGS, epochs=12, learning_rate=3e-3)
    events = [event for event in train(job_of(tmp_path, settings)) if hasattr(event, "metrics")]
    losses = [event.metrics["train_loss"] for event in events]
    assert losses[-1] < 0.9 * losses[0]
