"""AdamW over all that learns, and the rate of each step."""

import torch
from torch import nn

from terrashot.pretrain.schedule import learning_rate_share
from terrashot.pretrain.settings import TrainSettings

PLAIN = {"cls_token", "pos_embed", "kind_embed", "log_scale"}


def make_optimiser(pupil: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """AdamW that decays weight matrices only: not norms, biases, the class token, positions, kinds, or the temperature."""
    named = list(pupil.named_parameters())
    decayed = [p for name, p in named if p.ndim >= 2 and name.rsplit(".", 1)[-1] not in PLAIN]
    chosen = {id(parameter) for parameter in decayed}
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": [p for _, p in named if id(p) not in chosen], "weight_decay": 0.0},
    ]
    # Source of the second beta: Radford et al. 2021, arXiv:2103.00020, table 19 (vision transformers).
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, settings: TrainSettings, step: int, total: int) -> None:
    """The optimiser's next step, `step` of `total`, has the rate that the schedule gives it."""
    share = learning_rate_share(step, total, round(settings.warmup_share * total))
    for group in optimiser.param_groups:
        group["lr"] = settings.learning_rate * share
