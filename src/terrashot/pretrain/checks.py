"""What must hold before training begins, and what a person must be told while it goes on."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

from terrashot.errors import InputError
from terrashot.model.towers import LARGEST_SCALE
from terrashot.pretrain.dataset import ChannelDraws

COLLAPSED_RANK = 2.0
"""Embeddings that use fewer directions tell next to nothing apart."""
LEAST_TEMPERATURE = 1.001 / LARGEST_SCALE


def refuse_too_few(train_draws: ChannelDraws, val_draws: ChannelDraws) -> None:
    """Nothing, if there is something to learn from and to choose by.

    Raises:
        InputError: one modality only, or fewer than two chips with the same two.
    """
    names = train_draws.modalities
    if len(names) < 2 and train_draws.plan.per_modality < 2:
        raise InputError(
            f"pretraining needs at least two modalities of the same chips, found {', '.join(names) or 'none'}; "
            "set [pretrain] views = 2, or embed such chips with a model trained elsewhere: terrashot embed"
        )
    for name, draws in (("train", train_draws), ("val", val_draws)):
        most = max((_n_with(draws, a, b) for a, b in combinations_with_replacement(names, 2)), default=0)
        if most < 2:
            raise InputError(
                f"{most} {name} chips have the same two modalities, pretraining needs at least 2: "
                "add chips, or give them both modalities"
            )


def _n_with(draws: ChannelDraws, a: str, b: str) -> int:
    """Chips with both modalities; of one with itself, those with two views of it."""
    if a == b and draws.plan.per_modality < 2:
        return 0
    return sum(draws.n_channels(chip_id, a) > (a == b) and draws.has(chip_id, b) for chip_id in draws.chip_ids)


def refuse_not_finite(loss: float, chip_ids: Sequence[str], what: str) -> None:
    """Nothing, for a loss that is a number.

    Raises:
        InputError: it is none; names chips that it is of.
    """
    if not math.isfinite(loss):
        more = f" and {len(chip_ids) - 5} more" if len(chip_ids) > 5 else ""
        raise InputError(
            f"{what} is not a finite number; lower [pretrain] learning_rate, "
            f"or look at the pixels of chips {', '.join(chip_ids[:5])}{more}"
        )


def batch_notes(batch_size: int, n_chips: int) -> tuple[str, ...]:
    """What to say of the size of a batch before the first step."""
    if batch_size <= n_chips:
        return ()
    return (f"batch_size {batch_size} is more than the {n_chips} training chips: each step takes all of them",)


def epoch_notes(metrics: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What is wrong since the last of these epochs and was not before."""
    before, now = metrics[-2] if len(metrics) > 1 else None, metrics[-1]
    known = set(_ailments(before)) if before else set()
    return tuple(
        f"epoch {now['epoch'] + 1}: {text}" for ailment, text in _ailments(now).items() if ailment not in known
    )


def _ailments(metrics: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name: f"the embeddings of {name} have collapsed (effective rank {rank:.1f}); "
        "lower learning_rate, or train on more chips"
        for name, rank in metrics["effective_rank"].items()
        if rank < COLLAPSED_RANK
    }
    if metrics["temperature"] <= LEAST_TEMPERATURE:
        found["temperature"] = (
            f"the temperature has fallen to its least, {metrics['temperature']:.3f}: the towers know their training chips "
            "by heart, or learn too fast; add chips, lower learning_rate, or raise batch_size"
        )
    return found
