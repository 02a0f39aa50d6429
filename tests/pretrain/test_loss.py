"""The contrastive loss and its gradients: identities, absences, blocks, and two processes against one."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from terrashot.pretrain.distributed import World
from terrashot.pretrain.loss import pairwise_clip_loss
from two_ranks import in_two_ranks

NAMES = ("s2rgbm", "s1grdm", "gunw")


def views_of(n, d=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {name: F.normalize(torch.randn(n, d, generator=generator), dim=1) for name in NAMES}


def everywhere(n):
    return {name: torch.ones(n, dtype=torch.bool) for name in NAMES}


def loss_of(views, present=None, scale=10.0):
    present = present or everywhere(len(next(iter(views.values()))))
    return float(pairwise_clip_loss(views, present, scale=torch.tensor(scale)).loss)


def plain(views, present, scale):
    """The plain way: whole matrices and autograd. Loss, gradients of the vectors, gradient of the scale."""
    leaves = {name: vectors.clone().requires_grad_() for name, vectors in views.items()}
    scale = torch.tensor(scale, dtype=views["gunw"].dtype, requires_grad=True)
    losses = []
    for i, a in enumerate(NAMES):
        for b in NAMES[i + 1 :]:
            both = present[a] & present[b]
            if both.sum() >= 2:
                logits, own = scale * leaves[a][both] @ leaves[b][both].T, torch.arange(int(both.sum()))
                losses.append((F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2)
    loss = torch.stack([*losses, (sum(v.sum() for v in leaves.values()) + scale) * 0]).sum() / max(1, len(losses))
    loss.backward()
    return loss.detach(), {name: leaf.grad for name, leaf in leaves.items()}, scale.grad


def test_vectors_all_alike_cost_the_logarithm_of_the_batch():
    same = {name: F.normalize(torch.ones(8, 5), dim=1) for name in NAMES}
    assert loss_of(same, scale=14.0) == pytest.approx(math.log(8), rel=1e-6)


def test_perfect_agreement_costs_nothing_as_the_temperature_falls():
    assert loss_of({name: torch.eye(4) for name in NAMES}, scale=100.0) < 1e-6


def test_swapping_two_chips_in_one_modality_costs():
    views = {name: torch.eye(4) for name in NAMES}
    assert loss_of(views | {"gunw": views["gunw"][[1, 0, 2, 3]]}) > loss_of(views) + 1


def test_the_order_of_the_chips_does_not_matter():
    views, order = views_of(9), torch.randperm(9, generator=torch.Generator().manual_seed(1))
    turned = {name: vectors[order] for name, vectors in views.items()}
    assert loss_of(turned) == pytest.approx(loss_of(views), rel=1e-6)


masks = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=12)


@given(masks, st.integers(0, 1000), st.sampled_from([1.0, 7.0, 100.0]))
def test_loss_and_gradients_are_those_of_the_plain_way_on_the_rows_that_are_there(rows, seed, scale):
    # In double precision, so that nothing but the arithmetic can differ.
    views = {name: vectors.double() for name, vectors in views_of(len(rows), seed=seed).items()}
    present = {name: torch.tensor([row[i] for row in rows]) for i, name in enumerate(NAMES)}
    scored = pairwise_clip_loss(views, present, scale=torch.tensor(scale).double())
    torch.testing.assert_close(
        (scored.loss, scored.vectors, scored.scale), plain(views, present, scale), atol=1e-10, rtol=1e-9
    )


def test_a_batch_of_several_blocks_has_the_loss_and_the_gradients_of_the_plain_way():
    n = 5000  # 25 million similarities a pair, in three blocks
    views, present = views_of(n, d=8), everywhere(n) | {"gunw": torch.arange(n) % 7 != 0}
    scored = pairwise_clip_loss(views, present, scale=torch.tensor(14.0))
    loss, vectors, slope = plain(views, present, 14.0)
    assert float(scored.loss) == pytest.approx(float(loss), rel=1e-5)
    assert float(scored.scale) == pytest.approx(float(slope), rel=1e-4)
    for name in NAMES:
        assert (scored.vectors[name] - vectors[name]).norm() < 1e-5 * vectors[name].norm()


def test_absent_rows_get_no_gradient_and_change_nothing():
    views = views_of(6)
    present = everywhere(6) | {"gunw": torch.tensor([True, False, True, True, False, True])}
    scored = pairwise_clip_loss(views, present, scale=torch.tensor(9.0))
    assert (scored.vectors["gunw"][[1, 4]] == 0).all() and (scored.vectors["gunw"][[0, 2, 3, 5]] != 0).any()
    views["gunw"][[1, 4]] = 123.0
    assert torch.equal(pairwise_clip_loss(views, present, scale=torch.tensor(9.0)).loss, scored.loss)


@pytest.mark.parametrize("n", [1, 4])
def test_nothing_to_compare_is_a_loss_of_zero_without_gradient(n):
    present = {name: torch.arange(n) == 0 for name in NAMES}
    scored = pairwise_clip_loss(views_of(n), present, scale=torch.tensor(9.0))
    assert scored.loss == 0 == scored.scale and all((g == 0).all() for g in scored.vectors.values())


# Two processes --------------------------------------------------------------------------------------------------

UNEVEN = {
    "s2rgbm": [1, 1, 1, 1, 1, 1, 0, 1],
    "s1grdm": [1, 0, 1, 1, 0, 0, 0, 1],
    # Rank 1 has none at all.
    "gunw": [1, 1, 0, 1, 0, 0, 0, 0],
}


def scored_by(world):
    rows = slice(world.rank * 4, (world.rank + 1) * 4)
    answers = {}
    for case, present in cases(8).items():
        views = {name: vectors[rows] for name, vectors in views_of(8).items()}
        mine = {name: mask[rows] for name, mask in present.items()}
        scored = pairwise_clip_loss(views, mine, scale=torch.tensor(14.0), world=world)
        gradients = {name: gradient.tolist() for name, gradient in scored.vectors.items()}
        answers[case] = (float(scored.loss), gradients, float(scored.scale))
    return answers


def cases(n):
    uneven = {name: torch.tensor(mask, dtype=torch.bool) for name, mask in UNEVEN.items()}
    single = {name: torch.tensor([row == 0 or row == n - 1 for row in range(n)]) for name in NAMES}
    alone = {name: torch.arange(n) == 2 for name in NAMES}
    first_rank = {name: torch.arange(n) < n // 2 for name in NAMES}
    return {
        "all there": everywhere(n), "uneven": uneven, "one chip a rank": single, "one chip": alone,
        "all on one rank": first_rank,
    }  # fmt: skip


@pytest.fixture(scope="module")
def two_processes():
    return in_two_ranks(scored_by)


@pytest.mark.parametrize("case", list(cases(8)))
def test_two_processes_have_the_loss_and_the_gradients_of_one(two_processes, case):
    loss, vectors, slope = plain(views_of(8), cases(8)[case], 14.0)
    answers = [two_processes[rank][case] for rank in range(2)]
    assert [answer[0] for answer in answers] == [pytest.approx(float(loss), rel=1e-5, abs=1e-7)] * 2
    for name in NAMES:
        joined = torch.tensor(answers[0][1][name] + answers[1][1][name])
        torch.testing.assert_close(joined, vectors[name], atol=1e-6, rtol=1e-4)
    assert sum(answer[2] for answer in answers) == pytest.approx(float(slope), rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("size, rows", [(1, 5), (2, 8), (3, 8), (4, 5), (8, 3)])
def test_the_ranks_shares_are_the_batch_each_row_once(size, rows):
    shares = [World(rank, size).share(rows) for rank in range(size)]
    assert [row for share in shares for row in range(rows)[share]] == list(range(rows))
    assert max(len(range(rows)[share]) for share in shares) == World(0, size).rows_each(rows)
