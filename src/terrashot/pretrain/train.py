"""The training loop: epochs over chips, the best model by validation loss, exact resume. Yields events."""

import json
import math
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from terrashot.durable.files import sha256_of
from terrashot.errors import InputError
from terrashot.model.towers import Towers, TowersConfig, make_towers
from terrashot.pretrain.dataset import ChannelDraws, Views, batches
from terrashot.pretrain.loss import pairwise_clip_loss
from terrashot.pretrain.resume import Progress, load_state, save_state
from terrashot.pretrain.schedule import learning_rate_share
from terrashot.pretrain.validate import validate

GRADIENT_NORM = 1.0
COLLAPSED_RANK = 2.0
"""Embeddings that use fewer directions tell next to nothing apart."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train; part of the run's identity."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup_share: float
    flips: bool
    seed: int


@dataclass(frozen=True, slots=True)
class EpochDone:
    """One pass over the training chips, and what validation says."""

    metrics: dict[str, Any]
    epochs: int
    seconds: float
    seconds_reading: float
    """Of these, spent on reading, scaling and turning chips."""
    notes: tuple[str, ...] = ()
    """What the person must know."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step inside an epoch."""

    epoch: int
    done: int
    steps: int


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The finished run."""

    towers: Towers
    """With the weights of the best epoch."""
    last: dict[str, Tensor]
    metrics: list[dict[str, Any]]
    best_epoch: int


Event = EpochDone | StepDone


def train(
    config: TowersConfig, train_draws: ChannelDraws, val_draws: ChannelDraws, settings: TrainSettings, state: Path
) -> Generator[Event, None, Trained]:
    """The trained towers; resumes from `state` if a run of the same settings and chips was killed there.

    Raises:
        InputError: fewer than two chips to learn or to choose from, or a loss that is not finite.
        IntegrityError: `state` is damaged or of another run.
    """
    _refuse_too_few(train_draws, val_draws)
    towers = make_towers(config, settings.seed)
    optimiser = _optimiser(towers, settings)
    run = _identity(config, train_draws, val_draws, settings)
    resumed = load_state(state, towers, optimiser, run)
    progress, best = resumed or (Progress(0, [], -1, math.inf, run), {})
    for epoch in range(progress.epochs_done, settings.epochs):
        started = time.monotonic()
        loss, reading = yield from _one_epoch(towers, optimiser, train_draws, settings, epoch)
        measured = validate(towers, val_draws)
        metrics = {"epoch": epoch, "train_loss": loss, **measured, "chips_skipped": train_draws.n_skipped}
        _refuse_not_finite(measured["val_loss"], val_draws.chip_ids, f"epoch {epoch + 1}: the validation loss")
        is_best = metrics["val_loss"] < progress.best_loss
        best = {name: tensor.clone() for name, tensor in towers.state_dict().items()} if is_best else best
        progress = _advanced(progress, metrics, is_best)
        save_state(state, towers, optimiser, best, progress)
        notes = (*_batch_notes(train_draws, settings, epoch), *_collapse_notes(metrics))
        yield EpochDone(metrics, settings.epochs, time.monotonic() - started, reading, notes)
    last = {name: tensor.clone() for name, tensor in towers.state_dict().items()}
    towers.load_state_dict(best)
    return Trained(towers, last, progress.metrics, progress.best_epoch)


def _advanced(progress: Progress, metrics: dict[str, Any], is_best: bool) -> Progress:
    best_epoch, best_loss = (
        (metrics["epoch"], metrics["val_loss"]) if is_best else (progress.best_epoch, progress.best_loss)
    )
    return Progress(metrics["epoch"] + 1, [*progress.metrics, metrics], best_epoch, best_loss, progress.run)


def _one_epoch(
    towers: Towers, optimiser: torch.optim.Optimizer, draws: ChannelDraws, settings: TrainSettings, epoch: int
) -> Generator[Event, None, tuple[float, float]]:
    """Mean loss over the chips, and the seconds that reading took."""
    cuts = list(batches(draws.order(epoch), settings.batch_size))
    total, warmup = settings.epochs * len(cuts), round(settings.warmup_share * settings.epochs * len(cuts))
    losses, reading = [], 0.0
    towers.train()
    for index, chip_ids in enumerate(cuts):
        started = time.monotonic()
        views = draws.views(chip_ids, f"epoch {epoch}", augment=settings.flips)
        reading += time.monotonic() - started
        share = learning_rate_share(epoch * len(cuts) + index, total, warmup)
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * share
        losses.append(_step(towers, optimiser, views, f"epoch {epoch + 1}, step {index + 1}"))
        yield StepDone(epoch, index + 1, len(cuts))
    return float(np.average(losses, weights=[len(chip_ids) for chip_ids in cuts])), reading


def _step(towers: Towers, optimiser: torch.optim.Optimizer, views: Views, when: str) -> float:
    optimiser.zero_grad()
    vectors = {modality: towers.embed(pixels, modality) for modality, pixels in views.pixels.items()}
    loss = pairwise_clip_loss(vectors, views.present, scale=towers.scale)
    value = float(loss.detach())
    _refuse_not_finite(value, views.chip_ids, f"{when}: the training loss")
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(towers.parameters(), GRADIENT_NORM)
    optimiser.step()
    towers.limit_scale()
    return value


def _optimiser(towers: Towers, settings: TrainSettings) -> torch.optim.Optimizer:
    """AdamW that decays weight matrices only: not norms, biases, the class token, positions, or the temperature."""
    plain = {"cls_token", "pos_embed", "log_scale"}
    named = list(towers.named_parameters())
    decayed = [p for name, p in named if p.ndim >= 2 and name.rsplit(".", 1)[-1] not in plain]
    chosen = {id(parameter) for parameter in decayed}
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": [p for _, p in named if id(p) not in chosen], "weight_decay": 0.0},
    ]
    # Source of the second beta: Radford et al. 2021, arXiv:2103.00020, table 19 (vision transformers).
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), fused=True)


def _refuse_not_finite(loss: float, chip_ids: tuple[str, ...], what: str) -> None:
    if not math.isfinite(loss):
        more = f" and {len(chip_ids) - 5} more" if len(chip_ids) > 5 else ""
        raise InputError(
            f"{what} is not a finite number; lower [pretrain] learning_rate, "
            f"or look at the pixels of chips {', '.join(chip_ids[:5])}{more}"
        )


def _refuse_too_few(train_draws: ChannelDraws, val_draws: ChannelDraws) -> None:
    names = train_draws.modalities
    if len(names) < 2:
        raise InputError(
            f"pretraining needs at least two modalities of the same chips, found {', '.join(names) or 'none'}; "
            "embed such chips with a model trained elsewhere: terrashot embed"
        )
    for name, draws in (("train", train_draws), ("val", val_draws)):
        most = max(
            sum(bool(draws.channels[chip_id, a] and draws.channels[chip_id, b]) for chip_id in draws.chip_ids)
            for a, b in combinations(names, 2)
        )
        if most < 2:
            raise InputError(
                f"{most} {name} chips have the same two modalities, pretraining needs at least 2: "
                "add chips, or give them both modalities"
            )


def _batch_notes(draws: ChannelDraws, settings: TrainSettings, epoch: int) -> tuple[str, ...]:
    n_chips = len(draws.chip_ids)
    if epoch > 0 or settings.batch_size <= n_chips:
        return ()
    return (f"batch_size {settings.batch_size} is more than the {n_chips} training chips: each step takes all of them",)


def _collapse_notes(metrics: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"epoch {metrics['epoch'] + 1}: the embeddings of {name} have collapsed (effective rank {rank:.1f}); "
        "lower learning_rate, or train on more chips"
        for name, rank in metrics["effective_rank"].items()
        if rank < COLLAPSED_RANK
    )


def _identity(
    config: TowersConfig, train_draws: ChannelDraws, val_draws: ChannelDraws, settings: TrainSettings
) -> dict[str, str]:
    """What makes this run the run it is, by the words in which a difference is told."""
    stats = train_draws.stats.kinds
    parts = {
        "towers": config.as_json(),
        "training chips": _contents(train_draws),
        "validation chips": _contents(val_draws),
        "channel statistics": {m: {k: asdict(s) for k, s in kinds.items()} for m, kinds in stats.items()},
    }
    digests = {name: sha256_of(json.dumps(part, sort_keys=True).encode()) for name, part in parts.items()}
    return digests | {f"[pretrain] {name}": repr(value) for name, value in asdict(settings).items()}


def _contents(draws: ChannelDraws) -> list[Any]:
    """Which channels of which chips there are to draw from."""
    return sorted([c, m, [(s.slot, s.channel.name) for s in found]] for (c, m), found in draws.channels.items())
