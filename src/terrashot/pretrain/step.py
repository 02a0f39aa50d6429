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

from terrashot.model.towers import Seen, Towers
from terrashot.pretrain.dataset import Views
from terrashot.pretrain.distributed import World
from terrashot.pretrain.loss import pairwise_clip_loss
from terrashot.pretrain.optimiser import make_optimiser, set_learning_rate
from terrashot.pretrain.settings import TrainSettings

GRADIENT_NORM = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """Towers, how they learn, and among whom."""

    towers: Towers
    forward: nn.Module
    """The towers; among several ranks, wrapped so that gradients are averaged over them."""
    optimiser: torch.optim.Optimizer
    settings: TrainSettings
    world: World

    @property
    def device(self) -> torch.device:
        return self.towers.log_scale.device

    def step(self, views: Views, number: int, total: int) -> float:
        """The loss of this batch before the step that it makes; not finite if no step was made."""
        self.optimiser.zero_grad()
        loss = gradients(self, views)
        norm = torch.nn.utils.clip_grad_norm_(self.towers.parameters(), GRADIENT_NORM)
        if not bool(torch.isfinite(loss + norm)):
            return float("nan")
        set_learning_rate(self.optimiser, self.settings, number, total)
        self.optimiser.step()
        self.towers.limit_scale()
        return float(loss)


def make_learner(towers: Towers, settings: TrainSettings, world: World, device: torch.device) -> Learner:
    """A learner on this device; every rank makes one."""
    towers.to(device)
    towers.checkpointing = settings.checkpoint_activations
    if device.type == "cuda":
        for tower in towers.towers.children():
            tower.compile()
    # Gradients live in the buckets that are exchanged, not twice.
    wrapped = DistributedDataParallel(towers, gradient_as_bucket_view=True) if world.size > 1 else towers
    return Learner(towers, wrapped, make_optimiser(towers, settings), settings, world)


def gradients(learner: Learner, views: Views) -> Float[Tensor, ""]:
    """The loss of the batch on all ranks, after the towers' parameters hold its gradients, the same on each rank."""
    at_once = learner.settings.chips_at_once or views.n_rows
    pieces = [views.rows(start, start + at_once) for start in range(0, views.n_rows, at_once)]
    is_whole = len(pieces) == 1
    with torch.set_grad_enabled(is_whole):
        embedded = [_embed(learner, learner.forward if is_whole else learner.towers, piece) for piece in pieces]
    joined = {name: torch.cat([vectors[name].detach() for vectors in embedded]) for name in views.pixels}
    present = {name: mask.to(learner.device) for name, mask in views.present.items()}
    scored = pairwise_clip_loss(joined, present, scale=learner.towers.scale.detach(), world=learner.world)
    parts = {name: torch.split(slope, at_once) for name, slope in scored.vectors.items()}
    for number, piece in enumerate(pieces):
        is_last = number + 1 == len(pieces)
        with nullcontext() if is_last else _unexchanged(learner):
            vectors = embedded[0] if is_whole else _embed(learner, learner.forward, piece)
            slopes = {name: parts[name][number] for name in vectors}
            _backward(learner, vectors, slopes, scored.scale if is_last else None)
    return scored.loss


def _embed(learner: Learner, module: nn.Module, views: Views) -> dict[str, Float[Tensor, "B D"]]:
    with torch.autocast(learner.device.type, torch.bfloat16, enabled=learner.settings.precision == "bfloat16"):
        seen: dict[str, Seen] = module(views.pixels, None, views.kept)
    return {name: own.vector for name, own in seen.items()}


def _backward(
    learner: Learner,
    vectors: dict[str, Float[Tensor, "B D"]],
    slopes: dict[str, Float[Tensor, "B D"]],
    scale_slope: Float[Tensor, ""] | None,
) -> None:
    """Carries the loss's gradients in the vectors, and in the scale, on to the parameters."""
    outputs = [vectors[name] for name in vectors]
    # The ranks' gradients are averaged, and these are parts of a sum.
    wanted = [slopes[name] * learner.world.size for name in vectors]
    if scale_slope is not None:
        outputs.append(learner.towers.scale)
        wanted.append(scale_slope * learner.world.size)
    torch.autograd.backward(outputs, wanted)


def _unexchanged(learner: Learner) -> AbstractContextManager[None]:
    """Inside, gradients add up on this rank alone: one exchange a step is enough."""
    return learner.forward.no_sync() if isinstance(learner.forward, DistributedDataParallel) else nullcontext()
