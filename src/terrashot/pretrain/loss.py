"""The loss that makes modalities agree about a place, with places that lack one left out."""

from collections.abc import Mapping
from itertools import combinations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from terrashot.pretrain.distributed import World


def clip_loss(
    left: Float[Tensor, "B D"],
    right: Float[Tensor, "B D"],
    both: Bool[Tensor, " B"],
    *,
    scale: Float[Tensor, ""],
    world: World,
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE between two unit-length views of the same chips, over the chips that have both views.

    Row i of `left` and row i of `right` show the same place; every other row that has both views, on every rank, is a
    negative. Each rank scores only its own rows and divides by the global count, times the number of ranks, so that the
    mean over ranks equals the one-process loss on the whole batch, however unevenly the views are missing. With fewer
    than two such chips there is nothing to tell apart: the loss is 0.

    Args:
        both: which rows have both views; the others may hold anything finite.
        scale: inverse temperature, dimensionless.

    Source: Radford et al. 2021, arXiv:2103.00020, figure 3.
    """
    both_G = world.gather_mask(both)
    count = int(both_G.sum())
    all_left, all_right = world.gather(left)[both_G], world.gather(right)[both_G]
    if count < 2:
        return (left.sum() + right.sum() + scale) * 0.0
    place_G = torch.cumsum(both_G, 0) - 1
    targets = place_G[world.rank * len(both) : (world.rank + 1) * len(both)][both]
    to_right = F.cross_entropy(scale * left[both] @ all_right.T, targets, reduction="sum")
    to_left = F.cross_entropy(scale * right[both] @ all_left.T, targets, reduction="sum")
    return (to_right + to_left) / 2 * world.size / count


def pairwise_clip_loss(
    views: Mapping[str, Float[Tensor, "B D"]],
    present: Mapping[str, Bool[Tensor, " B"]],
    *,
    scale: Float[Tensor, ""],
    world: World = World(),
) -> Float[Tensor, ""]:
    """Mean of `clip_loss` over the unordered pairs of modalities that at least two chips show, on all ranks together.

    0 where no pair has two such chips.

    Source: Allen et al. 2023, arXiv:2310.00119, section 4.1 ("measured for each pair of modalities and then averaged").
    """
    pairs = [(a, b, present[a] & present[b]) for a, b in combinations(views, 2)]
    losses = [clip_loss(views[a], views[b], both, scale=scale, world=world) for a, b, both in pairs]
    n_scored = sum(int(world.gather_mask(both).sum()) >= 2 for _, _, both in pairs)
    return torch.stack(losses).sum() / max(1, n_scored)
