"""One step: gradient caching, checkpointing, padding and several processes give what one plain step gives."""

import dataclasses

import pytest
import torch

from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.distributed import World
from terrashot.pretrain.optimiser import make_optimiser
from terrashot.pretrain.pupil import Pupil
from terrashot.pretrain.settings import TrainSettings
from terrashot.pretrain.step import gradients, make_learner
from terrashot.pretrain.views import Views
from two_ranks import in_two_ranks

NAMES = ("optical", "radar", "pairs")
CONFIG = TowersConfig(NAMES, VitConfig(width=16, depth=2, heads=2, patch_px=4, chip_px=8), embedding=8)
SETTINGS = TrainSettings(
    epochs=1, batch_size=8, learning_rate=1e-2, weight_decay=0.05, warmup_share=0.0, flips=False, seed=0
)
CPU = torch.device("cpu")
UNEVEN = {
    "optical": [1, 1, 1, 1, 1, 1, 0, 1],
    "radar": [1, 0, 1, 1, 0, 0, 0, 1],
    # The second of two ranks has none at all.
    "pairs": [1, 1, 0, 1, 0, 0, 0, 0],
}


def views_of(n, *, present=None, kept=None):
    generator = torch.Generator().manual_seed(5)
    pixels = {name: torch.randn(n, 1, 8, 8, generator=generator) for name in NAMES}
    there = present or {name: torch.ones(n, dtype=torch.bool) for name in NAMES}
    kinds = {name: torch.zeros(n, dtype=torch.int64) for name in NAMES}
    return Views(tuple(f"c{row}" for row in range(n)), pixels, there, kinds, kept)


def learner_of(settings=SETTINGS, world=World()):
    return make_learner(Pupil(make_towers(CONFIG, 0)), settings, world, CPU)


def after_gradients(views, settings=SETTINGS, world=World()):
    """Loss, and gradient of every parameter."""
    learner = learner_of(settings, world)
    loss = gradients(learner, views)
    return float(loss), {name: parameter.grad.clone() for name, parameter in learner.pupil.named_parameters()}


def assert_same(found, expected):
    assert found[0] == pytest.approx(expected[0], rel=1e-5, abs=1e-7)
    # Beside the longest gradient the others, a bias of keys most of all, are rounding.
    rounding = 1e-7 * max(float(gradient.norm()) for gradient in expected[1].values())
    for name, gradient in expected[1].items():
        assert (found[1][name] - gradient).norm() <= 1e-5 * gradient.norm() + rounding, name


def uneven():
    return {name: torch.tensor(mask, dtype=torch.bool) for name, mask in UNEVEN.items()}


@pytest.mark.parametrize("at_once", [1, 3, 4, 8, 20])
def test_in_pieces_loss_and_gradients_are_those_of_the_whole_batch(at_once):
    views = views_of(8, present=uneven())
    assert_same(after_gradients(views, dataclasses.replace(SETTINGS, chips_at_once=at_once)), after_gradients(views))


def test_a_caught_piece_would_be_seen():
    views = views_of(8)
    short = after_gradients(views.rows(0, 6), SETTINGS)
    with pytest.raises(AssertionError):
        assert_same(short, after_gradients(views))


@pytest.mark.parametrize("at_once", [0, 3])
def test_checkpointed_activations_change_nothing(at_once):
    views = views_of(8)
    settings = dataclasses.replace(SETTINGS, checkpoint_activations=True, chips_at_once=at_once)
    assert_same(after_gradients(views, settings), after_gradients(views))


def test_rows_of_padding_change_nothing():
    views = views_of(5)
    assert_same(after_gradients(views.padded(8)), after_gradients(views))


def test_shown_patches_are_the_same_in_pieces():
    kept = dict.fromkeys(NAMES, torch.tensor([[0, 2], [1, 3], [0, 1], [2, 3]]))
    views = views_of(4, kept=kept)
    in_pieces = after_gradients(views, dataclasses.replace(SETTINGS, chips_at_once=3))
    assert_same(in_pieces, after_gradients(views))
    all_shown = after_gradients(views_of(4))
    assert all_shown[0] != in_pieces[0]


def test_rows_without_a_view_cost_nothing_and_count_for_nothing():
    views, learner, shown = views_of(8, present=uneven()), learner_of(), {}
    for name, tower in learner.towers.towers.items():
        tower.register_forward_hook(lambda _, given, __, name=name: shown.update({name: len(given[0])}))
    gradients(learner, views)
    assert shown == {name: sum(mask) for name, mask in UNEVEN.items()}
    expected = after_gradients(views)
    for name, images in views.pixels.items():
        images[~views.present[name]] = 1e6
    assert_same(after_gradients(views), expected)


def test_a_view_that_no_row_has_still_gives_each_weight_a_gradient():
    none = uneven() | {"pairs": torch.zeros(8, dtype=torch.bool)}
    _, slopes = after_gradients(views_of(8, present=none))
    assert all(slope is not None and bool(torch.isfinite(slope).all()) for slope in slopes.values())


def test_the_temperature_learns_as_autograd_says():
    views, learner = views_of(8), learner_of()
    gradients(learner, views)
    vectors = {name: learner.towers.see(images, name).vector for name, images in views.pixels.items()}
    losses = []
    for a, b in (("optical", "radar"), ("optical", "pairs"), ("radar", "pairs")):
        logits, own = learner.towers.scale * vectors[a].detach() @ vectors[b].detach().T, torch.arange(8)
        losses += [torch.nn.functional.cross_entropy(side, own) for side in (logits, logits.T)]
    expected = torch.autograd.grad(torch.stack(losses).mean(), learner.towers.log_scale)[0]
    torch.testing.assert_close(learner.towers.log_scale.grad, expected)


def test_a_step_lowers_the_loss_of_its_batch():
    learner, views = learner_of(), views_of(8)
    losses = [learner.step(views, number, 20) for number in range(10)]
    assert losses[-1] < losses[0] - 0.05


def test_a_batch_that_is_no_number_makes_no_step():
    learner, views = learner_of(), views_of(4)
    before = {name: tensor.clone() for name, tensor in learner.towers.state_dict().items()}
    views.pixels["radar"][2] = float("inf")
    assert learner.step(views, 0, 1) != learner.step(views, 0, 1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in learner.towers.state_dict().items())


def test_bfloat16_stays_near_float32():
    views = views_of(8)
    wide, narrow = after_gradients(views), after_gradients(views, dataclasses.replace(SETTINGS, precision="bfloat16"))
    assert narrow[0] == pytest.approx(wide[0], rel=2e-2) and narrow[0] != wide[0]
    flat = [torch.cat([g.flatten() for g in gradients.values()]) for _, gradients in (wide, narrow)]
    assert torch.nn.functional.cosine_similarity(*flat, dim=0) > 0.99
    assert all(gradient.dtype == torch.float32 for gradient in narrow[1].values())


def test_only_matrices_are_decayed():
    towers = make_towers(CONFIG, 0)
    decayed, plain = make_optimiser(towers, SETTINGS).param_groups
    names = {id(parameter): name for name, parameter in towers.named_parameters()}
    plain_names = {names[id(parameter)] for parameter in plain["params"]}
    assert decayed["weight_decay"] == 0.05 and plain["weight_decay"] == 0.0
    assert "log_scale" in plain_names and "towers.radar.pos_embed" in plain_names
    assert all(names[id(p)].endswith("weight") and "norm" not in names[id(p)] for p in decayed["params"])
    assert len(decayed["params"]) + len(plain["params"]) == len(names)


# Two processes --------------------------------------------------------------------------------------------------


def cases():
    """Views of the whole batch, and the chips a process embeds at once, by name."""
    one = {name: torch.arange(8) == 5 for name in NAMES}
    return {
        "all there": (views_of(8), 0),
        "uneven": (views_of(8, present=uneven()), 0),
        "uneven, in pieces": (views_of(8, present=uneven()), 3),
        "one chip": (views_of(8, present=one), 0),
        "seven chips": (views_of(7), 0),
        "one row on the first rank alone": (views_of(1), 0),
        "three chips, in pieces": (views_of(3), 1),
    }


def gradients_of(world):
    torch.set_num_threads(1)
    answers = {}
    for case, (views, at_once) in cases().items():
        share, each = world.share(views.n_rows), world.rows_each(views.n_rows)
        mine = views.rows(share.start, share.stop).padded(each)
        settings = dataclasses.replace(SETTINGS, chips_at_once=at_once)
        loss, slopes = after_gradients(mine, settings, world)
        answers[case] = loss, {name: slope.tolist() for name, slope in slopes.items()}
    return answers


@pytest.fixture(scope="module")
def two_processes():
    return in_two_ranks(gradients_of)


@pytest.mark.parametrize("case", list(cases()))
def test_two_processes_have_the_gradients_of_one_with_the_whole_batch(two_processes, case):
    expected = after_gradients(cases()[case][0])
    for answers in two_processes:
        loss, slopes = answers[case]
        found = {name: torch.tensor(slope).reshape(expected[1][name].shape) for name, slope in slopes.items()}
        assert_same((loss, found), expected)
