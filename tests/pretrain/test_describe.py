"""The second loss: a sum over rows and views, exact in pieces."""

import torch
from torch.nn.functional import smooth_l1_loss

from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.describe import (
    MOST_SPREADS,
    Described,
    count_described,
    count_slots,
    describing_loss,
    descriptor_scale,
    make_describer,
)
from terrashot.pretrain.descriptors import N_DESCRIPTORS

VIEWS, N_SLOTS, N = ("m", "m/2", "n"), 3, 6
CONFIG = TowersConfig(("m", "n"), VitConfig(8, 1, 1, 4, 8, (8,)), 40, {"m": ("a", "b"), "n": ("c",)})


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def batch():
    guesses = {view: drawn(N, N_SLOTS, N_DESCRIPTORS) + number for number, view in enumerate(VIEWS)}
    slots = {view: torch.arange(N) % N_SLOTS for view in VIEWS}
    present = {"m": torch.ones(N, dtype=torch.bool), "m/2": torch.arange(N) < 4, "n": torch.arange(N) > 2}
    return guesses, Described({view: drawn(N, N_DESCRIPTORS) for view in VIEWS}, slots), present


def test_the_loss_is_what_a_loop_over_chips_and_views_gives():
    guesses, truth, present = batch()
    terms = [
        smooth_l1_loss(guesses[a][row, truth.slots[b][row]], truth.values[b][row])
        for a in VIEWS for b in VIEWS for row in range(N) if present[a][row] and present[b][row]
    ]  # fmt: skip
    torch.testing.assert_close(describing_loss(guesses, truth, present), torch.stack(terms).sum())
    assert count_described(present) == len(terms)


def test_the_losses_of_pieces_add_up():
    guesses, truth, present = batch()
    whole, parts = describing_loss(guesses, truth, present), 0
    for start, stop in ((0, 2), (2, 6)):
        cut = [{view: own[start:stop] for view, own in found.items()} for found in (guesses, present)]
        parts = parts + describing_loss(cut[0], truth.rows(start, stop), cut[1])
    torch.testing.assert_close(parts, whole)


def test_descriptors_are_standardised_by_kind_and_bounded():
    values, slots = torch.cat([drawn(50, N_DESCRIPTORS), 100 + 5 * drawn(40, N_DESCRIPTORS)]), torch.arange(90) // 50
    scale = descriptor_scale([values], [slots], N_SLOTS)
    found = scale.standardised(Described({"m": values}, {"m": slots})).values["m"]
    assert found.abs().max() <= MOST_SPREADS
    for slot in (0, 1):
        assert found[slots == slot].mean().abs() < 0.05
        assert 0.8 < found[slots == slot].std() < 1.05
    # A kind that no chip of the sample has is left as it is.
    torch.testing.assert_close(scale.mean[2], torch.zeros(N_DESCRIPTORS))


def test_heads_answer_for_the_kinds_of_all_modalities():
    assert count_slots(CONFIG) == 3 + 2
    heads = make_describer(CONFIG, count_slots(CONFIG), seed=0)
    assert heads(drawn(4, 16), "m/2").shape == (4, 5, N_DESCRIPTORS)
    again = make_describer(CONFIG, count_slots(CONFIG), seed=0)
    torch.testing.assert_close(heads.state_dict(), again.state_dict())
