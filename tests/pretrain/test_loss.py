"""The contrastive loss: identities, absences, and two processes against one."""

import math
import socket

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import multiprocessing

from terrashot.pretrain.distributed import World
from terrashot.pretrain.loss import clip_loss, pairwise_clip_loss

NAMES = ("s2rgbm", "s1grdm", "gunw")


def views_of(n, d=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {name: F.normalize(torch.randn(n, d, generator=generator), dim=1) for name in NAMES}


def everywhere(n):
    return {name: torch.ones(n, dtype=torch.bool) for name in NAMES}


def two_way(left, right, scale):
    logits, own = scale * left @ right.T, torch.arange(len(left))
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def naive(views, present, scale):
    """Mean over pairs of the plain loss on the rows that have both; pairs with fewer than two such rows are left out."""
    losses = []
    for i, a in enumerate(NAMES):
        for b in NAMES[i + 1 :]:
            both = present[a] & present[b]
            if both.sum() >= 2:
                losses.append(two_way(views[a][both], views[b][both], scale))
    return torch.stack(losses).mean() if losses else torch.tensor(0.0)


def test_vectors_all_alike_cost_the_logarithm_of_the_batch():
    same = {name: F.normalize(torch.ones(8, 5), dim=1) for name in NAMES}
    loss = pairwise_clip_loss(same, everywhere(8), scale=torch.tensor(14.0))
    assert float(loss) == pytest.approx(math.log(8), rel=1e-6)


def test_perfect_agreement_costs_nothing_as_the_temperature_falls():
    basis = {name: torch.eye(4) for name in NAMES}
    assert float(pairwise_clip_loss(basis, everywhere(4), scale=torch.tensor(100.0))) < 1e-6


def test_swapping_two_chips_in_one_modality_costs():
    views = {name: torch.eye(4) for name in NAMES}
    swapped = views | {"gunw": views["gunw"][[1, 0, 2, 3]]}
    scale = torch.tensor(10.0)
    assert (
        pairwise_clip_loss(swapped, everywhere(4), scale=scale)
        > pairwise_clip_loss(views, everywhere(4), scale=scale) + 1
    )


def test_the_order_of_the_chips_does_not_matter():
    views, order = views_of(9), torch.randperm(9, generator=torch.Generator().manual_seed(1))
    scale = torch.tensor(14.0)
    turned = {name: vectors[order] for name, vectors in views.items()}
    assert torch.allclose(
        pairwise_clip_loss(views, everywhere(9), scale=scale), pairwise_clip_loss(turned, everywhere(9), scale=scale)
    )


masks = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=12)


@settings(deadline=None)
@given(masks, st.integers(0, 1000))
def test_the_masked_loss_is_the_plain_loss_on_the_rows_that_are_there(rows, seed):
    views = views_of(len(rows), seed=seed)
    present = {name: torch.tensor([row[i] for row in rows]) for i, name in enumerate(NAMES)}
    scale = torch.tensor(7.0)
    torch.testing.assert_close(
        pairwise_clip_loss(views, present, scale=scale), naive(views, present, scale), atol=1e-6, rtol=1e-5
    )


def test_absent_rows_get_no_gradient_and_change_nothing():
    views = {name: vectors.requires_grad_() for name, vectors in views_of(6).items()}
    present = everywhere(6) | {"gunw": torch.tensor([True, False, True, True, False, True])}
    loss = pairwise_clip_loss(views, present, scale=torch.tensor(9.0))
    loss.backward()
    assert (views["gunw"].grad[[1, 4]] == 0).all()
    assert (views["gunw"].grad[[0, 2, 3, 5]] != 0).any()
    other = {name: vectors.detach().clone() for name, vectors in views.items()}
    other["gunw"][[1, 4]] = 123.0
    torch.testing.assert_close(pairwise_clip_loss(other, present, scale=torch.tensor(9.0)), loss.detach())


@pytest.mark.parametrize("n", [1, 4])
def test_nothing_to_compare_is_a_loss_of_zero_that_still_has_a_gradient(n):
    views = {name: vectors.requires_grad_() for name, vectors in views_of(n).items()}
    scale = torch.tensor(9.0, requires_grad=True)
    present = {name: torch.arange(n) == 0 for name in NAMES}
    loss = pairwise_clip_loss(views, present, scale=scale)
    loss.backward()
    assert float(loss.detach()) == 0
    assert scale.grad == 0 and all((vectors.grad == 0).all() for vectors in views.values())


# Two processes --------------------------------------------------------------------------------------------------

UNEVEN = {
    "s2rgbm": [1, 1, 1, 1, 1, 1, 0, 1],
    "s1grdm": [1, 0, 1, 1, 0, 0, 0, 1],
    # Rank 1 has none at all.
    "gunw": [1, 1, 0, 1, 0, 0, 0, 0],
}


def one_rank(rank, size, port, results):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", world_size=size, rank=rank)
    rows = slice(rank * 8 // size, (rank + 1) * 8 // size)
    answers = {}
    for case, present in cases(8).items():
        views = {name: vectors[rows].clone().requires_grad_() for name, vectors in views_of(8).items()}
        scale = torch.tensor(14.0, requires_grad=True)
        mine = {name: mask[rows] for name, mask in present.items()}
        loss = pairwise_clip_loss(views, mine, scale=scale, world=World(rank, size))
        loss.backward()
        gradients = {name: vectors.grad / size for name, vectors in views.items()}
        answers[case] = (
            float(loss.detach()),
            {name: g.tolist() for name, g in gradients.items()},
            float(scale.grad) / size,
        )
    results.put((rank, answers))
    torch.distributed.destroy_process_group()


def cases(n):
    uneven = {name: torch.tensor(mask, dtype=torch.bool) for name, mask in UNEVEN.items()}
    single = {name: torch.tensor([row == 0 or row == n - 1 for row in range(n)]) for name in NAMES}
    return {"all there": everywhere(n), "uneven": uneven, "one chip a rank": single}


@pytest.fixture(scope="module")
def two_processes():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    ranks = [context.Process(target=one_rank, args=(rank, 2, port, results)) for rank in range(2)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(60)
        assert process.exitcode == 0
    return dict(results.get() for _ in ranks)


@pytest.mark.parametrize("case", ["all there", "uneven", "one chip a rank"])
def test_two_processes_have_the_loss_and_the_gradients_of_one(two_processes, case):
    views = {name: vectors.requires_grad_() for name, vectors in views_of(8).items()}
    scale = torch.tensor(14.0, requires_grad=True)
    loss = pairwise_clip_loss(views, cases(8)[case], scale=scale)
    loss.backward()
    answers = [two_processes[rank][case] for rank in range(2)]
    # What DDP does with the ranks' losses and gradients is to average them.
    assert sum(answer[0] for answer in answers) / 2 == pytest.approx(float(loss.detach()), rel=1e-5)
    for name in NAMES:
        joined = torch.tensor(answers[0][1][name] + answers[1][1][name])
        torch.testing.assert_close(joined, views[name].grad, atol=1e-6, rtol=1e-4)
    assert sum(answer[2] for answer in answers) == pytest.approx(float(scale.grad), rel=1e-4, abs=1e-7)


def test_one_process_needs_no_group():
    left, right = torch.eye(3), torch.eye(3)
    both = torch.ones(3, dtype=torch.bool)
    alone = clip_loss(left, right, both, scale=torch.tensor(2.0), world=World())
    torch.testing.assert_close(alone, two_way(left, right, torch.tensor(2.0)))
