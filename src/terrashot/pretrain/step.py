"""One step: vectors of all modalities, their loss among all chips of all ranks, gradients, and the optimiser's move.

With gradient caching only a piece of the batch has its activations in memory: all pieces are embedded without
gradients, their vectors are scored together, and each piece is embedded again to carry its vectors' gradients on. Loss
and gradients are those of the whole batch at once. What describes a view is no contrast, and is scored piece by piece.

Source: Gao et al. 2021, arXiv:2101.06983, section 3.2 (gradient cache).
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from terrashot.model.token_tower import TokenTower
from terrashot.model.towers import Towers, modality_of
from terrashot.pretrain.describe import (
    Described,
    DescriptorScale,
    count_described,
    describing_loss,
)
from terrashot.pretrain.distributed import World
from terrashot.pretrain.loss import pairwise_clip_loss
from terrashot.pretrain.optimiser import make_optimiser, set_learning_rate
from terrashot.pretrain.pupil import Looked, Pupil
from terrashot.pretrain.settings import Precision, TrainSettings
from terrashot.pretrain.views import Views

GRADIENT_NORM = 1.0
SETTLED_AT_ONCE = 16
"""Chips that are looked at together before the first step."""


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """Towers, how they learn, and among whom."""

    pupil: Pupil
    forward: nn.Module
    """The pupil; among several ranks, wrapped so that gradients are averaged over them."""
    optimiser: torch.optim.Optimizer
    settings: TrainSettings
    world: World
    scale: DescriptorScale | None = None
    """By which descriptors are standardised, where there is a second loss."""

    @property
    def towers(self) -> Towers:
        return self.pupil.towers

    @property
    def device(self) -> torch.device:
        return self.towers.log_scale.device

    def step(self, views: Views, number: int, total: int) -> float:
        """The loss of this batch before the step that it makes; not finite if no step was made."""
        self.optimiser.zero_grad()
        loss = gradients(self, views)
        norm = torch.nn.utils.clip_grad_norm_(self.pupil.parameters(), GRADIENT_NORM)
        if not bool(torch.isfinite(loss + norm)):
            return float("nan")
        set_learning_rate(self.optimiser, self.settings, number, total)
        self.optimiser.step()
        self.towers.limit_scale()
        return float(loss)


def make_learner(
    pupil: Pupil, settings: TrainSettings, world: World, device: torch.device, scale: DescriptorScale | None = None
) -> Learner:
    """A learner on this device; every rank makes one."""
    pupil.to(device)
    pupil.towers.checkpointing = settings.checkpoint_activations
    if device.type == "cuda":
        for tower in pupil.towers.towers.children():
            tower.compile()
    # Gradients live in the buckets that are exchanged, not twice.
    wrapped = DistributedDataParallel(pupil, gradient_as_bucket_view=True) if world.size > 1 else pupil
    return Learner(pupil, wrapped, make_optimiser(pupil, settings), settings, world, scale)


@torch.no_grad()
def settle(towers: Towers, views: Views, precision: Precision) -> None:
    """Towers behind a stem begin with pooled tokens of zero mean and unit spread over these views."""
    pieces = [views.rows(start, start + SETTLED_AT_ONCE) for start in range(0, views.n_rows, SETTLED_AT_ONCE)]
    for modality, tower in towers.towers.items():
        own = [view for view in views.pixels if modality_of(view) == modality]
        with _products_in(precision, towers):
            pooled = [
                towers.see(piece.pixels[view], modality, piece.kinds[view]).pooled.cpu()[piece.present[view]]
                for piece in pieces
                for view in own
            ]
        if isinstance(tower, TokenTower) and any(map(len, pooled)):
            tower.settled.settle(torch.cat(pooled))


def gradients(learner: Learner, views: Views) -> Float[Tensor, ""]:
    """The loss of the batch on all ranks, after the towers' parameters hold its gradients, the same on each rank."""
    at_once = learner.settings.chips_at_once or views.n_rows
    pieces = [views.rows(start, start + at_once) for start in range(0, views.n_rows, at_once)]
    is_whole = len(pieces) == 1
    with torch.set_grad_enabled(is_whole):
        looked = [_look(learner, learner.forward if is_whole else learner.pupil, piece) for piece in pieces]
    joined = {name: torch.cat([piece.vectors[name].detach() for piece in looked]) for name in views.pixels}
    present = {name: mask.to(learner.device) for name, mask in views.present.items()}
    scored = pairwise_clip_loss(joined, present, scale=learner.towers.scale.detach(), world=learner.world)
    parts = {name: torch.split(slope, at_once) for name, slope in scored.vectors.items()}
    weight, loss = _weight_of_a_description(learner, views), scored.loss
    for number, piece in enumerate(pieces):
        is_last = number + 1 == len(pieces)
        with nullcontext() if is_last else _unexchanged(learner):
            found = looked[0] if is_whole else _look(learner, learner.forward, piece)
            described = _described(learner, found, piece, weight)
            loss = loss + learner.world.total(described.detach())
            slopes = {name: parts[name][number] for name in found.vectors}
            _backward(learner, found.vectors, slopes, scored.scale if is_last else None, described)
    return loss


def _look(learner: Learner, module: nn.Module, views: Views) -> Looked:
    with _products_in(learner.settings.precision, learner.towers):
        looked: Looked = module(views.pixels, views.kinds, views.present, views.kept)
    return looked


def _products_in(precision: Precision, towers: Towers) -> torch.autocast:
    return torch.autocast(towers.log_scale.device.type, torch.bfloat16, enabled=precision == "bfloat16")


def _weight_of_a_description(learner: Learner, views: Views) -> float:
    """What one term of the second loss weighs: they are a mean over all chips on all ranks."""
    if views.described is None or learner.scale is None:
        return 0.0
    count = learner.world.total(torch.tensor(float(count_described(views.present)), device=learner.device))
    return learner.settings.describe / max(1.0, float(count))


def _described(learner: Learner, looked: Looked, views: Views, weight: float) -> Float[Tensor, ""]:
    """The second loss of a piece; 0 where there is none."""
    if views.described is None or learner.scale is None:
        return torch.zeros((), device=learner.device)
    raw = learner.scale.standardised(views.described)
    truth = Described(*({v: own.to(learner.device) for v, own in found.items()} for found in (raw.values, raw.slots)))
    present = {view: mask.to(learner.device) for view, mask in views.present.items()}
    return weight * describing_loss(looked.guesses, truth, present)


def _backward(
    learner: Learner,
    vectors: dict[str, Float[Tensor, "B D"]],
    slopes: dict[str, Float[Tensor, "B D"]],
    scale_slope: Float[Tensor, ""] | None,
    described: Float[Tensor, ""],
) -> None:
    """Carries the losses' gradients, in the vectors, the scale and what describes them, on to the parameters."""
    outputs = [vectors[name] for name in vectors]
    # The ranks' gradients are averaged, and these are parts of a sum.
    wanted = [slopes[name] * learner.world.size for name in vectors]
    for output, slope in ((learner.towers.scale, scale_slope), (described, torch.ones_like(described))):
        if slope is not None and output.requires_grad:
            outputs.append(output)
            wanted.append(slope * learner.world.size)
    torch.autograd.backward(outputs, wanted)


def _unexchanged(learner: Learner) -> AbstractContextManager[None]:
    """Inside, gradients add up on this rank alone: one exchange a step is enough."""
    return learner.forward.no_sync() if isinstance(learner.forward, DistributedDataParallel) else nullcontext()
