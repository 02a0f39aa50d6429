"""The loss that makes modalities agree about a place, with its gradients, in memory that grows with the batch only.

Legend: b rows scored together.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from terrashot.pretrain.distributed import ALONE, World

SIMILARITIES_AT_ONCE = 1 << 21
"""Of a pair's similarity matrix, held together: 8 MiB in float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A loss, and what it is to its inputs."""

    loss: Float[Tensor, ""]
    """Of the whole batch on all ranks; the same on each."""
    vectors: dict[str, Float[Tensor, "B D"]]
    """Gradient of that loss in this rank's vectors."""
    scale: Float[Tensor, ""]
    """Gradient of that loss in the inverse temperature, this rank's part: the parts sum to it over the ranks."""


@torch.no_grad()
def pairwise_clip_loss(
    views: Mapping[str, Float[Tensor, "B D"]],
    present: Mapping[str, Bool[Tensor, " B"]],
    *,
    scale: Float[Tensor, ""],
    world: World = ALONE,
) -> Scored:
    """Mean over the unordered pairs of modalities of symmetric InfoNCE, over the chips that have both, and its gradients.

    Row i of two modalities shows the same place; every other row that has both, on every rank, is a negative. A pair
    that fewer than two chips show, on all ranks together, has nothing to tell apart and is left out; without any pair
    the loss is 0. However unevenly the modalities are missing, the loss is that of one process with the whole batch:
    sums over rows, divided by the global count of chips that have both.

    The gradients are worked out here, block of rows by block of rows, so that no G x G matrix is ever held.

    Args:
        views: unit-length vectors, as many rows on each rank.
        present: which rows have the modality; the others may hold anything finite.
        scale: inverse temperature, dimensionless.

    Source: Radford et al. 2021, arXiv:2103.00020, figure 3 (one pair); Allen et al. 2023, arXiv:2310.00119, section 4.1
    ("measured for each pair of modalities and then averaged").
    """
    everyone = {name: world.gather(vectors) for name, vectors in views.items()}
    there = {name: world.gather(mask) for name, mask in present.items()}
    pairs = [(a, b) for a, b in combinations(views, 2) if int((there[a] & there[b]).sum()) >= 2]
    rows = slice(world.rank * _rows(views), (world.rank + 1) * _rows(views))
    local = {name: torch.zeros_like(vectors) for name, vectors in views.items()}
    foreign = {name: torch.zeros_like(vectors) for name, vectors in everyone.items()}
    loss, slope = torch.zeros_like(scale), torch.zeros_like(scale)
    for a, b in pairs:
        both = there[a] & there[b]
        found = _score(everyone[a][rows][both[rows]], everyone[b][both], _first_row(both, rows), scale, world)
        loss += found.loss / len(pairs)
        slope += found.scale / len(pairs)
        local[a][both[rows]] += found.left / len(pairs)
        foreign[b][both] += found.right / len(pairs)
    gradients = {name: local[name] + world.total(foreign[name])[rows] for name in views}
    return Scored(world.total(loss), gradients, slope)


def _rows(views: Mapping[str, Tensor]) -> int:
    return len(next(iter(views.values())))


def _first_row(both: Bool[Tensor, " G"], rows: slice) -> int:
    """How many rows that have both views lie on the ranks before."""
    return int(both[: rows.start].sum())


@dataclass(frozen=True, slots=True, eq=False)
class _PairScored:
    """One pair's part of the loss from this rank's rows of `left`, and its gradients."""

    loss: Float[Tensor, ""]
    left: Float[Tensor, "B D"]
    right: Float[Tensor, "G D"]
    """In the rows of every rank; summed over the ranks it is whole."""
    scale: Float[Tensor, ""]


def _score(
    left: Float[Tensor, "B D"], right: Float[Tensor, "G D"], first: int, scale: Float[Tensor, ""], world: World
) -> _PairScored:
    """Each rank holds its rows of the similarity matrix: their sums are its own, those of columns are shared.

    Args:
        first: the row of `right` that is the partner of the first row of `left`.
    """
    own = torch.arange(first, first + len(left), device=left.device)
    blocks = torch.split(torch.arange(len(left), device=left.device), max(1, SIMILARITIES_AT_ONCE // len(right)))
    by_row, by_column = _log_sums(left, right, blocks, scale, world)
    partners = scale * (left * right[own]).sum(1)
    weight = 1 / (2 * len(right))
    loss = weight * ((by_row - partners).sum() + (by_column[own] - partners).sum())
    to_left, to_right = torch.empty_like(left), torch.zeros_like(right)
    for block in blocks:
        logits = (scale * left[block]) @ right.T
        # The shares of each row and of each column, both times the weight; then less what the partners should have.
        pull = (logits - (by_row[block, None] - math.log(weight))).exp_()
        pull += logits.sub_(by_column - math.log(weight)).exp_()
        pull[torch.arange(len(block), device=left.device), own[block]] -= 2 * weight
        to_left[block] = scale * (pull @ right)
        to_right.addmm_(pull.T, scale * left[block])
    # A logit is the scale times a product in which the gradient of the left vector is the rest.
    return _PairScored(loss, to_left, to_right, (left * to_left).sum() / scale)


def _log_sums(
    left: Float[Tensor, "B D"],
    right: Float[Tensor, "G D"],
    blocks: tuple[Tensor, ...],
    scale: Float[Tensor, ""],
    world: World,
) -> tuple[Float[Tensor, " B"], Float[Tensor, " G"]]:
    """Logarithms of the sums of exponentials along this rank's rows, and along the columns of all ranks."""
    by_row, by_column = left.new_empty(len(left)), left.new_full((len(right),), -math.inf)
    for block in blocks:
        logits = (scale * left[block]) @ right.T
        by_row[block] = logits.logsumexp(1)
        by_column = torch.logaddexp(by_column, logits.logsumexp(0))
    highest = world.highest(by_column)
    return by_row, highest + world.total((by_column - highest).exp()).log()
