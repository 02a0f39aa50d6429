"""One step: vectors of all modalities, their loss among all chips of all ranks, gradients, and the optimiser's move.

With gradient caching only a piece of the batch has its activations in memory: all pieces are embedded without
gradients, their vectors are scored together, and each piece is embedded again to carry its vectors' gradients on. Loss
and gradients are those of the whole batch at once.

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
from terrashot.pretrain.distributed import World
from terrashot.pretrain.loss import pairwise_clip_loss
from terrashot.pretrain.optimiser import make_optimiser, set_learning_rate
from terrashot.pretrain.pupil import Pupil
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


def make_learner(pupil: Pupil, settings: TrainSettings, world: World, device: torch.device) -> Learner:
    """A learner on this device; every rank makes one."""
    pupil.to(device)
    pupil.towers.checkpointing = settings.checkpoint_activations
    if device.type == "cuda":
        for tower in pupil.towers.towers.children():
            tower.compile()
    # Gradients live in the buckets that are exchanged, not twice.
    wrapped = DistributedDataParallel(pupil, gradient_as_bucket_view=True) if world.size > 1 else pupil
    return Learner(pupil, wrapped, make_optimiser(pupil, settings), settings, world)


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
    joined = {name: torch.cat([piece[name].detach() for piece in looked]) for name in views.pixels}
    present = {name: mask.to(learner.device) for name, mask in views.present.items()}
    scored = pairwise_clip_loss(joined, present, scale=learner.towers.scale.detach(), world=learner.world)
    parts = {name: torch.split(slope, at_once) for name, slope in scored.vectors.items()}
    for number, piece in enumerate(pieces):
        is_last = number + 1 == len(pieces)
        with nullcontext() if is_last else _unexchanged(learner):
            found = looked[0] if is_whole else _look(learner, learner.forward, piece)
            slopes = {name: parts[name][number] for name in found}
            _backward(learner, found, slopes, scored.scale if is_last else None)
    return scored.loss


def _look(learner: Learner, module: nn.Module, views: Views) -> dict[str, Float[Tensor, "B D"]]:
    with _products_in(learner.settings.precision, learner.towers):
        vectors: dict[str, Tensor] = module(views.pixels, views.kinds, views.present, views.kept)
    return vectors


def _products_in(precision: Precision, towers: Towers) -> torch.autocast:
    return torch.autocast(towers.log_scale.device.type, torch.bfloat16, enabled=precision == "bfloat16")


def _backward(
    learner: Learner,
    vectors: dict[str, Float[Tensor, "B D"]],
    slopes: dict[str, Float[Tensor, "B D"]],
    scale_slope: Float[Tensor, ""] | None,
) -> None:
    """Carries the loss's gradients, in the vectors and the scale, on to the parameters."""
    outputs = [vectors[name] for name in vectors]
    wanted = [slopes[name] for name in vectors]
    if scale_slope is not None:
        outputs.append(learner.towers.scale)
        wanted.append(scale_slope)
    # The ranks' gradients are averaged, and these are parts of a sum.
    torch.autograd.backward(outputs, [slope * learner.world.size for slope in wanted])


def _unexchanged(learner: Learner) -> AbstractContextManager[None]:
    """Inside, gradients add up on this rank alone: one exchange a step is enough."""
    return learner.forward.no_sync() if isinstance(learner.forward, DistributedDataParallel) else nullcontext()
