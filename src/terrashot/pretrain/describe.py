"""The second loss: from one view of a chip, predict what every view of it is like. Its heads end with training.

Legend: Q numbers a descriptor, S slots, one a modality and kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from terrashot.model.token_tower import POOLED
from terrashot.model.towers import modality_of
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import draw_linear
from terrashot.pretrain.descriptors import N_DESCRIPTORS

MOST_SPREADS = 4.0
"""A descriptor further from its mean is an outlier, and counts as so far."""
LEAST_SPREAD = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What the views of a batch are like."""

    values: Mapping[str, Float[Tensor, "B Q"]]
    """By view; standardised by kind."""
    slots: Mapping[str, Int64[Tensor, " B"]]

    def rows(self, start: int, stop: int) -> "Described":
        """Of these rows alone."""
        parts = [{view: own[start:stop] for view, own in found.items()} for found in (self.values, self.slots)]
        return Described(*parts)

    def padded(self, missing: int) -> "Described":
        """With so many rows more, of nothing."""
        parts = [
            {view: torch.cat([own, own.new_zeros(missing, *own.shape[1:])]) for view, own in found.items()}
            for found in (self.values, self.slots)
        ]
        return Described(*parts)


class Describer(nn.Module):
    """A head a modality, from what its tower saw to the descriptors of every kind of channel."""

    def __init__(self, config: TowersConfig, n_slots: int) -> None:
        super().__init__()
        seen = POOLED * config.vit.width if config.vit.stem else config.vit.width
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(seen, seen), nn.GELU(), nn.Linear(seen, n_slots * N_DESCRIPTORS))
                for name in config.modalities
            }
        )

    def forward(self, pooled: Float[Tensor, "B F"], view: str) -> Float[Tensor, "B S Q"]:
        answer: Tensor = self.heads[modality_of(view)](pooled)
        return answer.float().reshape(len(pooled), -1, N_DESCRIPTORS)


def make_describer(config: TowersConfig, n_slots: int, seed: int) -> Describer:
    """Heads with fresh weights: same config, same seed, same weights."""
    with torch.device("meta"):
        heads = Describer(config, n_slots)
    heads.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    for layer in heads.modules():
        if isinstance(layer, nn.Linear):
            draw_linear(layer, generator)
    return heads


def count_slots(config: TowersConfig) -> int:
    """Slots of all modalities: the kinds of each, and one for those that are not known."""
    return sum(len(config.kinds.get(name, ())) + 1 for name in config.modalities)


def describing_loss(
    guesses: Mapping[str, Float[Tensor, "B S Q"]], truth: Described, present: Mapping[str, Bool[Tensor, " B"]]
) -> Float[Tensor, ""]:
    """Sum over the rows, and over each two views that a row has (a view and itself too), of the mean smooth L1.

    A sum and not a mean, so that pieces of a batch, and ranks, add up.
    """
    total = torch.zeros((), device=next(iter(guesses.values())).device)
    for view, guess in guesses.items():
        for other in truth.values:
            both = present[view] & present[other]
            rows = torch.arange(len(guess), device=guess.device)
            errors = F.smooth_l1_loss(guess[rows, truth.slots[other]], truth.values[other], reduction="none")
            total = total + (errors.mean(1) * both).sum()
    return total


def count_described(present: Mapping[str, Bool[Tensor, " B"]]) -> int:
    """How many terms `describing_loss` sums."""
    return int(sum(int((present[a] & present[b]).sum()) for a in present for b in present))


@dataclass(frozen=True, slots=True, eq=False)
class DescriptorScale:
    """Means and spreads of descriptors, by slot."""

    mean: Float[Tensor, "S Q"]
    spread: Float[Tensor, "S Q"]

    def standardised(self, described: Described) -> Described:
        """Descriptors in spreads from their kind's mean, at most 4."""
        values = {view: self._of(own, described.slots[view]) for view, own in described.values.items()}
        return Described(values, described.slots)

    def _of(self, values: Float[Tensor, "B Q"], slots: Int64[Tensor, " B"]) -> Float[Tensor, "B Q"]:
        return ((values - self.mean[slots]) / self.spread[slots]).clamp(-MOST_SPREADS, MOST_SPREADS)


def descriptor_scale(
    values: Sequence[Float[Tensor, "_ Q"]], slots: Sequence[Int64[Tensor, " _"]], n_slots: int
) -> DescriptorScale:
    """Moments by slot of such descriptors; a slot that none is of has mean 0 and spread 1."""
    everything, of_slot = torch.cat(list(values)), torch.cat(list(slots))
    mean, spread = torch.zeros(n_slots, N_DESCRIPTORS), torch.ones(n_slots, N_DESCRIPTORS)
    for slot in sorted(set(of_slot.tolist())):
        own = everything[of_slot == slot]
        mean[slot], spread[slot] = own.mean(0), own.std(0, correction=0) + LEAST_SPREAD
    return DescriptorScale(mean, spread)
